"""What a design can find, before anything is trained.

Knows variances and their degrees of freedom (design_variance.py, pilot_variances.py forecast them)
and how a difference is decided; knows nothing of experiments or words. The rule is that of
verdicts: above a margin when estimate - t(nu) sqrt(V) is, no larger than x when the interval with
twice the tail lies within (-x, x) (two one-sided tests, Schuirmann 1987). V is estimated, and with
two or three runs its degrees of freedom are too: the power is the mean over what each part of V may
turn out as, part times chi square over its degrees of freedom. With a single part that is the
noncentral t.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import chdtri, nctdtr, ndtr, stdtrit

from kindred.evidence.design_variance import Design, Forecast
from kindred.evidence.intervals import LEVEL

POWER = 0.8
MOST_RUNS = 100
TIMES = (2, 3, 4, 6, 8, 12, 16)  # as many prompts as there are
FINEST = 1 / 512  # of the largest difference: how exactly a difference is told
DRAWS, SEED = 1000, 20_260_101

Outlook = Callable[[Design, float], Forecast]  # a design and the true difference -> its variance


@dataclass(frozen=True)
class Reach:
    """What a design can find of a measure. `largest`: the largest difference that there can be."""

    outlook: Outlook
    design: Design
    level: float = LEVEL
    largest: float = 1.0

    def above(self, margin: float, truth: float, design: Design | None = None) -> float:
        """The chance that a true difference is found to be above the margin; with the runs and
        prompts of another `design` where one is given."""
        design = design or self.design
        return (
            0.0 if design.single else above(self.outlook(design, truth), truth, margin, self.level)
        )

    def smallest(self, margin: float = 0.0) -> float | None:
        """The smallest true difference that is found to be above the margin in POWER of cases;
        None if even the largest is not."""
        return self._least(lambda truth: truth > margin and self.above(margin, truth) >= POWER)

    def within(self, most: float) -> float:
        """The chance that no difference larger than `most` is shown, if there is none at all."""
        if self.design.single:
            return 0.0
        return within(self.outlook(self.design, 0.0), most, 2 * self.level - 1)

    def equivalence(self) -> float | None:
        """The smallest x of which 'no difference larger than x' is shown in POWER of cases."""
        return self._least(lambda most: self.within(most) >= POWER)

    def runs_needed(self, margin: float, truth: float, fewest: int = 2) -> int | None:
        """The fewest runs an arm, `fewest` or more and as many of each, that find a true difference
        above the margin in POWER of cases; None if not even MOST_RUNS do, or none is trained."""
        if not any(self.design.runs):
            return None
        return _first(
            fewest,
            MOST_RUNS,
            lambda runs: self.above(margin, truth, self.design.with_runs(runs)) >= POWER,
        )

    def prompts_needed(self, margin: float, truth: float) -> int | None:
        """The fewest prompts, a multiple of the design's, that do so with its runs; None if not
        even the largest multiple does."""
        for times in TIMES:
            design = self.design.times_prompts(times)
            if self.above(margin, truth, design) >= POWER:
                return design.prompts
        return None

    def both_needed(self, margin: float, truth: float, fewest: int = 2) -> tuple[int, int] | None:
        """Runs an arm and prompts that do so together, with the fewest pictures; None if none
        within reach do."""
        found = []
        for times in TIMES:
            design = self.design.times_prompts(times)
            runs = Reach(self.outlook, design, self.level).runs_needed(margin, truth, fewest)
            found += [(runs * times, runs, design.prompts)] if runs else []
        return min(found)[1:] if found else None

    def _least(self, enough: Callable[[float], bool]) -> float | None:
        """The smallest difference that is enough, on a grid of FINEST of the largest."""
        steps = round(1 / FINEST)
        found = _first(1, steps, lambda step: enough(step * FINEST * self.largest))
        return None if found is None else found * FINEST * self.largest


def above(forecast: Forecast, truth: float, margin: float, level: float) -> float:
    """The chance that an interval at `level` lies above the margin."""
    variances, freedoms = _estimates(forecast)
    half = _student(freedoms, (1 + level) / 2) * variances**0.5
    return float(ndtr((truth - margin - half) / forecast.variance**0.5).mean())


def within(forecast: Forecast, most: float, level: float) -> float:
    """The chance that an interval at `level` lies within (-most, most) if the true difference is
    0."""
    variances, freedoms = _estimates(forecast)
    half = _student(freedoms, (1 + level) / 2) * variances**0.5
    inside = 2 * ndtr((most - half) / forecast.variance**0.5) - 1
    return float(np.maximum(inside, 0.0).mean())


def found_over_families(
    families: int,
    effect_sd: float,
    run_sd: float,
    prompt_sd: float,
    runs: int,
    level: float = LEVEL,
) -> float | None:
    """The smallest difference that a paired t over families finds in POWER of cases; None below 2.
    SDs of: the effect over families, a run's mean, the difference due to prompts; runs of each arm
    in each family. Exact (noncentral t with families - 1 degrees of freedom)."""
    if families < 2:
        return None
    return found_over(families, (effect_sd**2 + 2 * run_sd**2 / runs + prompt_sd**2) ** 0.5, level)


def found_over(families: int, deviation: float, level: float = LEVEL) -> float:
    """The smallest difference that a paired t over two families or more finds in POWER of cases;
    deviation: of a family's difference."""
    spread = deviation / families**0.5
    needed = stdtrit(families - 1, (1 + level) / 2)

    def enough(difference: float) -> bool:
        return bool(1 - nctdtr(families - 1, difference / spread, needed) >= POWER)

    low, high = 0.0, spread
    while not enough(high):  # far out nctdtr gives no number
        low, high = high, 2 * high
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return float(high)


