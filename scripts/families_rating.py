"""Make a page on which people say who is in a picture, without knowing what drew it.

in:  lists of the experiments' pictures; the prepared photos of their datasets
out: who.html, one file that works offline; it saves <name>.who.csv, which belongs into
     config/families
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import write_text
from kindred.common.sentences import counted
from kindred.report.rating_page import need_some, references
from kindred.report.report_data import read_photos, read_pictures
from kindred.report.who_page import choose, who_page
from kindred.specs.report import WhoIsItSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="WhoIsItSpec as JSON, or a file of it")
    parser.add_argument("--results", required=True, type=Path, help="folder of all experiments")
    parser.add_argument("--resources", type=Path, default=Path("resources"))
    parser.add_argument("--out", required=True, type=Path, help="who.html to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Write the page."""
    options = parse(argv)
    spec = WhoIsItSpec.read(options.spec)
    pictures, photos = {}, {}
    for name, family in spec.families.items():
        runs = [(variant, run) for variant, own in family.runs.items() for run in own]
        pictures[name], _ = read_pictures(options.results / name, runs, spec.prompt_sets)
        own = [x for data in family.datasets for x in read_photos(options.resources / data)]
        photos[name] = references(own, family.characters)
    asked = choose(pictures, spec)
    need_some([one.row for one in asked], options.results)
    write_text(options.out, who_page(asked, photos, spec))
    print(f"{options.out}: {counted(len(asked), 'picture')} to look at", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
