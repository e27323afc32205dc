"""Hypotheses as declared and as decided by numbers.

Knows margins, intervals and corrections; knows nothing of words (verdicts.py) or of how an interval
is found (intervals.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from kindred.evidence import intervals, labels
from kindred.evidence.intervals import Arm, Estimate
from kindred.evidence.labels import Label, Reading, label_of
from kindred.evidence.score_grids import ImageIndex, ScoreGrid
from kindred.evidence.variance import Sample
from kindred.specs.measures import MEASURES
from kindred.specs.scoring import CompareSpec, Hypothesis


@dataclass(frozen=True)
class HypothesisTest:
    """What the numbers say of one hypothesis; `estimate` is None when nothing could be measured.
    `arms`: of each arm's mean. `primaries`: how many hypotheses p is corrected for; `left`: how
    many of them were left when this one was decided, by which the level of its interval follows."""

    hypothesis: Hypothesis
    estimate: Estimate | None
    odds_ratio: Estimate | None = None
    arms: tuple[Estimate, Estimate] | None = None
    runs: tuple[int, int] = (0, 0)
    fixed: tuple[bool, bool] = (False, False)
    pairs: int = 0
    prompts: int = 0
    seeds: int = 0
    dropped: int = 0
    more_runs: int | None = None
    p_adjusted: float = 1.0
    primaries: int = 1
    left: int = 1
    control_failed: bool = False

    @property
    def fewest_runs(self) -> int | None:
        """Of the trained arms; None where nothing is trained."""
        pairs = zip(self.runs, self.fixed, strict=True)
        return min((runs for runs, fixed in pairs if not fixed), default=None)

    @property
    def p(self) -> float:
        """See `smallest_p`."""
        return smallest_p(self.estimate, self.hypothesis.margin, self.fewest_runs)

    @property
    def level(self) -> float:
        """The level at which the interval decides, after Holm's correction."""
        return intervals.level_of(self.left)

    @property
    def corrected(self) -> bool:
        """Whether a wider interval than the one at LEVEL decides."""
        return self.left > 1

    def deciding_interval(self) -> tuple[float, float]:
        """The interval that decides: the corrected one, or that at LEVEL. Needs `estimate`."""
        assert self.estimate is not None
        return self.estimate.interval(self.level)

    def equivalence_interval(self) -> tuple[float, float]:
        """That by which 'no difference larger than x' is read. Needs `estimate`."""
        assert self.estimate is not None
        return self.estimate.interval(2 * self.level - 1)

    @cached_property
    def label(self) -> Label:
        """What the intervals say."""
        some = self.estimate is not None
        reading = Reading(
            self.hypothesis.measure,
            self.hypothesis.margin,
            self.fewest_runs,
            self.deciding_interval() if some else None,
            self.equivalence_interval() if some else None,
            self._arm_intervals(),
            named=self.hypothesis.primary and self.primaries == 1,
            control_failed=self.control_failed,
        )
        return label_of(reading)

    def _arm_intervals(self) -> tuple[labels.Interval, labels.Interval] | None:
        if self.arms is None:
            return None
        a, b = self.arms
        return a.interval(self.level), b.interval(self.level)


def smallest_p(estimate: Estimate | None, margin: float, runs: int | None) -> float:
    """The smallest one-sided p of what a label may claim: a difference above the margin, one below
    0, none larger than x (half of it, because its tail is twice as large). runs: see labels.py."""
    if estimate is None:
        return 1.0
    claims = [estimate.p_below(margin), estimate.p_above(0.0)]
    x = labels.equivalence_margin(margin, runs)
    if x:
        claims.append(max(estimate.p_below(-x), estimate.p_above(x)) / 2)
    return min(claims)


def decide_all(
    spec: CompareSpec,
    grids: Mapping[str, ScoreGrid],
    pictures: ImageIndex,
    control_failed: bool = False,
) -> dict[str, HypothesisTest]:
    """Every hypothesis decided; p of the primaries corrected for their number. `control_failed`:
    some control of the experiment read wrong, so that nothing is concluded."""
    decisions = {name: _decide(h, spec, grids, pictures) for name, h in spec.hypotheses.items()}
    primary = [
        name for name, d in decisions.items() if d.hypothesis.primary and d.estimate is not None
    ]
    adjusted = dict(zip(primary, intervals.holm([decisions[n].p for n in primary]), strict=True))
    found = {}
    for name, decision in decisions.items():
        p, left = adjusted.get(name, (decision.p, 1))
        family = len(primary) if name in adjusted else 1
        found[name] = replace(
            decision, p_adjusted=p, left=left, primaries=family, control_failed=control_failed
        )
    return found