def _estimates(forecast: Forecast) -> tuple[np.ndarray, np.ndarray]:
    """What V and its degrees of freedom [draws] may be estimated as: variance.Parts.error, for many
    at once."""
    parts = [*forecast.runs, *forecast.items]
    freedoms = np.array([part.freedom for part in parts])[:, None]
    drawn = _chi_squares(tuple(part.freedom for part in parts))
    found = drawn * np.array([part.variance for part in parts])[:, None]
    plain = found.sum(0)
    below = (found**2 / freedoms).sum(0)
    runs = len(forecast.runs)
    least = np.maximum(found[:runs].sum(0), found[runs:].sum(0))
    exact = np.maximum(plain - forecast.chance, least)
    pairs = [(variance, variance**2 / below) for variance in (exact, plain)]
    reach = [_student(freedom, 0.975) * variance**0.5 for variance, freedom in pairs]
    first = reach[0] < reach[1]
    return np.where(first, pairs[0][0], plain), np.where(first, pairs[0][1], pairs[1][1])


def _chi_squares(freedoms: tuple[float, ...]) -> np.ndarray:
    """Chi square over its degrees of freedom, [parts, draws]: each part's quantiles, in an order
    that has nothing to do with the others' (a Latin hypercube)."""
    rng = np.random.default_rng(SEED)
    return np.array([rng.permutation(_chi_square(freedom)) for freedom in freedoms])


@lru_cache(maxsize=1024)
def _chi_square(freedom: float) -> np.ndarray:
    steps = (np.arange(DRAWS) + 0.5) / DRAWS
    return chdtri(freedom, steps) / freedom


GRID = np.linspace(0.0, 1.0, 401)  # of 1 / degrees of freedom, in which t is nearly straight


@lru_cache(maxsize=64)
def _quantiles(tail: float) -> np.ndarray:
    return np.log(stdtrit(1 / np.maximum(GRID, 1e-9), tail))


def _student(freedoms: np.ndarray, tail: float) -> np.ndarray:
    """Quantiles of Student's t, interpolated: within .1 % of the exact ones from one degree of
    freedom on."""
    return np.exp(np.interp(1 / freedoms, GRID, _quantiles(tail)))


def _first(low: int, high: int, enough: Callable[[int], bool]) -> int | None:
    """The smallest number from `low` to `high` that is enough, if larger ones are, too."""
    if not enough(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low
