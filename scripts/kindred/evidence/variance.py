"""The variance of a mean, or of a difference of means, from what it is spread over.

Knows arrays of values, and the variance components of a design; knows nothing of intervals. Runs
and prompts are crossed random effects of a mean (Searle, Casella and McCulloch 1992, "Variance
components", ch. 4). With s the standard deviation of an arm's run means, and s_q that of the
differences of a stratum's P prompts,

    V = s_a^2 / R_a + s_b^2 / R_b + sum over strata of w^2 s_q^2 / P - E,

where w is the stratum's weight (1 / strata in a macro mean) and E is the chance of single pictures
and of runs with prompts, which s and s_q both hold: without - E it is counted twice, and at 12
casts x 8 prompts x 2 pictures x 10 runs an interval of 95 % holds the truth in 97 to 98 % of cases.
nu is by Welch (1947) and Satterthwaite (1946).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import stdtrit

FEWEST_PROMPTS = 5  # with fewer, prompts are taken as given and their pictures are the sample
CERTAIN = 1e9  # degrees of freedom of what is known


@dataclass(frozen=True)
class Part:
    """A variance with its degrees of freedom."""

    variance: float
    freedom: float = CERTAIN

    def times(self, factor: float) -> Part:
        """That of the estimate times the root of `factor`."""
        return Part(self.variance * factor, self.freedom)

    def reach(self, level: float = 0.95) -> float:
        """Half of the interval at a level, both tails alike."""
        return float(stdtrit(self.freedom, (1 + level) / 2)) * self.variance**0.5


NONE = Part(0.0)


def total(parts: Iterable[Part]) -> Part:
    """The sum, its degrees of freedom by Welch and Satterthwaite."""
    parts = list(parts)
    variance = sum(part.variance for part in parts)
    below = sum(part.variance**2 / part.freedom for part in parts)
    return Part(variance, min(variance**2 / below, CERTAIN) if below > 0 else CERTAIN)


@dataclass(frozen=True)
class Parts:
    """What the variance of a difference (or of a mean) is made of: a part each trained arm (one for
    both where runs are paired), that of prompts or pictures, and `chance`, which the others both
    hold (0 where it can't be told)."""

    runs: tuple[Part, ...]
    items: Part
    chance: float = 0.0

    def error(self) -> Part:
        """The sum without what is counted twice. No less than runs alone, or prompts alone, show.
        With two or three runs that has far fewer degrees of freedom than the plain sum, which is
        too large and never too sure; so of the two the one whose 95 % interval is narrower."""
        plain = total([*self.runs, self.items])
        runs = sum(part.variance for part in self.runs)
        variance = max(plain.variance - self.chance, runs, self.items.variance)
        if not plain.variance or variance == plain.variance:
            return plain
        below = plain.variance**2 / plain.freedom
        exact = Part(variance, min(variance**2 / below, CERTAIN) if below else CERTAIN)
        return min(exact, plain, key=Part.reach)


@dataclass(frozen=True)
class Sample:
    """What pictures [N] are of: numbers of their prompts; `strata`: numbers of what is fixed and of
    which every prompt is one case (casts, characters), where there are several. `macro`: the mean
    is over strata of the mean within; else over all pictures."""

    prompts: np.ndarray
    strata: np.ndarray | None = None
    macro: bool = False

    @cached_property
    def items(self) -> tuple[np.ndarray, str]:
        """What is a sample beside runs: [N] numbers from 0, and its name."""
        names, items = np.unique(self.prompts, return_inverse=True)
        if len(names) >= FEWEST_PROMPTS:
            return items, "prompts"
        return np.arange(len(self.prompts)), "pictures"

    @cached_property
    def groups(self) -> np.ndarray:
        """Stratum [N] of every picture, from 0."""
        if self.strata is None:
            return np.zeros(len(self.prompts), dtype=int)
        return np.unique(self.strata, return_inverse=True)[1]

    def of(self, mask: np.ndarray) -> Sample:
        """The same of some pictures."""
        strata = None if self.strata is None else self.strata[mask]
        return Sample(self.prompts[mask], strata, self.macro)

    def weights(self, values: np.ndarray) -> np.ndarray:
        """Weight [N] of every known value in the mean of values [R, N] so that all sum to 1."""
        counts = np.isfinite(values).sum(0)
        if not self.macro:
            return np.full(len(counts), 1 / max(1, counts.sum()))
        of_group = np.bincount(self.groups, counts)
        return 1 / (np.maximum(of_group, 1) * max(1, (of_group > 0).sum()))[self.groups]

    def mean_of(self, values: np.ndarray) -> float:
        """The mean of known values [R, N]."""
        if not np.isfinite(values).any():
            return float("nan")
        return float(np.nansum(values * self.weights(values)))


def parts_of(
    arms: Sequence[np.ndarray],
    factors: Sequence[float],
    fixed: Sequence[bool],
    sample: Sample,
    paired_runs: bool = False,
) -> tuple[Parts, str]:
    """Of the sum of the arms' means, each times its factor, and what is a sample beside runs. arms:
    values [R, N] each; `fixed`: no spread between runs. `paired_runs`: row n of all arms is by the
    same adapters. A single run tells nothing of the spread between runs, and has no part."""
    items, name = sample.items
    layout = _Layout(items, sample.groups)
    if paired_runs:
        both = np.all([np.isfinite(values).any(1) for values in arms], axis=0)
        arms = [values[both] for values in arms]
    tables = [
        factor * layout.table(values, sample) for values, factor in zip(arms, factors, strict=True)
    ]
    together = layout.items_of(sum(table.sum(0) for table in tables))
    if paired_runs:
        tables, fixed = [sum(tables)], [False]
    several = [t for t, still in zip(tables, fixed, strict=True) if len(t) > 1 and not still]
    runs = tuple(_of_runs(table) for table in several)
    return Parts(runs, together, sum(layout.chance(table) for table in several)), name


def _of_runs(table: np.ndarray) -> Part:
    """Of a table [R, I] of cells' parts in a mean, as deviations from it."""
    runs = len(table)
    return Part(runs / (runs - 1) * float((table.sum(1) ** 2).sum()), runs - 1)


@dataclass(frozen=True)
class _Layout:
    """Which item each picture is of, and which stratum; strata with a single item tell nothing of
    items, so then all are one."""

    items: np.ndarray
    groups: np.ndarray

    @cached_property
    def of_item(self) -> np.ndarray:
        """Stratum [I] of every item."""
        found = np.zeros(int(self.items.max(initial=-1)) + 1, dtype=int)
        found[self.items] = self.groups
        return np.zeros_like(found) if (np.bincount(found) == 1).any() else found

    def table(self, values: np.ndarray, sample: Sample) -> np.ndarray:
        """[R, I]: what each cell of runs and items adds to the mean, less its share of the mean of
        its stratum; runs without any value are left out. Rows and columns sum to what a run or an
        item moves the mean (to first order where values lack)."""
        values = values[np.isfinite(values).any(1)]
        known = np.isfinite(values)
        weights = known * sample.weights(values)
        added = np.where(known, values, 0.0) * weights
        centre = self._spread(added.sum(0)) / np.maximum(self._spread(weights.sum(0)), 1e-300)
        member = np.zeros((len(self.items), len(self.of_item)))
        member[np.arange(len(self.items)), self.items] = 1
        return (added - weights * centre) @ member

    def _spread(self, by_picture: np.ndarray) -> np.ndarray:
        """Sums over each picture's stratum [N]."""
        groups = self.of_item[self.items]
        return np.bincount(groups, by_picture)[groups]

    def items_of(self, moved: np.ndarray) -> Part:
        """Of what items [I] move the mean: strata are fixed, items a sample of their stratum."""
        numbers = np.bincount(self.of_item).tolist()
        squares = np.bincount(self.of_item, moved**2).tolist()
        some = [(n, s) for n, s in zip(numbers, squares, strict=True) if n > 1]
        return total(Part(n / (n - 1) * s, n - 1) for n, s in some)

    def chance(self, table: np.ndarray) -> float:
        """What runs and items leave of a table [R, I], as part of the variance of its mean."""
        runs, numbers = len(table), np.bincount(self.of_item)
        member = np.eye(len(numbers))[self.of_item]
        own = (table @ member / numbers)[:, self.of_item]
        left = table - own - table.mean(0)
        squares = np.bincount(self.of_item, (left**2).sum(0))
        return sum(
            float(runs * n / ((runs - 1) * (n - 1)) * s)
            for n, s in zip(numbers, squares, strict=True)
            if n > 1
        )
