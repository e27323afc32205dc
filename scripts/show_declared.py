"""Print what an experiment declared, and every change of it, with the values before and after.

in:  config/declared/<name>.jsonl, or the same packed, <name>.jsonl.xz
out: a table in Markdown

    python scripts/show_declared.py coverage
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kindred.common.chained_log import read_log
from kindred.common.errors import KindredError, run_main
from kindred.common.experiment_log import log_path
from kindred.evidence.amendments import summed_up
from kindred.report.templates import fill


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="of a log in config/declared, without .jsonl")
    parser.add_argument("--root", type=Path, default=Path("."), help="folder that holds config/")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Print one log."""
    options = parse(argv)
    path = log_path(options.name, options.root)
    entries = read_log(path)
    if not entries:
        raise KindredError(
            "nothing was declared under this name",
            str(path),
            "give the name of a file in config/declared",
        )
    print(fill("declared.md", {"log": summed_up(entries, entries[-1]["runs"])}).strip())
    return 0


if __name__ == "__main__":
    run_main(main)
