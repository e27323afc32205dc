"""Make a page on which people say which of two pictures looks more like a person.

in:  lists of an experiment's pictures; the prepared photos of its datasets (not with `hide_photos`)
out: pairs.html, one file that works offline; it saves pairs.csv, which belongs at
     config/experiments/<experiment>.pairs.csv
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import write_text
from kindred.common.sentences import counted
from kindred.report.pairs_page import choose_pairs, pairs_page
from kindred.report.rating_page import references
from kindred.report.report_data import read_photos, read_pictures
from kindred.specs.report import PairsSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="PairsSpec as JSON, or a file of it")
    parser.add_argument("--folder", required=True, type=Path, help="results/<experiment>")
    parser.add_argument("--resources", type=Path, default=Path("resources"))
    parser.add_argument("--out", required=True, type=Path, help="pairs.html to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Write the page."""
    options = parse(argv)
    spec = PairsSpec.read(options.spec)
    runs = [(variant, run) for variant, numbers in spec.variants.items() for run in numbers]
    pictures, _ = read_pictures(options.folder, runs, spec.prompt_sets)
    pairs = choose_pairs(pictures, spec)
    folders = [options.resources / name for name in spec.datasets if not spec.hide_photos]
    photos = references([one for folder in folders for one in read_photos(folder)], spec.characters)
    write_text(options.out, pairs_page(pairs, photos, spec))
    print(f"{options.out}: {counted(len(pairs), 'pair')} to compare", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
