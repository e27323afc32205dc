"""Intervals for means over runs, prompts and seeds, and for differences of two variants.

Knows arrays of values; knows nothing of what they measure. The training run is the unit: pictures
of one run resemble each other, and so do pictures of one prompt. Both are resampled, crossed
("pigeonhole bootstrap", Owen 2007, arXiv 0712.1111). Two arms are paired on prompt and seed: the
same draw of prompts serves both; their runs are drawn independently.

A bootstrap of few groups is too narrow: resampling n of them has (n - 1)/n of the right variance,
and its tails are a normal's. So deviations are widened by sqrt(n/(n-1)) and by Student's t over
the normal quantile (Cameron, Gelbach and Miller 2008, "Bootstrap-based improvements for inference
with clustered errors", on how badly few groups do otherwise). `benchmarks/verdicts.py` measures
what that gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats

LEVEL = 0.95
FEWEST_PROMPTS = 5  # with fewer, prompts are taken as given and their pictures are resampled
SEED = 20_260_101


@dataclass(frozen=True)
class Arm:
    """Values [R, N] of R runs and N pictures (a prompt with a seed), NaN where there is none.
    `fixed`: nothing was trained, so there is no spread between runs to allow for."""

    values: np.ndarray
    fixed: bool = False

    @property
    def mean(self) -> float:
        """Mean of all values."""
        return _mean(self.values)


@dataclass(frozen=True)
class Draws:
    """An estimate with its bootstrap draws [B], widened, and what was resampled."""

    value: float
    draws: np.ndarray
    resampled: str

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Percentile interval."""
        tail = (1 - level) / 2
        low, high = np.quantile(self.draws, [tail, 1 - tail])
        return float(low), float(high)

    def p_below(self, bound: float) -> float:
        """One-sided p of 'not above `bound`', never 0 (Davison and Hinkley 1997, eq. 4.11)."""
        return float((1 + (self.draws <= bound).sum()) / (1 + len(self.draws)))

    def p_above(self, bound: float) -> float:
        """One-sided p of 'not below `bound`'."""
        return float((1 + (self.draws >= bound).sum()) / (1 + len(self.draws)))


