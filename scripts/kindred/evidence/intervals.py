"""Exact intervals for means over runs, prompts and pictures, and for differences of two variants.

Knows arrays of values; knows nothing of what they measure. An estimate is read as estimate +- t(nu)
sqrt(V), with t at the level at which the interval is read (variance.py gives V and nu). Two arms
are paired on prompt and seed: the same prompts serve both; runs are independent unless the arms
share adapters (`paired_runs`). Where nothing is spread, as when all pictures of both arms are
right, a share is no surer than as many independent pictures would make it (Agresti and Caffo 2000,
"Simple and effective confidence intervals for proportions").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtri, stdtr, stdtrit

from kindred.evidence.variance import CERTAIN, Part, Sample, parts_of, total

LEVEL = 0.95
Bounds = tuple[float, float]
UNBOUNDED: Bounds = (-np.inf, np.inf)
FARTHEST = 1e3  # standard deviations; no p differs from 0 so far out


@dataclass(frozen=True)
class Arm:
    """Values [R, N] of R runs and N pictures (a prompt with a seed), NaN where there is none.
    `fixed`: nothing was trained, so there is no spread between runs to allow for."""

    values: np.ndarray
    fixed: bool = False

    @property
    def mean(self) -> float:
        """Mean of all values."""
        known = self.values[np.isfinite(self.values)]
        return float(known.mean()) if len(known) else float("nan")

    @property
    def pictures(self) -> int:
        """How many values are known."""
        return int(np.isfinite(self.values).sum())


@dataclass(frozen=True)
class Share:
    """An arm's share with the variance of its error, which is skewed near 0 and 1: even in log
    odds. `share` lies between 0 and 1, two more successes and two more failures added (Agresti and
    Coull 1998)."""

    share: float
    variance: float

    def deviation(self, t: float, up: bool) -> float:
        """The standard deviation by which t of them reach as far as its log odds do."""
        half = t * self.variance**0.5
        if half <= 0:
            return self.variance**0.5
        log_odds = float(logit(self.share)), half / (self.share * (1 - self.share))
        end = float(expit(log_odds[0] + log_odds[1] * (1 if up else -1)))
        return abs(end - self.share) / t


@dataclass(frozen=True)
class Estimate:
    """A value with the variance and the degrees of freedom of its error; `resampled`: what beside
    runs is a sample of more ('prompts', or 'pictures' where prompts are few). `bounds`: where no
    interval can lie. `log`: value is above 0, and error is that of its logarithm. `shares`: of a
    share the arm's own, of a difference of shares both arms'."""

    value: float
    error: Part
    resampled: str
    bounds: Bounds = UNBOUNDED
    log: bool = False
    shares: tuple[Share, ...] = ()

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """The interval that holds the truth in a share `level` of cases, both tails alike."""
        t = float(stdtrit(self.error.freedom, (1 + level) / 2))
        centre, (lowest, highest) = self._scaled(self.value), self.bounds
        low, high = centre - self._reach(t, False), centre + self._reach(t, True)
        if self.log:
            low, high = float(np.exp(low)), float(np.exp(high))
        return max(lowest, low), min(highest, high)

    def p_below(self, bound: float) -> float:
        """One-sided p of 'not above `bound`'."""
        return float(stdtr(self.error.freedom, self._standardised(bound)))

    def p_above(self, bound: float) -> float:
        """One-sided p of 'not below `bound`'."""
        return float(stdtr(self.error.freedom, -self._standardised(bound)))

    def _reach(self, t: float, up: bool) -> float:
        """How far t standard deviations reach upwards or down. Of a difference of shares by the
        arms' own intervals, put together so that near 0 and 1 its tails are right too (Zou and
        Donner 2008, "Construction of confidence limits about effect measures: a general approach",
        eq. for correlated arms)."""
        if not self.shares:
            return t * self.error.variance**0.5
        first = self.shares[0].deviation(t, up)
        if len(self.shares) == 1:
            return t * first
        second = self.shares[1].deviation(t, not up)
        own = [one.variance for one in self.shares]
        together = (sum(own) - self.error.variance) / 2 / (own[0] * own[1]) ** 0.5
        squares = first**2 + second**2 - 2 * together * first * second
        return t * max(squares, 0.0) ** 0.5

    def _standardised(self, bound: float) -> float:
        """The signed number of standard deviations from the value to `bound`."""
        distance = self._scaled(bound) - self._scaled(self.value)
        if self.error.variance == 0:
            return float(np.inf if distance >= 0 else -np.inf)
        if not self.shares:
            return distance / self.error.variance**0.5
        low, high = 0.0, 1.0
        while high < FARTHEST and self._reach(high, distance > 0) < abs(distance):
            high *= 2
        for _ in range(50):
            middle = (low + high) / 2
            short = self._reach(middle, distance > 0) < abs(distance)
            low, high = (middle, high) if short else (low, middle)
        return float(np.copysign(high, distance))

    def _scaled(self, value: float) -> float:
        if not self.log:
            return value
        return float(np.log(value)) if value > 0 else -np.inf


def shared_pictures(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Which pictures [N] both arms have in some run."""
    return ~np.isnan(a).all(0) & ~np.isnan(b).all(0)


def mean(arm: Arm, sample: Sample, share: bool = False) -> Estimate:
    """The mean of one arm. `share`: values are 0/1."""
    return _estimate([arm], [1.0], sample, share, False)


