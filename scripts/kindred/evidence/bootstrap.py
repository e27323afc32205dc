"""Intervals for means over runs, prompts and seeds, and for differences of two variants.

Knows arrays of values; knows nothing of what they measure. The training run is the unit: pictures
of one run resemble each other, and so do pictures of one prompt. Both are resampled, crossed
("pigeonhole bootstrap", Owen 2007, arXiv 0712.1111). Two arms are paired on prompt and seed: the
same draw of prompts serves both; their runs are drawn independently.

Resampling n groups has (n - 1)/n of the right variance and a normal's tails, too narrow for few
(Cameron, Gelbach and Miller 2008, "Bootstrap-based improvements for inference with clustered
errors"). So deviations are scaled by sqrt(n/(n-1)), and by Student's t over the normal quantile.
`benchmarks/verdicts.py` measures what that gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtri, stdtrit

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
class BootstrapEstimate:
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


def bootstrap_mean(
    arm: Arm, prompts: np.ndarray, draws: int, share: bool = False
) -> BootstrapEstimate:
    """The mean of one arm. `prompts` [N]: which prompt a picture is of. `share`: values are 0/1."""
    return _bootstrap([arm], [1], prompts, draws, _same, share)


def bootstrap_difference(
    a: Arm, b: Arm, prompts: np.ndarray, draws: int, share: bool = False
) -> BootstrapEstimate:
    """Mean of `a` minus mean of `b` over the pictures that both have; see `paired`."""
    return _bootstrap([a, b], [1, -1], prompts, draws, _same, share)


def ratio(above: BootstrapEstimate, below: BootstrapEstimate) -> BootstrapEstimate:
    """One mean over another, each over pictures of its own, with as many draws; raises ValueError
    unless the latter is above 0. Deviations are carried over to first order (the delta method), so
    that no draw of `below` near 0 blows one up; what was resampled is told of `above`. Prompts that
    both have are drawn for each by itself, which is never too sure where they are hard for both."""
    if below.value <= 0:
        raise ValueError(f"no ratio to a mean of {below.value:g}")
    # Equal streams drew both arms, so their deviations would go together.
    other = np.random.default_rng([SEED, 8]).permutation(below.draws)
    value = above.value / below.value
    deviation = (above.draws - above.value) - value * (other - below.value)
    return BootstrapEstimate(value, value + deviation / below.value, above.resampled)


def bootstrap_odds_ratio(a: Arm, b: Arm, prompts: np.ndarray, draws: int) -> BootstrapEstimate:
    """Odds of `a` over odds of `b`, half a success and half a failure added to each arm
    (Haldane 1956), so that it is finite."""
    drawn = _bootstrap([a, b], [1, -1], prompts, draws, _log_odds, False)
    return BootstrapEstimate(float(np.exp(drawn.value)), np.exp(drawn.draws), drawn.resampled)


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
        needed = stdtrit(2 * runs - 2, (1 + LEVEL) / 2) + ndtri(power)
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
    variance = float(bootstrap_difference(*fixed, prompts, draws).draws.var())
    groups = len(np.unique(_items(prompts)[0]))
    return variance / _student(groups - 1) ** 2 if groups > 1 else 0.0


def _items(prompts: np.ndarray) -> tuple[np.ndarray, str]:
    """What is resampled beside runs: [N] numbers from 0, and its name."""
    names, items = np.unique(prompts, return_inverse=True)
    if len(names) >= FEWEST_PROMPTS:
        return items, "prompts"
    return np.arange(len(prompts)), "pictures"


def _bootstrap(
    arms: Sequence[Arm],
    signs: Sequence[int],
    prompts: np.ndarray,
    draws: int,
    of_mean: Callable[[np.ndarray, int], np.ndarray],
    share: bool,
) -> BootstrapEstimate:
    """Sum of the arms' `of_mean`, each with its sign. Deviations when the runs of each arm, and
    when items, are drawn anew add up; each is scaled for the number of its groups, and their sum
    by t over normal with Welch's and Satterthwaite's degrees of freedom."""
    items, resampled = _items(prompts)
    totals = [_totals(arm.values, items) for arm in arms]
    sizes = [int(np.isfinite(arm.values).sum()) for arm in arms]

    def of(n: int, runs: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        total, count = totals[n]
        above = ((runs @ total) * drawn).sum(1)
        below = ((runs @ count) * drawn).sum(1)
        means = np.divide(above, below, out=np.full(len(above), arms[n].mean), where=below > 0)
        return signs[n] * of_mean(means, sizes[n])

    number = int(items.max()) + 1
    all_runs = [np.ones((1, len(arm.values))) for arm in arms]
    all_items = np.ones((1, number))
    values = [of(n, all_runs[n], all_items)[0] for n in range(len(arms))]
    value = float(sum(values))
    parts: list[tuple[np.ndarray, int]] = []
    for n, arm in enumerate(arms):
        runs = len(arm.values)
        if not arm.fixed and runs > 1:
            parts.append((of(n, _weights(runs, draws, 1 + n), all_items) - values[n], runs))
    if number > 1:
        drawn = _weights(number, draws, 0)
        parts.append((sum(of(n, all_runs[n], drawn) for n in range(len(arms))) - value, number))
    wide = value + _widened(parts, draws)
    return BootstrapEstimate(value, _no_surer(wide, arms) if share else wide, resampled)


def _totals(values: np.ndarray, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums and counts [R, items] of known values [R, N]."""
    known = np.isfinite(values)
    member = np.zeros((len(items), int(items.max()) + 1))
    member[np.arange(len(items)), items] = 1
    return np.where(known, values, 0.0) @ member, known.astype(float) @ member


