"""Made-up results with a known difference, to see how often verdicts are right.

Knows chances and noise; knows nothing of statistics. The logit of a picture's chance is

    arm + run + run x cast + prompt + prompt x arm + run x prompt + picture,

all but the arm normal. The spreads were fitted to the published experiments, whose successes spread
over runs by .04 (means of 3 to 15 %), .11, .12, .05 and .04 (85 to 97 %), where this gives .04,
.09, .11, .09 and .04.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np


@dataclass(frozen=True)
class World:
    """Two variants' successes. Spreads are in logits: of runs; of runs between casts; of prompts,
    of prompts between the variants and between the runs; of single pictures (a prompt with a seed),
    which all runs share."""

    share: float = 0.5
    difference: float = 0.0
    run_sd: float = 0.15
    run_cast_sd: float = 0.55
    prompt_sd: float = 0.65
    prompt_arm_sd: float = 0.6
    run_prompt_sd: float = 0.4
    picture_sd: float = 0.3

    @property
    def spread(self) -> float:
        """Standard deviation in logits of everything together."""
        squares = (self.run_sd, self.run_cast_sd, self.prompt_sd, self.prompt_arm_sd)
        return sum(sd**2 for sd in (*squares, self.run_prompt_sd, self.picture_sd)) ** 0.5


@dataclass(frozen=True)
class Size:
    """How much is drawn: runs of either arm, casts, prompts a cast, seeds a prompt."""

    runs: tuple[int, int]
    prompts: int
    seeds: int
    casts: int = 1

    @property
    def of_prompt(self) -> np.ndarray:
        """Which prompt each picture [N] is of."""
        return np.repeat(np.arange(self.casts * self.prompts), self.seeds)

    @property
    def of_cast(self) -> np.ndarray:
        """Which cast each picture [N] is of."""
        return np.repeat(np.arange(self.casts), self.prompts * self.seeds)


def simulate(world: World, size: Size, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(a [R, N], b [R, N]), N = casts x prompts x seeds; values 0 and 1.

    The shares of a and b are `share` + and - half of `difference`, on average over everything.
    """
    cast, prompt = size.of_cast, size.of_prompt
    prompts = size.casts * size.prompts
    shared = rng.normal(0, world.prompt_sd, prompts)[prompt]
    shared = shared + rng.normal(0, world.picture_sd, len(prompt))
    arms = []
    for sign, runs in zip((1, -1), size.runs, strict=True):
        own = rng.normal(0, world.prompt_arm_sd, prompts)[prompt]
        run = rng.normal(0, world.run_sd, (runs, 1))
        run = run + rng.normal(0, world.run_cast_sd, (runs, size.casts))[:, cast]
        run = run + rng.normal(0, world.run_prompt_sd, (runs, prompts))[:, prompt]
        logit = _centre(world, world.share + sign * world.difference / 2) + shared + own + run
        arms.append((rng.random(logit.shape) < 1 / (1 + np.exp(-logit))).astype(float))
    return arms[0], arms[1]


@lru_cache(maxsize=64)
def _centre(world: World, share: float) -> float:
    """The logit whose chance is `share` on average over all noise."""
    points, weights = np.polynomial.hermite_e.hermegauss(61)
    low, high = -14.0, 14.0
    for _ in range(60):
        middle = (low + high) / 2
        chance = weights / (1 + np.exp(-(middle + world.spread * points)))
        low, high = (middle, high) if chance.sum() / weights.sum() < share else (low, middle)
    return (low + high) / 2
