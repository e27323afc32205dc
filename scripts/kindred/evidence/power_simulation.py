"""Made-up results with a known difference, to see how often verdicts are right.

Knows chances and noise; knows nothing of statistics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class World:
    """Two variants' successes. Spreads are in logits: of runs; of prompts, and of prompts between
    the variants; of single pictures (a prompt with a seed), which all runs share."""

    share: float = 0.5
    difference: float = 0.0
    run_sd: float = 0.4
    prompt_sd: float = 0.7
    prompt_arm_sd: float = 0.2
    picture_sd: float = 0.5


def simulate(
    world: World, runs: int, prompts: int, seeds: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(a [R, N], b [R, N], prompt of each picture [N]) with N = prompts x seeds; values 0 and 1.

    The shares of a and b are `share` + and - half of `difference`, on average over everything.
    """
    of_prompt = np.repeat(np.arange(prompts), seeds)
    shared = rng.normal(0, world.prompt_sd, prompts)[of_prompt]
    shared = shared + rng.normal(0, world.picture_sd, prompts * seeds)
    arms = []
    for sign in (1, -1):
        own = rng.normal(0, world.prompt_arm_sd, prompts)[of_prompt]
        run = rng.normal(0, world.run_sd, (runs, 1))
        logit = _centre(world, world.share + sign * world.difference / 2) + shared + own + run
        arms.append((rng.random(logit.shape) < 1 / (1 + np.exp(-logit))).astype(float))
    return arms[0], arms[1], of_prompt


def _centre(world: World, share: float) -> float:
    """The logit whose chance is `share` on average over all noise."""
    spread = (
        world.run_sd**2 + world.prompt_sd**2 + world.prompt_arm_sd**2 + world.picture_sd**2
    ) ** 0.5
    points, weights = np.polynomial.hermite_e.hermegauss(41)
    low, high = -12.0, 12.0
    for _ in range(60):
        middle = (low + high) / 2
        mean = (weights / (1 + np.exp(-(middle + spread * points)))).sum() / weights.sum()
        low, high = (middle, high) if mean < share else (low, middle)
    return (low + high) / 2
