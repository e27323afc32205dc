"""What keeping an adapter and drawing a picture every 250 steps cost a training of a known base at
full size, beside the drawing itself; with random weights, as the trainer plans it. To reach: 5 %.

    python benchmarks/samples.py --base flux-dev --plans 12 24 --out results/samples.json
    python benchmarks/samples.py --base tiny --device cpu            tries the program itself

Needs a GPU, no download and little main memory. Figures are written as they come.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from kindred.common.amounts import gib
from kindred.common.errors import run_main
from kindred.common.files import write_json
from kindred.compute import devices

COLUMNS = ("plan", "step s", "keep s", "picture s", "beside it s", "slower steps s", "share")


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base", default="flux-dev")
    parser.add_argument("--out", type=Path, help="JSON file of all figures")
    parser.add_argument("--quantization", default="nf4", choices=["nf4", "nf4-double", "none"])
    parser.add_argument("--plans", type=gib("--plans"), nargs="+", default=[12, 24], metavar="GIB")
    parser.add_argument("--photo", type=int, default=512, help="px of photos")
    parser.add_argument("--picture", type=int, default=1024, help="px of the picture")
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--sampling-steps", type=int, help="the base's own when unset")
    parser.add_argument("--warm", type=int, default=8, help="steps before the clock runs")
    parser.add_argument("--steps", type=int, default=20, help="steps on the clock")
    parser.add_argument("--pictures", type=int, default=3)
    devices.add_arguments(parser)
    options = parser.parse_args(argv)
    options.tiny = options.base.startswith("tiny")
    if options.tiny:
        options.photo, options.picture, options.plans = 64, 64, [0]
        options.quantization = "none"
    return options


def measure(options: argparse.Namespace, memory_gib: float, device: Any) -> dict[str, Any]:
    """The figures of one plan."""
    from kindred.benchmarking.random_weights import SHAPES
    from kindred.benchmarking.sample_cost import sample_cost
    from kindred.specs.training import Recipe

    shape = SHAPES[options.base]
    return sample_cost(
        options.base,
        None if options.quantization == "none" else options.quantization,
        memory_gib,
        Recipe(rank=options.rank),
        (options.photo, options.picture, shape.tokens),
        options.sampling_steps or shape.drawing[0],
        device,
        (options.warm, options.steps, options.pictures),
    )


def main(argv: list[str] | None = None) -> int:
    """Measure, print and write."""
    options = parse(argv)
    name = devices.acquire_device(options.device)
    if name == "cpu" and not options.tiny:
        print("samples measures a GPU and there is none here; --base tiny --device cpu tries it")
        return 0
    device = devices.prepare(name, options.threads)
    rows: list[dict[str, Any]] = []
    print("| " + " | ".join(COLUMNS) + " |\n" + "|---" * len(COLUMNS) + "|", flush=True)
    for memory_gib in options.plans:
        found = measure(options, memory_gib, device)
        rows.append({"memory_gib": memory_gib, **found})
        told = [found[key] for key in ("step_s", "keep_s", "picture_s", "beside_s", "later_s")]
        cells = [f"{memory_gib:g} GiB", *(f"{value:.3f}" for value in told)]
        print("| " + " | ".join([*cells, f"{found['share_at_250']:.1%}"]) + " |", flush=True)
        if options.out:
            write_json(options.out, {"base": options.base, "rows": rows})
    return 0


if __name__ == "__main__":
    run_main(main)
