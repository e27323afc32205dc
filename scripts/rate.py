"""Rate pictures, or compare pairs, in the browser; every answer is saved at once.

in:  results/<experiment>/rating.html, pairs.html, or results/families/<name>/who.html
out: config/experiments/<experiment>.ratings-<who>.csv, .pairs-<who>.csv, or
     config/families/<name>.who-<who>.csv: a table a person, which the next `snakemake` reads
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.report.answer_files import answer, answered_page, served
from kindred.starting.review_server import ReviewServer


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", help="an experiment, or the path of its rating page")
    parser.add_argument(
        "--pairs",
        action="store_true",
        help="compare pairs of pictures instead of rating single ones",
    )
    parser.add_argument("--root", type=Path, default=Path("."), help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Serve the page until it says that somebody is finished."""
    options = parse(argv)
    page, files = answered_page(options.what, options.pairs, options.root)
    server = ReviewServer(
        lambda address: served(page, address), lambda change: answer(files, change)
    )
    print(f"open {server.address}\nFinish on the page, or press Ctrl-C here", file=sys.stderr)
    server.open_browser()
    server.serve()
    print(f"the answers are in {files.folder}; `{files.command}` reads them", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
