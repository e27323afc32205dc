"""Learning rate by step: warm-up, then constant, cosine or linear. Pure numbers."""

from __future__ import annotations

import math

from kindred.specs.training import Recipe


def learning_rate(step: int, recipe: Recipe) -> float:
    """The rate of optimizer step `step` (0-based).

    Warm-up rises linearly to `lr` over `warmup` steps; cosine and linear then fall towards 0,
    which they would reach at step `steps`.
    """
    if step < recipe.warmup:
        return recipe.lr * (step + 1) / recipe.warmup
    done = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    if recipe.schedule == "cosine":
        return recipe.lr * cosine(done)
    if recipe.schedule == "linear":
        return recipe.lr * (1 - done)
    return recipe.lr


def cosine(share: float, floor: float = 0.0) -> float:
    """Half a cosine from 1 at share 0 down to `floor` at 1, where it stays."""
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


def warmup_cosine(step: int, steps: int, warmup: int, floor: float = 0.0) -> float:
    """Factor of the learning rate: a linear warm-up, then half a cosine down to `floor`."""
    if step < warmup:
        return (step + 1) / warmup
    return cosine((step - warmup) / max(1, steps - warmup), floor)
