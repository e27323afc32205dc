"""A training step and a picture of a known base at full size, with random weights: time, memory,
and the share of the arithmetic floor. Needs a GPU, no download and little main memory.

    python benchmarks/step.py --base klein-4b --out results/step.json
    python benchmarks/step.py --base klein-4b --diffusers ~/diffusers   its script too, same run
    python benchmarks/step.py --base klein-4b --render                  pictures, not training steps
    python benchmarks/step.py --base tiny-klein --device cpu            tries the program itself

Figures are written as they come: a run that is stopped keeps what it has. Machines differ in their
processors, so compare figures of one run only.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
sys.path.insert(0, str(SCRIPTS))

from kindred.common.amounts import gib  # noqa: E402
from kindred.common.errors import run_main  # noqa: E402
from kindred.common.files import read_json, write_json  # noqa: E402
from kindred.compute import devices  # noqa: E402

LIBRARIES = ("torch", "diffusers", "transformers", "peft", "bitsandbytes", "accelerate")
BASES = (
    *("flux-dev", "klein-4b", "klein-9b", "z-image", "krea-2"),
    *("tiny", "tiny-klein", "tiny-z-image", "tiny-krea-2"),
)
COLUMNS = ("px", "set-up", "median ms", "least ms", "peak GiB", "process GiB", "x floor")
Rows = list[dict[str, Any]]


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base", default="flux-dev", choices=BASES)
    parser.add_argument("--out", type=Path, help="JSON file of all figures")
    parser.add_argument("--resolutions", type=int, nargs="+", metavar="PX")
    parser.add_argument(
        "--precisions",
        nargs="+",
        default=["nf4", "bf16"],
        choices=["nf4", "nf4-double", "int8", "bf16"],
    )
    parser.add_argument("--rank", type=int, default=4)
    parser.add_argument("--targets", default="attention")
    parser.add_argument(
        "--optimizer",
        default="adamw",
        choices=["adamw", "adamw8bit"],
        help="of our steps: adamw is one fused kernel (default), adamw8bit one a tensor",
    )
    parser.add_argument("--text-tokens", type=int)
    parser.add_argument("--warm", type=int, default=3, help="steps before the clock runs")
    parser.add_argument(
        "--steps", type=int, default=20, help="steps on the clock; a fifth of them of pictures"
    )
    parser.add_argument(
        "--plans",
        type=gib("--plans"),
        nargs="*",
        metavar="GIB",
        help="the trainer's own plans for cards of so many GiB",
    )
    parser.add_argument("--plans-only", action="store_true", help="leave fixed set-ups out")
    parser.add_argument("--no-compile", action="store_true", help="leave compiled set-ups out")
    parser.add_argument("--diffusers", type=Path, help="checkout whose script is timed too")
    parser.add_argument("--render", action="store_true", help="pictures, not training steps")
    parser.add_argument("--sampling-steps", type=int, help="the base's own when unset")
    devices.add_arguments(parser)
    options = parser.parse_args(argv)
    options.tiny = options.base.startswith("tiny")
    usual = [1024] if options.render else [512, 1024]
    options.plans = (
        ([] if options.tiny else [6, 8, 11, 24]) if options.plans is None else options.plans
    )
    options.resolutions = options.resolutions or ([64] if options.tiny else usual)
    return options


def text_tokens(options: argparse.Namespace) -> int:
    """Of every text: those asked for, or as many as are usual with the base."""
    from kindred.benchmarking.random_weights import SHAPES

    found: int = options.text_tokens or SHAPES[options.base].tokens
    return found


def about(device: Any, rate: float) -> dict[str, Any]:
    """Machine and versions."""
    import torch

    cuda = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if cuda else platform.processor() or "cpu",
        "memory_gib": torch.cuda.get_device_properties(device).total_memory / 2**30
        if cuda
        else None,
        "cuda": torch.version.cuda,
        "tflops": rate / 1e12,
        "versions": {name: metadata.version(name) for name in LIBRARIES},
    }


def set_ups(options: argparse.Namespace, cuda: bool) -> list[Any]:
    """What is measured at every resolution; steps are recorded on a GPU alone."""
    from kindred.benchmarking.train_step_speed import SetUp

    compiles = [False] if options.no_compile else [False, True]
    names = [None if name == "bf16" else name for name in options.precisions]
    plain = [SetUp(q, again, c) for q in names for c in compiles for again in (True, False)]
    plans = [(q, gib) for q in names for gib in options.plans]
    recorded = [False] if not cuda else [True] if options.plans_only else [False, True]
    both = [SetUp(q, False, compiles[-1], gib, how) for q, gib in plans for how in recorded]
    return plain * (not options.plans_only) + both


def training_cases(options: argparse.Namespace, device: Any) -> Iterator[tuple[str, int, Any, int]]:
    """(set-up, resolution, what measures it, passes of the floor) of every case. A plan's floor is
    that without checkpointing."""
    from kindred.benchmarking.train_step_speed import train_steps
    from kindred.compute import roofline
    from kindred.specs.training import Recipe

    recipe = Recipe(rank=options.rank, targets=options.targets, optimizer=options.optimizer)
    for resolution in options.resolutions:
        if options.diffusers:
            name = "diffusers' script (nf4 + checkpointing)"
            yield name, resolution, reference(options, resolution), roofline.CHECKPOINTED
        for setup in set_ups(options, device.type == "cuda"):
            passes = roofline.CHECKPOINTED if setup.checkpointing else roofline.TRAINING
            sizes = (options.base, resolution, text_tokens(options))
            counts = (options.warm, options.steps)
            measure = partial(train_steps, setup, *sizes, recipe, device, *counts)
            yield setup.name, resolution, measure, passes


def reference(options: argparse.Namespace, resolution: int) -> Callable[[], dict[str, Any]]:
    """Times diffusers' script in a process of its own."""

    def measure() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "figures.json"
            asked = {
                "diffusers": options.diffusers.resolve(),
                "out": out,
                "device": "cpu" if options.device == "cpu" else "cuda",
                "base": options.base,
                "resolution": resolution,
                "text-tokens": text_tokens(options),
                "rank": options.rank,
                "targets": options.targets,
                "warm": options.warm,
                "steps": options.steps,
            }
            command = [sys.executable, "-m", "kindred.benchmarking.diffusers_reference"]
            command += [f"--{name}={value}" for name, value in asked.items()]
            done = subprocess.run(command, cwd=SCRIPTS, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(done.stderr.strip().splitlines()[-1])
            return read_json(out)

    return measure


def measured(options: argparse.Namespace, device: Any, rate: float) -> Iterator[dict[str, Any]]:
    """A row of figures for every case; what fails has its error in place of figures."""
    from kindred.benchmarking import random_weights
    from kindred.compute import roofline

    shape = random_weights.SHAPES[options.base]
    layout = shape.layout

    def seconds(resolution: int, passes: int) -> float:
        tokens = (resolution // shape.known.size_multiple) ** 2
        return roofline.operations(layout, tokens, text_tokens(options), passes) / rate

    if options.render:
        yield from drawn(options, device, seconds)
        return
    for name, resolution, measure, passes in training_cases(options, device):
        row = {"set-up": name, "resolution": resolution, "floor_s": seconds(resolution, passes)}
        try:
            yield row | measure()
        except Exception as error:  # out of memory, or no compiler: the next set-up may do
            yield row | {"error": f"{type(error).__name__}: {str(error).strip()[:300]}"}


def drawn(options: argparse.Namespace, device: Any, seconds: Any) -> Iterator[dict[str, Any]]:
    """A row for every way of drawing a picture."""
    from kindred.benchmarking import random_weights
    from kindred.benchmarking.render_speed import pictures

    base = random_weights.SHAPES[options.base]
    steps = options.sampling_steps or base.drawing[0]
    passes = steps * base.passes
    for resolution in options.resolutions:
        floor_s = seconds(resolution, passes)
        for precision in options.precisions:
            row = {"resolution": resolution, "floor_s": floor_s}
            try:
                ways = pictures(
                    None if precision == "bf16" else precision,
                    options.base,
                    resolution,
                    text_tokens(options),
                    steps,
                    device,
                    max(1, options.steps // 5),
                    not options.no_compile,
                )
                for name, figures in ways:
                    yield row | {"set-up": f"{precision}, {name}"} | figures
            except Exception as error:
                yield row | {"set-up": precision, "error": f"{type(error).__name__}: {error}"}


def line(row: dict[str, Any]) -> str:
    """A row of the table, in Markdown."""
    if "error" in row:
        return f"| {row['resolution']} | {row['set-up']} | {row['error']} | | | | |"
    cells = [
        row["resolution"],
        row["set-up"],
        f"{1000 * row['median_s']:.0f}",
        f"{1000 * row['least_s']:.0f}",
        *("–" if gib is None else f"{gib:.1f}" for gib in (row["peak_gib"], row["process_gib"])),
        f"{row['median_s'] / row['floor_s']:.2f}",
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def main(argv: list[str] | None = None) -> int:
    """Measure, print and write."""
    options = parse(argv)
    name = devices.acquire_device(options.device)
    if name == "cpu" and not options.tiny:
        print("step measures a GPU and there is none here; --base tiny --device cpu tries it")
        return 0
    device = devices.prepare(name, options.threads)
    from kindred.compute import roofline

    rate = roofline.rate(device, 256 if options.tiny else 8192)
    report: dict[str, Any] = {"about": about(device, rate), "rows": []}
    print(f"{report['about']['device']}, {rate / 1e12:.0f} TFLOP/s in one large product")
    print("| " + " | ".join(COLUMNS) + " |\n" + "|---" * len(COLUMNS) + "|", flush=True)
    for row in measured(options, device, rate):
        report["rows"].append(row)
        print(line(row), flush=True)
        if options.out:
            write_json(options.out, report)
    return 0


if __name__ == "__main__":
    run_main(main)
