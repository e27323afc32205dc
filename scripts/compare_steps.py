"""Compare the kept steps of an experiment's trainings, and choose a step.

in:  a SeriesSpec; in the results folder the tables of scores of every step's pictures, and where
     photos are held out the adapters of all steps and the logs of the trainings
out: series.json: figures of every step by variant and measure, and the step to take
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import write_json
from kindred.evidence.step_losses import read_losses
from kindred.evidence.step_series import series_figures
from kindred.scoring.score_table import read_scores
from kindred.specs.step_series import SeriesSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="SeriesSpec as JSON, or a file of it")
    parser.add_argument("--results", required=True, type=Path, help="folder of the experiment")
    parser.add_argument("--out", required=True, type=Path, help="series.json to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Compare all steps."""
    options = parse(argv)
    spec = SeriesSpec.read(options.spec)
    tables = spec.tables(options.results).items()
    scores = {place: read_scores(path) for place, path in tables}
    found = series_figures(spec, scores, read_losses(spec, options.results))
    write_json(options.out, found)
    for name, one in found["variants"].items():
        steps = ", ".join(map(str, one["steps"]))
        step = one["step"] or one.get("held_out", {}).get("step")
        print(f"{name}: take step {step} of {steps}")
    return 0


if __name__ == "__main__":
    run_main(main)
