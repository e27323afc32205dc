"""Draw the curves of loss and learning rate of one or more trainings.

in:  training.csv of each run (step, loss, lr), with a label; runs of one label share a colour
out: a PNG
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kindred.common.errors import KindredError, run_main
from kindred.common.files import atomic_write
from kindred.report.svg_plots import curves_png
from kindred.report.training_curves import read_run
from kindred.specs.report import CurveSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", default="{}", help="CurveSpec as JSON, or a file of it")
    parser.add_argument(
        "--run",
        action="append",
        required=True,
        metavar="LABEL=FILE",
        help="a training.csv, with its name in the legend; repeat for more runs",
    )
    parser.add_argument("--out", required=True, type=Path, help="PNG to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Draw one picture."""
    options = parse(argv)
    spec = CurveSpec.read(options.spec)
    runs = []
    for text in options.run:
        label, _, path = text.partition("=")
        if not label or not path:
            raise KindredError("lacks a label or a file", f"--run {text}", "write LABEL=FILE")
        runs.append(read_run(label, path))
    with atomic_write(options.out) as temporary:
        temporary.write_bytes(curves_png(runs, spec.title, spec.smoothing))
    return 0


if __name__ == "__main__":
    run_main(main)