def arms_of(
    variants: tuple[str, str],
    measure: str,
    where: np.ndarray,
    spec: CompareSpec,
    grids: Mapping[str, ScoreGrid],
    paired: bool = False,
) -> tuple[Arm, Arm, np.ndarray]:
    """Both arms over the pictures that both have, and which pictures [N] these are. `paired`: over
    the runs that both have, in the same order."""
    values = [grids[name].values[measure] for name in variants]
    if paired:
        runs = [grids[name].runs for name in variants]
        both_have = [run for run in runs[0] if run in runs[1]]
        values = [
            value[[own.index(run) for run in both_have]]
            for value, own in zip(values, runs, strict=True)
        ]
    both = where & intervals.shared_pictures(*values)
    a, b = (
        Arm(value[:, both], spec.variants[name].fixed)
        for name, value in zip(variants, values, strict=True)
    )
    return a, b, both


def _decide(
    hypothesis: Hypothesis, spec: CompareSpec, grids: Mapping[str, ScoreGrid], pictures: ImageIndex
) -> HypothesisTest:
    where, paired = pictures.of_set(hypothesis.prompt_set), hypothesis.paired
    names = hypothesis.variant, hypothesis.against
    a, b, both = arms_of(names, hypothesis.measure, where, spec, grids, paired)
    runs = len(a.values), len(b.values)
    fixed = a.fixed, b.fixed
    if not both.any():
        return HypothesisTest(hypothesis, None, runs=runs, fixed=fixed)
    measure = MEASURES[hypothesis.measure]
    sample, share = pictures.sample(both, measure.macro), measure.kind.binary
    estimate = intervals.difference(a, b, sample, share, paired)
    odds = intervals.odds_ratio(a, b, sample, paired) if share and not measure.macro else None
    return HypothesisTest(
        hypothesis,
        estimate,
        odds,
        arms=(intervals.mean(a, sample, share), intervals.mean(b, sample, share)),
        runs=runs,
        fixed=fixed,
        pairs=int(both.sum()),
        prompts=len(np.unique(sample.prompts)),
        seeds=len({pictures.cells[n].seed for n in np.flatnonzero(both)}),
        dropped=int(where.sum() - both.sum()),
        more_runs=_more_runs(hypothesis, (a, b), sample, estimate.value, spec, grids, where),
    )


def _more_runs(
    hypothesis: Hypothesis,
    arms: tuple[Arm, Arm],
    sample: Sample,
    difference: float,
    spec: CompareSpec,
    grids: Mapping[str, ScoreGrid],
    where: np.ndarray,
) -> int | None:
    """Runs an arm that would probably decide; None when unknown or when runs don't help."""
    trained = [len(arm.values) for arm in arms if not arm.fixed]
    if not trained:
        return None
    a, b = arms
    together = [Arm(a.values - b.values)] if hypothesis.paired else arms
    spreads = [intervals.run_variance(arm) for arm in together]
    if None in spreads:
        common = _common_variance(hypothesis.measure, spec, grids, where)
        if common is None:
            return None
        spreads = [common if spread is None else spread for spread in spreads]
    margin = hypothesis.margin
    # To the nearest decision: above the margin, none as large as it, or the other way.
    distance = max(difference - margin, margin - abs(difference), -difference)
    runs = intervals.runs_to_decide(
        distance,
        sum(spread for spread in spreads if spread is not None),
        intervals.item_variance(*arms, sample),
        min(trained),
    )
    return None if runs is None else max(runs, labels.FEWEST_FOR_ALL)


def _common_variance(
    measure: str, spec: CompareSpec, grids: Mapping[str, ScoreGrid], where: np.ndarray
) -> float | None:
    """Variance between runs, averaged over the experiment's variants that have several."""
    found = [
        intervals.run_variance(Arm(grid.values[measure][:, where]))
        for name, grid in grids.items()
        if not spec.variants[name].fixed
    ]
    known = [value for value in found if value is not None]
    return float(np.mean(known)) if known else None
