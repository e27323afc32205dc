"""What designs find, as computed beforehand and as simulated.

Prints for designs of MEASURES' kind the difference that is computed to be found in 80 %, beyond 0
and beyond a margin of 10 points, and the one that made-up experiments of the same model, decided by
the intervals that verdicts use, find in 80 %; then how often "no difference larger than 10 (15)
points" is shown, and what several families find.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from scipy.special import ndtri

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from kindred.evidence.design_variance import Design, forecast
from kindred.evidence.intervals import Arm, difference
from kindred.evidence.power import POWER, Reach, found_over_families
from kindred.evidence.power_simulation import Size, World, simulate
from kindred.evidence.variance import Sample

MARGIN = 0.10
EQUIVALENCE_LEVEL = 0.90
MEAN = World(share=0.55)
WIDE = World(share=0.55, run_sd=0.3, run_cast_sd=0.75, prompt_arm_sd=0.9)
LAYOUTS = (
    ("trio only, 24 prompts x 8", Size((0, 0), 24, 8), MEAN),
    ("12 casts x 8 x 2", Size((0, 0), 8, 2, 12), MEAN),
    ("12 casts x 4 x 4", Size((0, 0), 4, 4, 12), MEAN),
    ("12 casts x 4 x 4, wide", Size((0, 0), 4, 4, 12), WIDE),
    ("12 casts x 8 x 4", Size((0, 0), 8, 4, 12), MEAN),
)


def intervals_of(world: World, size: Size, trials: int, level: float) -> np.ndarray:
    """Intervals [trials, 2] of made-up experiments."""
    rng = np.random.default_rng(1)
    sample = Sample(size.of_prompt, size.of_cast if size.casts > 1 else None, macro=True)
    found = []
    for _ in range(trials):
        a, b = simulate(world, size, rng)
        found.append(difference(Arm(a), Arm(b), sample, share=True).interval(level))
    return np.array(found)


def at(world: World, truth: float) -> World:
    """The world with a true difference, its shares kept between 1 and 99 %."""
    share = min(max(world.share, truth / 2 + 0.01), 0.99 - truth / 2)
    return replace(world, share=share, difference=truth)


def simulated(world: World, size: Size, margin: float, near: float, trials: int) -> float:
    """The true difference that is found in POWER of trials, between two simulated near it."""
    truths = np.array([near - 0.03, near + 0.03])
    shares = [
        (intervals_of(at(world, truth), size, trials, 0.95)[:, 0] > margin).mean()
        for truth in truths
    ]
    low, high = ndtri(np.clip(shares, 0.005, 0.995))
    return float(truths[0] + (ndtri(POWER) - low) / (high - low) * 0.06)


def compare(name: str, size: Size, world: World, runs: int, trials: int) -> None:
    """Print one line: a layout with so many runs an arm."""
    size = replace(size, runs=(runs, runs))
    design = Design(size.runs, (size.prompts,) * size.casts, size.seeds, macro=True)
    reach = Reach(partial(_forecast, world), design, largest=0.96)
    texts = []
    for margin in (0.0, MARGIN):
        near = reach.smallest(margin)
        found = simulated(world, size, margin, near, trials) if near else float("nan")
        texts.append(f"{100 * (near or float('nan')):5.1f} {100 * found:5.1f}")
    ends = intervals_of(world, size, trials, EQUIVALENCE_LEVEL)
    for most in (0.10, 0.15):
        shown = (np.abs(ends) < most).all(1).mean()
        texts.append(f"{100 * reach.within(most):5.0f} {100 * shown:5.0f}")
    print(f"{name:28} {runs:4} | " + " | ".join(texts), flush=True)


def _forecast(world: World, design: Design, truth: float):
    return forecast(design, at(world, truth))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=400)
    options = parser.parse_args()
    print("computed and simulated: points found in 80 %, beyond 0 and beyond 10; 'no difference")
    print("larger than 10' and 'than 15' shown, in % of experiments without one")
    for name, size, world in LAYOUTS:
        for runs in (2, 3, 5, 10):
            compare(name, size, world, runs, options.trials)
    print("families as the unit: points found in 80 % with 1, 2, 3 runs an arm in each family")
    print("(SD of a run's mean 6 points, of prompts 3), at an SD of the effect of 5, 10, 15 points")
    for families in (2, 3, 6, 10):
        found = [
            " / ".join(
                f"{100 * found_over_families(families, sd, 0.06, 0.03, runs):.0f}"
                for runs in (1, 2, 3)
            )
            for sd in (0.05, 0.10, 0.15)
        ]
        print(f"{families:9} | " + " | ".join(found))


if __name__ == "__main__":
    main()