def difference(
    a: Arm, b: Arm, sample: Sample, share: bool = False, paired_runs: bool = False
) -> Estimate:
    """Mean of `a` minus mean of `b` over the pictures that both have; see `shared_pictures`.
    `paired_runs`: row n of both is by the same adapters."""
    return _estimate([a, b], [1.0, -1.0], sample, share, paired_runs)


def ratio(above: Estimate, below: Estimate) -> Estimate:
    """One mean over another, each over pictures of its own; raises ValueError unless the latter is
    above 0. Errors are carried over to first order (the delta method); what was resampled is told
    of `above`. Prompts that both have are a sample for each by itself, which is never too sure
    where they are hard for both."""
    if below.value <= 0:
        raise ValueError(f"no ratio to a mean of {below.value:g}")
    value = above.value / below.value
    parts = above.error.times(below.value**-2), below.error.times(value**2 * below.value**-2)
    return Estimate(value, total(parts), above.resampled)


def odds_ratio(a: Arm, b: Arm, sample: Sample, paired_runs: bool = False) -> Estimate:
    """Odds of `a` over odds of `b`, half a success and half a failure added to each arm (Haldane
    1956), so that it is finite. Its error is that of the difference of shares carried to log odds
    by the delta method, and no smaller than of as many independent pictures (Woolf 1955)."""
    right = [float(np.nansum(arm.values)) + 0.5 for arm in (a, b)]
    wrong = [arm.pictures + 1 - hits for arm, hits in zip((a, b), right, strict=True)]
    slopes = [(x + y) ** 2 / (x * y) for x, y in zip(right, wrong, strict=True)]
    error, resampled = _error([a, b], [slopes[0], -slopes[1]], sample, paired_runs)
    least = sum(1 / x + 1 / y for x, y in zip(right, wrong, strict=True))
    value = right[0] / wrong[0] / (right[1] / wrong[1])
    return Estimate(value, _no_surer(error, least), resampled, log=True)


def holm(p: Sequence[float], alpha: float = (1 - LEVEL) / 2) -> list[tuple[float, int]]:
    """For every p (one-sided) its value adjusted for their number, and how many hypotheses were
    left when it was decided, by which the level of its interval follows (Holm 1979, "A simple
    sequentially rejective multiple test procedure"). From the first that misses `alpha` on nothing
    is decided, so as many as then are left for all of these."""
    found = [(0.0, 1)] * len(p)
    largest, stopped = 0.0, 0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        left = stopped or len(p) - rank
        largest = max(largest, min(1.0, (len(p) - rank) * p[index]))
        if not stopped and left * p[index] > alpha:
            stopped = left
        found[index] = (largest, left)
    return found


def level_of(left: int) -> float:
    """The level of an interval that is one of `left` (Bonferroni), for all at LEVEL together."""
    return 1 - (1 - LEVEL) / left


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
    known = np.isfinite(arm.values)
    counts = known.sum(1)
    means = np.where(known, arm.values, 0).sum(1)[counts > 0] / counts[counts > 0]
    return float(np.var(means, ddof=1)) if len(means) > 1 else None


def item_variance(a: Arm, b: Arm, sample: Sample) -> float:
    """Variance of the difference that is due to the choice of prompts (or pictures), and that no
    further run makes smaller."""
    parts, _ = parts_of([a.values, b.values], [1.0, -1.0], [a.fixed, b.fixed], sample)
    return max(0.0, parts.items.variance - parts.chance)


def _estimate(
    arms: Sequence[Arm], signs: Sequence[float], sample: Sample, share: bool, paired_runs: bool
) -> Estimate:
    error, resampled = _error(arms, signs, sample, paired_runs)
    means = [sample.mean_of(arm.values) for arm in arms]
    value = float(sum(sign * one for sign, one in zip(signs, means, strict=True)))
    if not share:
        return Estimate(value, error, resampled)
    bounds = (-1.0 if len(arms) > 1 else 0.0, 1.0)
    error = _no_surer(error, sum(_share_variance(arm) for arm in arms))
    if len(arms) == 1:
        shares = (_share_of(means[0], arms[0], error),)
    else:
        alone = [mean(arm, sample, share).error for arm in arms]
        shares = tuple(map(_share_of, means, arms, alone))
    return Estimate(value, error, resampled, bounds, shares=shares)


def _share_of(value: float, arm: Arm, error: Part) -> Share:
    return Share((value * arm.pictures + 2) / (arm.pictures + 4), error.variance)


def _error(
    arms: Sequence[Arm], factors: Sequence[float], sample: Sample, paired_runs: bool
) -> tuple[Part, str]:
    values, fixed = [arm.values for arm in arms], [arm.fixed for arm in arms]
    parts, resampled = parts_of(values, factors, fixed, sample, paired_runs)
    return parts.error(), resampled


def _no_surer(error: Part, least: float) -> Part:
    """The error at least of variance `least`, what is added being known."""
    lacking = least - error.variance
    return total([error, Part(lacking, CERTAIN)]) if lacking > 0 else error


def _share_variance(arm: Arm) -> float:
    pictures = arm.pictures
    share = (float(np.nansum(arm.values)) + 1) / (pictures + 2)
    return share * (1 - share) / (pictures + 2)
