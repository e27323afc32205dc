"""Hypotheses as declared and as decided by numbers.

Knows margins, intervals and corrections; knows nothing of words (verdicts.py) or of how an interval
is found (intervals.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from kindred.evidence import intervals
from kindred.evidence.intervals import LEVEL, Arm, Estimate
from kindred.evidence.score_grids import ImageIndex, ScoreGrid
from kindred.evidence.variance import Sample
from kindred.specs.measures import MEASURES
from kindred.specs.scoring import CompareSpec, Hypothesis

ALPHA = (1 - LEVEL) / 2  # one-sided


@dataclass(frozen=True)
class HypothesisTest:
    """What the numbers say of one hypothesis; `estimate` is None when nothing could be measured.
    `primaries`: how many hypotheses p is corrected for; `left`: how many of them were left when
    this one was decided, by which the level of its interval follows."""

    hypothesis: Hypothesis
    estimate: Estimate | None
    odds_ratio: Estimate | None = None
    means: tuple[float, float] = (float("nan"), float("nan"))
    runs: tuple[int, int] = (0, 0)
    fixed: tuple[bool, bool] = (False, False)
    pairs: int = 0
    prompts: int = 0
    seeds: int = 0
    dropped: int = 0
    more_runs: int | None = None
    p: float = 1.0
    p_adjusted: float = 1.0
    primaries: int = 1
    left: int = 1

    @property
    def leaning(self) -> str:
        """Supported, refuted or undecided by the adjusted p alone."""
        if self.estimate is None:
            return "unmeasured"
        if self.p_adjusted > ALPHA:
            return "undecided"
        return "supported" if self.estimate.value > self.hypothesis.margin else "refuted"

    @property
    def pilot(self) -> bool:
        """Whether some arm has a single training run."""
        pairs = zip(self.runs, self.fixed, strict=True)
        return any(runs < 2 and not fixed for runs, fixed in pairs)

    @property
    def verdict(self) -> str:
        """The leaning; of a single run an arm never more than 'pilot'."""
        return "pilot" if self.estimate is not None and self.pilot else self.leaning

    @property
    def adjusted_level(self) -> float:
        """The level at which the interval decides, after Holm's correction."""
        return intervals.level_of(self.left)

    @property
    def corrected(self) -> bool:
        """Whether a wider interval than the one at LEVEL decides."""
        return self.left > 1

    def deciding_interval(self) -> tuple[float, float]:
        """The interval that decides: the corrected one, or that at LEVEL. Needs `estimate`."""
        assert self.estimate is not None
        return self.estimate.interval(self.adjusted_level if self.corrected else LEVEL)


def decide_all(
    spec: CompareSpec, grids: Mapping[str, ScoreGrid], pictures: ImageIndex
) -> dict[str, HypothesisTest]:
    """Every hypothesis decided; p of the primaries corrected for their number."""
    decisions = {name: _decide(h, spec, grids, pictures) for name, h in spec.hypotheses.items()}
    primary = [
        name for name, d in decisions.items() if d.hypothesis.primary and d.estimate is not None
    ]
    adjusted = dict(zip(primary, intervals.holm([decisions[n].p for n in primary]), strict=True))
    return {
        name: replace(
            decision,
            p_adjusted=adjusted[name][0],
            left=adjusted[name][1],
            primaries=len(primary),
        )
        if name in adjusted
        else replace(decision, p_adjusted=decision.p)
        for name, decision in decisions.items()
    }


def arms_of(
    variants: tuple[str, str],
    measure: str,
    where: np.ndarray,
    spec: CompareSpec,
    grids: Mapping[str, ScoreGrid],
) -> tuple[Arm, Arm, np.ndarray]:
    """Both arms over the pictures that both have, and which pictures [N] these are."""
    values = [grids[name].values[measure] for name in variants]
    both = where & intervals.shared_pictures(*values)
    a, b = (
        Arm(value[:, both], spec.variants[name].kind == "base")
        for name, value in zip(variants, values, strict=True)
    )
    return a, b, both


def _decide(
    hypothesis: Hypothesis, spec: CompareSpec, grids: Mapping[str, ScoreGrid], pictures: ImageIndex
) -> HypothesisTest:
    where = pictures.of_set(hypothesis.prompt_set)
    names = hypothesis.variant, hypothesis.against
    a, b, both = arms_of(names, hypothesis.measure, where, spec, grids)
    runs = len(a.values), len(b.values)
    fixed = a.fixed, b.fixed
    if not both.any():
        return HypothesisTest(hypothesis, None, runs=runs, fixed=fixed)
    measure = MEASURES[hypothesis.measure]
    sample, share = pictures.sample(both, measure.macro), measure.kind.binary
    estimate = intervals.difference(a, b, sample, share)
    odds = intervals.odds_ratio(a, b, sample) if share else None
    margin = hypothesis.margin
    return HypothesisTest(
        hypothesis,
        estimate,
        odds,
        means=(sample.mean_of(a.values), sample.mean_of(b.values)),
        runs=runs,
        fixed=fixed,
        pairs=int(both.sum()),
        prompts=len(np.unique(sample.prompts)),
        seeds=len({pictures.cells[n].seed for n in np.flatnonzero(both)}),
        dropped=int(where.sum() - both.sum()),
        more_runs=_more_runs(hypothesis, (a, b), sample, estimate.value, spec, grids, where),
        p=min(estimate.p_below(margin), estimate.p_above(margin)),
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
    spreads = [intervals.run_variance(arm) for arm in arms]
    if None in spreads:
        common = _common_variance(hypothesis.measure, spec, grids, where)
        if common is None:
            return None
        spreads = [common if spread is None else spread for spread in spreads]
    return intervals.runs_to_decide(
        difference - hypothesis.margin,
        sum(spread for spread in spreads if spread is not None),
        intervals.item_variance(*arms, sample),
        min(trained),
    )


def _common_variance(
    measure: str, spec: CompareSpec, grids: Mapping[str, ScoreGrid], where: np.ndarray
) -> float | None:
    """Variance between runs, averaged over the experiment's variants that have several."""
    found = [
        intervals.run_variance(Arm(grid.values[measure][:, where]))
        for name, grid in grids.items()
        if spec.variants[name].kind != "base"
    ]
    known = [value for value in found if value is not None]
    return float(np.mean(known)) if known else None
