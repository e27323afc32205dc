"""Make a page on which people rate pictures, without knowing which variant drew them.

in:  lists of an experiment's pictures; the prepared photos of its datasets (not with `hide_photos`)
out: rating.html, one file that works offline; it saves ratings.csv, which belongs at
     config/experiments/<experiment>.ratings.csv
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import write_text
from kindred.common.sentences import counted
from kindred.report.rating_page import choose, need_some, rating_page, references
from kindred.report.report_data import read_photos, read_pictures
from kindred.specs.report import RatingSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="RatingSpec as JSON, or a file of it")
    parser.add_argument("--folder", required=True, type=Path, help="results/<experiment>")
    parser.add_argument("--resources", type=Path, default=Path("resources"))
    parser.add_argument("--out", required=True, type=Path, help="rating.html to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Write the page."""
    options = parse(argv)
    spec = RatingSpec.read(options.spec)
    runs = [(variant, run) for variant, numbers in spec.variants.items() for run in numbers]
    pictures, _ = read_pictures(options.folder, runs, spec.prompt_sets)
    rows = choose(pictures, spec.images, spec.seed)
    need_some(rows, options.folder)
    folders = [options.resources / name for name in spec.datasets if not spec.hide_photos]
    photos = references([one for folder in folders for one in read_photos(folder)], spec.characters)
    write_text(options.out, rating_page(rows, photos, spec))
    print(f"{options.out}: {counted(len(rows), 'picture')} to rate", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
