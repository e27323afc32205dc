"""Copy the adapter of the chosen step, as the result of a run.

in:  a SeriesSpec of one variant and one run, its steps' adapters in order, and what they are chosen
     by: their scores, or the training's log
out: <out>, a copy of the chosen adapter; chosen.json beside it: the step, and what each step reads
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from kindred.common.errors import KindredError, run_main
from kindred.common.files import atomic_write, write_json
from kindred.evidence.step_losses import read_losses
from kindred.evidence.step_series import series_figures, taken_step
from kindred.scoring.score_table import read_scores
from kindred.specs.step_series import SeriesSpec
from kindred.training.held_out_curve import COLUMN


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="SeriesSpec as JSON, or a file of it")
    parser.add_argument("--results", required=True, type=Path, help="folder of the experiment")
    parser.add_argument(
        "--adapters", required=True, nargs="+", type=Path, help="one adapter for each step"
    )
    parser.add_argument("--out", required=True, type=Path, help="adapter to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Choose the step, and copy its adapter."""
    options = parse(argv)
    spec = SeriesSpec.read(options.spec)
    tables = spec.tables(options.results).items()
    scores = {place: read_scores(path) for place, path in tables}
    found = series_figures(spec, scores, read_losses(spec, options.results))
    (own,) = found["variants"].values()
    step = taken_step(own)
    if step is None:
        cure = "correct `selection:` so that its prompts name a character"
        raise KindredError("no step has a score, so none can be chosen", str(options.results), cure)
    chosen = options.adapters[own["steps"].index(step)]
    with atomic_write(options.out) as temporary:
        shutil.copyfile(chosen, temporary)
    told = {"step": step, "measure": found["measure"] or COLUMN}
    write_json(options.out.with_name("chosen.json"), own | told)
    print(f"step {step} of {', '.join(map(str, own['steps']))}")
    return 0


if __name__ == "__main__":
    run_main(main)
