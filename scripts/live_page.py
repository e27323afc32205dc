"""Make a page that shows an experiment's trainings while they run.

in:  the prepared photos of its datasets (not with `hide_photos`)
out: live.html, which reads what trainings write beside it: <variant>/run-<k>/live.js and samples/
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import write_text
from kindred.report.live_page import live_page
from kindred.report.rating_page import references
from kindred.report.report_data import read_photos
from kindred.specs.report import LivePageSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="LivePageSpec as JSON, or a file of it")
    parser.add_argument("--resources", type=Path, default=Path("resources"))
    parser.add_argument("--out", required=True, type=Path, help="live.html to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Write the page."""
    options = parse(argv)
    spec = LivePageSpec.read(options.spec)
    folders = [options.resources / name for name in spec.datasets if not spec.hide_photos]
    photos = references([one for folder in folders for one in read_photos(folder)], spec.characters)
    write_text(options.out, live_page(photos, spec))
    print(
        f"{options.out}: open it in a browser; it shows trainings while they run", file=sys.stderr
    )
    return 0


if __name__ == "__main__":
    run_main(main)
