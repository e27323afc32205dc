"""Decide claims about families in general, from the figures of several experiments.

in:  a file of config/families as JSON; summary.json of each of its experiments, scores.csv where
     copies may have to leave or people answered; what they said of pictures;
     the log of what was declared, config/declared/<name>.jsonl
out: results/families/<name>/verdicts.json
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.chained_log import read_log
from kindred.common.errors import run_main
from kindred.common.experiment_log import note_runs
from kindred.common.files import write_json
from kindred.evidence.families import families_verdicts, runs_compared
from kindred.evidence.who_is_it import read_answers
from kindred.report.report_data import read_versioned
from kindred.scoring.score_table import read_scores
from kindred.specs.families import FamiliesSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="FamiliesSpec as JSON, or a file of it")
    parser.add_argument("--results", required=True, type=Path, help="folder of all experiments")
    parser.add_argument("--declared", type=Path, help="log of what was declared (JSON lines)")
    parser.add_argument("--answers", nargs="*", type=Path, default=[], help="<name>.who*.csv files")
    parser.add_argument("--verdicts", required=True, type=Path, help="JSON to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Compare one file's experiments."""
    options = parse(argv)
    spec = FamiliesSpec.read(options.spec)
    folders = {name: options.results / name for name in spec.families}
    summaries = {name: read_versioned(one / "summary.json") for name, one in folders.items()}
    log = read_log(options.declared) if options.declared else []
    found = families_verdicts(
        spec,
        summaries,
        lambda name: read_scores(folders[name] / "scores.csv"),
        log,
        read_answers(options.answers),
    )
    write_json(options.verdicts, found)
    if options.declared:
        note_runs(options.declared, "looked", runs_compared(summaries))
    for name, one in found["hypotheses"].items():
        print(f"{name}: {one['sentence']}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
