"""Write a small table of results without names, to share with others.

in:  results/<experiment>/: summary.json, verdicts.json, lora.json of every training
out: figures-to-send.csv
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import read_json, write_csv
from kindred.common.sentences import counted
from kindred.common.versions import code_revision
from kindred.report.figures_to_send import COLUMNS, figures_to_send
from kindred.report.report_data import read_versioned


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, type=Path, help="results/<experiment>")
    parser.add_argument("--out", required=True, type=Path, help="CSV to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Write the table of one experiment."""
    options = parse(argv)
    summary = read_versioned(options.folder / "summary.json")
    verdicts = read_versioned(options.folder / "verdicts.json")
    # Results of variants and runs that are gone may lie there too.
    runs = [(name, k) for name, one in summary["variants"].items() for k in one["runs"]]
    files = sorted(options.folder / name / f"run-{k}" / "lora.json" for name, k in runs)
    trainings = [read_json(path) for path in files if path.is_file()]
    rows = figures_to_send(summary, verdicts, trainings, code_revision())
    lines = [{key: row.get(key, "") for key in COLUMNS} for row in rows]
    write_csv(options.out, COLUMNS, lines)
    print(f"{options.out}: {counted(len(rows), 'figure')}, without names", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