def paired(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Which pictures [N] both arms have in some run."""
    return ~np.isnan(a).all(0) & ~np.isnan(b).all(0)


def bootstrap_mean(arm: Arm, prompts: np.ndarray, draws: int, share: bool = False) -> Draws:
    """The mean of one arm. `prompts` [N]: which prompt a picture is of. `share`: values are 0/1."""
    items, resampled = _items(prompts)
    mean = _resampled_means(arm, items, draws, 0)
    return _widened(arm.mean, mean, [arm], items, share, resampled)


def bootstrap_difference(
    a: Arm, b: Arm, prompts: np.ndarray, draws: int, share: bool = False
) -> Draws:
    """Mean of `a` minus mean of `b` over the pictures that both have; see `paired`."""
    items, resampled = _items(prompts)
    drawn = _resampled_means(a, items, draws, 0) - _resampled_means(b, items, draws, 1)
    return _widened(a.mean - b.mean, drawn, [a, b], items, share, resampled)


def bootstrap_odds_ratio(a: Arm, b: Arm, prompts: np.ndarray, draws: int) -> Draws:
    """Odds of `a` over odds of `b`, half a success and half a failure added to each arm
    (Haldane 1956), so that it is finite."""
    items, resampled = _items(prompts)
    logs = [
        _log_odds(_resampled_means(arm, items, draws, which), np.isfinite(arm.values).sum())
        for which, arm in enumerate((a, b))
    ]
    value = _log_odds(np.array(a.mean), np.isfinite(a.values).sum()) - _log_odds(
        np.array(b.mean), np.isfinite(b.values).sum()
    )
    drawn = _widened(float(value), logs[0] - logs[1], [a, b], items, False, resampled)
    return Draws(float(np.exp(value)), np.exp(drawn.draws), resampled)


def holm(p: Sequence[float]) -> list[float]:
    """p adjusted for their number (Holm 1979, "A simple sequentially rejective multiple test
    procedure")."""
    adjusted, largest = [0.0] * len(p), 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        largest = max(largest, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = largest
    return adjusted


def runs_to_decide(
    distance: float,
    between_runs: float,
    between_items: float,
    now: int,
    most: int = 100,
    power: float = 0.8,
) -> int | None:
    """Runs an arm with which an interval probably no longer holds the margin; None if not even
    `most` do.

    distance: of the estimate from the margin. between_runs: variance of one run's mean, both arms
    together. between_items: variance of the difference due to prompts, which more runs don't
    change. power: probability of a decision if the estimate is right.
    """
    for runs in range(max(2, now + 1), most + 1):
        spread = (between_runs / runs + between_items) ** 0.5
        needed = stats.t.ppf((1 + LEVEL) / 2, 2 * runs - 2) + stats.norm.ppf(power)
        if abs(distance) >= needed * spread:
            return runs
    return None


def run_variance(arm: Arm) -> float | None:
    """Variance of one run's mean, from at least two runs; 0 for a fixed arm, None if unknown."""
    if arm.fixed:
        return 0.0
    means = _row_means(arm.values)
    means = means[np.isfinite(means)]
    return float(np.var(means, ddof=1)) if len(means) > 1 else None


def item_variance(a: Arm, b: Arm, prompts: np.ndarray, draws: int) -> float:
    """Variance of the difference that is due to the choice of prompts (or pictures)."""
    fixed = Arm(a.values, True), Arm(b.values, True)
    return float(bootstrap_difference(*fixed, prompts, draws).draws.var())


def _items(prompts: np.ndarray) -> tuple[np.ndarray, str]:
    """What is resampled beside runs: [N] numbers from 0, and its name."""
    names, items = np.unique(prompts, return_inverse=True)
    if len(names) >= FEWEST_PROMPTS:
        return items, "prompts"
    return np.arange(len(prompts)), "pictures"


def _resampled_means(arm: Arm, items: np.ndarray, draws: int, which: int) -> np.ndarray:
    """Means [B] after resampling runs and items; `which` arm chooses the draw of its runs."""
    number = int(items.max()) + 1 if len(items) else 0
    known = np.isfinite(arm.values)
    member = np.zeros((len(items), number))
    member[np.arange(len(items)), items] = 1
    total = np.where(known, arm.values, 0.0) @ member
    count = known.astype(float) @ member
    runs = len(arm.values)
    weights = np.ones((1, runs)) if arm.fixed or runs == 1 else _weights(runs, draws, 1 + which)
    of_items = _weights(number, draws, 0)
    above = ((weights @ total) * of_items).sum(1)
    below = ((weights @ count) * of_items).sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = above / below
    return np.where(below > 0, means, arm.mean)


@lru_cache(maxsize=64)
def _weights(number: int, draws: int, stream: int) -> np.ndarray:
    """How often each of `number` groups is drawn, [B, number]; the same at every call."""
    rng = np.random.default_rng([SEED, stream])
    return rng.multinomial(number, np.full(number, 1 / number), size=draws).astype(float)


def _widened(
    value: float,
    draws: np.ndarray,
    arms: Sequence[Arm],
    items: np.ndarray,
    share: bool,
    resampled: str,
) -> Draws:
    """Deviations from the estimate, widened for few groups; and shares never surer than as many
    independent pictures would be (Agresti and Caffo 2000), which matters where all are alike."""
    factor = _few_groups(arms, len(np.unique(items)))
    wide = value + factor * (draws - value)
    if share:
        floor = sum(_share_variance(arm.values) for arm in arms)
        lacking = floor - float(wide.var())
        if lacking > 0:
            rng = np.random.default_rng([SEED, 9])
            wide = wide + lacking**0.5 * rng.standard_normal(len(wide))
    return Draws(value, wide, resampled)


def _few_groups(arms: Sequence[Arm], items: int) -> float:
    """By how much deviations are too small for the number of runs or of items, the worse."""
    runs = [len(arm.values) for arm in arms if not arm.fixed and len(arm.values) > 1]
    factors = [1.0]
    if runs:
        factors.append(_factor(min(runs), sum(runs) - len(runs)))
    if items > 1:
        factors.append(_factor(items, items - 1))
    return max(factors)


def _factor(groups: int, freedom: int) -> float:
    tail = (1 + LEVEL) / 2
    return (groups / (groups - 1)) ** 0.5 * float(stats.t.ppf(tail, freedom) / stats.norm.ppf(tail))


def _share_variance(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    share = (known.sum() + 1) / (len(known) + 2)
    return float(share * (1 - share) / (len(known) + 2))


def _log_odds(share: np.ndarray, pictures: int) -> np.ndarray:
    return np.log((share * pictures + 0.5) / ((1 - share) * pictures + 0.5))


def _row_means(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known, values, 0).sum(1) / known.sum(1)


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