@lru_cache(maxsize=64)
def _weights(number: int, draws: int, stream: int) -> np.ndarray:
    """How often each of `number` groups is drawn, [B, number]; the same at every call."""
    rng = np.random.default_rng([SEED, stream])
    return rng.multinomial(number, np.full(number, 1 / number), size=draws).astype(float)


def _widened(parts: Sequence[tuple[np.ndarray, int]], draws: int) -> np.ndarray:
    """Sum [B] of deviations (each [B], with the number of its groups), widened."""
    scaled = [((n / (n - 1)) ** 0.5 * part, n - 1) for part, n in parts]
    variances = [(float(part.var()), freedom) for part, freedom in scaled]
    total = sum(variance for variance, _ in variances)
    if not total:
        return np.zeros(draws)
    freedom = total**2 / sum(variance**2 / freedom for variance, freedom in variances)
    return _student(freedom) * sum(part for part, _ in scaled)


def _student(freedom: float) -> float:
    """Quantile of Student's t over the normal one."""
    tail = (1 + LEVEL) / 2
    return float(stdtrit(freedom, tail) / ndtri(tail))


def _no_surer(draws: np.ndarray, arms: Sequence[Arm]) -> np.ndarray:
    """Draws of a share, or of a difference of shares, at least as wide as that many independent
    pictures would give (Agresti and Caffo 2000); it matters where all pictures are alike."""
    lacking = sum(_share_variance(arm.values) for arm in arms) - float(draws.var())
    if lacking > 0:
        noise = np.random.default_rng([SEED, 9]).standard_normal(len(draws))
        draws = draws + lacking**0.5 * noise
    lowest = -1.0 if len(arms) > 1 else 0.0
    return draws.clip(lowest, 1.0)


def _share_variance(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    share = (known.sum() + 1) / (len(known) + 2)
    return float(share * (1 - share) / (len(known) + 2))


def _same(mean: np.ndarray, pictures: int) -> np.ndarray:
    return mean


def _log_odds(share: np.ndarray, pictures: int) -> np.ndarray:
    return np.log((share * pictures + 0.5) / ((1 - share) * pictures + 0.5))


def _row_means(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known, values, 0).sum(1) / known.sum(1)


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
