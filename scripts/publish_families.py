"""Write a page of docs/findings about several families, from finished results.

in:  results/families/<name>/: verdicts.json, power.json; summary.json and scores.csv of each
     experiment; config/
out: docs/findings/<name>/: README.md, arms.csv, claims.csv, mistakes.csv; and an entry of
     config/declared/<name>.jsonl

Run by hand, as publish_results.py: no rule of the workflow makes these files.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.report.family_publishing import publish_families
from kindred.report.repository_publishing import Folders


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="file name in config/families, without .yaml")
    parser.add_argument("--root", type=Path, default=Path("."), help="folder that holds config/")
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of results")
    parser.add_argument("--docs", type=Path, default=Path("docs/findings"))
    parser.add_argument("--why", default="", help="reason for a change, for the log")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Publish one file of config/families."""
    options = parse(argv)
    folders = Folders(root=options.root, results=options.results, docs=options.docs)
    print(publish_families(options.name, folders, options.why), file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
