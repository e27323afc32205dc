"""One run's adapter of the step that is to be taken, as the run's result.

in:  a SeriesSpec of one variant and one run, the scores of its steps, and their adapters in order
out: <out>, a copy of the chosen adapter; chosen.json beside it: the step, and what each step reads
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from kindred.common.errors import KindredError, run_main
from kindred.common.files import atomic_write, write_json
from kindred.evidence.step_series import series_figures
from kindred.scoring.score_table import read_scores
from kindred.specs.step_series import SeriesSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="SeriesSpec as JSON, or a file of it")
    parser.add_argument("--results", required=True, type=Path, help="of the experiment")
    parser.add_argument("--adapters", required=True, nargs="+", type=Path, help="one a step")
    parser.add_argument("--out", required=True, type=Path, help="adapter to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Choose the step, and copy its adapter."""
    options = parse(argv)
    spec = SeriesSpec.read(options.spec)
    tables = spec.tables(options.results).items()
    found = series_figures(spec, {place: read_scores(path) for place, path in tables})
    (own,) = found["variants"].values()
    if own["step"] is None:
        cure = "correct `selection:` so that its prompts name somebody"
        raise KindredError("no step has a score to choose by", str(options.results), cure)
    chosen = options.adapters[own["steps"].index(own["step"])]
    with atomic_write(options.out) as temporary:
        shutil.copyfile(chosen, temporary)
    write_json(options.out.with_name("chosen.json"), own | {"measure": found["measure"]})
    print(f"step {own['step']} of {', '.join(map(str, own['steps']))}")
    return 0


if __name__ == "__main__":
    run_main(main)
