"""How often verdicts are right on made-up results, and how long the statistics take.

Prints, for several numbers of runs: how often an interval claims a difference that isn't there
(margin 0, so the nominal share is 2.5 %), how often it misses the true difference on either side,
and how often a planted difference of 0.3 is found beyond the margin of 0.10.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from kindred.evidence.intervals import Arm, difference
from kindred.evidence.power_simulation import Size, World, simulate
from kindred.evidence.variance import Sample

MARGIN = 0.10


def rates(world: World, runs: int, prompts: int, seeds: int, trials: int) -> dict[str, float]:
    """Shares of trials: gain claimed (above 0), supported (above MARGIN), interval misses truth."""
    rng, size = np.random.default_rng(runs), Size((runs, runs), prompts, seeds)
    gain = supported = missed = 0
    width = 0.0
    for _ in range(trials):
        a, b = simulate(world, size, rng)
        low, high = difference(Arm(a), Arm(b), Sample(size.of_prompt), share=True).interval()
        gain += low > 0
        supported += low > MARGIN
        missed += not low <= world.difference <= high
        width += high - low
    return {
        "gain": gain / trials,
        "supported": supported / trials,
        "missed": missed / trials,
        "width": width / trials,
    }


def whole(runs: int = 10, seeds: int = 8) -> None:
    """Time comparing 40 variants x 10 runs x 24 prompts x 8 seeds, from score files to verdicts."""
    import synthetic

    trio = {f"t{n}": f"JRussell, ARussell and CRussell, picture {n}" for n in range(16)}
    arms = {f"v{n:02d}": synthetic.Arm(group=0.4 + 0.01 * n) for n in range(40)}
    hypotheses = {
        name: synthetic.Hypothesis(claim="x", variant=name, against="v00", prompt_set="trio")
        for name in list(arms)[1:]
    }
    with tempfile.TemporaryDirectory() as folder:
        made = synthetic.make(
            Path(folder),
            arms,
            runs,
            tuple(range(1, seeds + 1)),
            {**synthetic.PROMPTS, "trio": trio},
            hypotheses,
            pictures=False,
        )
        start = time.monotonic()
        with contextlib.redirect_stderr(io.StringIO()):
            synthetic.compared(made)
        seconds = time.monotonic() - start
    prompts = sum(map(len, made.spec.prompt_sets.values()))
    print(
        f"statistics: {len(arms)} variants x {runs} runs x {prompts} prompts x {seeds} seeds, "
        f"{len(hypotheses)} hypotheses in {seconds:.1f} s (target 30)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--run-sd", type=float, default=World.run_sd, help="logits")
    parser.add_argument("--whole", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    print(f"{options.trials} trials a line; spread of runs {options.run_sd} logits")
    print(
        "runs prompts seeds | no difference: gain claimed, supported, missed, width |"
        " 0.3 planted: supported, missed"
    )
    for runs, prompts, seeds in (
        (1, 24, 8),
        (2, 24, 8),
        (3, 24, 8),
        (5, 24, 8),
        (10, 24, 8),
        (10, 6, 8),
        (3, 3, 8),
    ):
        none = rates(World(run_sd=options.run_sd), runs, prompts, seeds, options.trials)
        some = rates(
            World(difference=0.3, run_sd=options.run_sd), runs, prompts, seeds, options.trials
        )
        print(
            f"{runs:4} {prompts:7} {seeds:5} | {none['gain']:.3f} {none['supported']:.3f}"
            f" {none['missed']:.3f} {none['width']:.2f} | {some['supported']:.3f}"
            f" {some['missed']:.3f}",
            flush=True,
        )
    if options.whole:
        whole()


if __name__ == "__main__":
    main()
