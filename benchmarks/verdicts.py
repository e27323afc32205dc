"""How often verdicts are right on made-up results, and how long the statistics take.

Prints, for several numbers of runs: how often an interval claims a difference that isn't there
(margin 0, so the nominal share is 2.5 %), how often it misses the true difference on either side,
and how often a planted difference of 0.3 is found beyond the margin of 0.10.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from kindred.simulation import World, simulate
from kindred.statistics import Arm, bootstrap_difference

MARGIN = 0.10


def rates(world: World, runs: int, prompts: int, seeds: int, trials: int) -> dict[str, float]:
    """Shares of trials: gain claimed (above 0), supported (above MARGIN), interval misses truth."""
    rng = np.random.default_rng(runs)
    gain = supported = missed = 0
    width = 0.0
    for _ in range(trials):
        a, b, of_prompt = simulate(world, runs, prompts, seeds, rng)
        drawn = bootstrap_difference(Arm(a), Arm(b), of_prompt, 1000, share=True)
        low, high = drawn.interval()
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--run-sd", type=float, default=World.run_sd, help="logits")
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


if __name__ == "__main__":
    main()
