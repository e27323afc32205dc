"""Hypotheses as declared and as decided by numbers.

Knows margins, intervals and corrections; knows nothing of words (verdicts.py) or of how means are
resampled (bootstrap.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from kindred.evidence import bootstrap
from kindred.evidence.bootstrap import LEVEL, Arm, BootstrapEstimate
from kindred.evidence.score_grids import ImageIndex, ScoreGrid
from kindred.specs.measures import MEASURES
from kindred.specs.scoring import CompareSpec, Hypothesis

ALPHA = (1 - LEVEL) / 2  # one-sided


@dataclass(frozen=True)
class HypothesisTest:
    """What the numbers say of one hypothesis; `draws` is None when nothing could be measured.
    `primaries`: how many hypotheses p is corrected for."""

    hypothesis: Hypothesis
    draws: BootstrapEstimate | None
    odds_ratio: BootstrapEstimate | None = None
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

    @property
    def leaning(self) -> str:
        """Supported, refuted or undecided by the adjusted p alone."""
        if self.draws is None:
            return "unmeasured"
        if self.p_adjusted > ALPHA:
            return "undecided"
        return "supported" if self.draws.value > self.hypothesis.margin else "refuted"

    @property
    def pilot(self) -> bool:
        """Whether some arm has a single training run."""
        pairs = zip(self.runs, self.fixed, strict=True)
        return any(runs < 2 and not fixed for runs, fixed in pairs)

    @property
    def verdict(self) -> str:
        """The leaning; of a single run an arm never more than 'pilot'."""
        return "pilot" if self.draws is not None and self.pilot else self.leaning

    @property
    def adjusted_level(self) -> float:
        """The level at which the interval decides, after Holm's correction."""
        times = self.p_adjusted / self.p if self.p > 0 else 1.0
        return 1 - (1 - LEVEL) / max(1.0, times)

    @property
    def corrected(self) -> bool:
        """Whether a wider interval than the one at LEVEL decides."""
        return self.adjusted_level > LEVEL + 1e-6

    def deciding_interval(self) -> tuple[float, float]:
        """The interval that decides: the corrected one, or that at LEVEL. Needs `draws`."""
        assert self.draws is not None
        return self.draws.interval(self.adjusted_level if self.corrected else LEVEL)


def decide_all(
    spec: CompareSpec, grids: Mapping[str, ScoreGrid], pictures: ImageIndex
) -> dict[str, HypothesisTest]:
    """Every hypothesis decided; p of the primaries corrected for their number."""
    decisions = {name: _decide(h, spec, grids, pictures) for name, h in spec.hypotheses.items()}
    primary = [
        name for name, d in decisions.items() if d.hypothesis.primary and d.draws is not None
    ]
    adjusted = dict(zip(primary, bootstrap.holm([decisions[n].p for n in primary]), strict=True))
    return {
        name: replace(decision, p_adjusted=adjusted[name], primaries=len(primary))
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
    both = where & bootstrap.paired(*values)
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
    prompts = pictures.prompts[both]
    share = MEASURES[hypothesis.measure].kind.binary
    draws = bootstrap.bootstrap_difference(a, b, prompts, spec.draws, share)
    odds = bootstrap.bootstrap_odds_ratio(a, b, prompts, spec.draws) if share else None
    margin = hypothesis.margin
    return HypothesisTest(
        hypothesis,
        draws,
        odds,
        means=(a.mean, b.mean),
        runs=runs,
        fixed=fixed,
        pairs=int(both.sum()),
        prompts=len(np.unique(prompts)),
        seeds=len({pictures.cells[n].seed for n in np.flatnonzero(both)}),
        dropped=int(where.sum() - both.sum()),
        more_runs=_more_runs(hypothesis, (a, b), prompts, draws.value, spec, grids, where),
        p=min(draws.p_below(margin), draws.p_above(margin)),
    )


def _more_runs(
    hypothesis: Hypothesis,
    arms: tuple[Arm, Arm],
    prompts: np.ndarray,
    difference: float,
    spec: CompareSpec,
    grids: Mapping[str, ScoreGrid],
    where: np.ndarray,
) -> int | None:
    """Runs an arm that would probably decide; None when unknown or when runs don't help."""
    trained = [len(arm.values) for arm in arms if not arm.fixed]
    if not trained:
        return None
    spreads = [bootstrap.run_variance(arm) for arm in arms]
    if None in spreads:
        common = _common_variance(hypothesis.measure, spec, grids, where)
        if common is None:
            return None
        spreads = [common if spread is None else spread for spread in spreads]
    return bootstrap.runs_to_decide(
        difference - hypothesis.margin,
        sum(spread for spread in spreads if spread is not None),
        bootstrap.item_variance(*arms, prompts, min(spec.draws, 1000)),
        min(trained),
    )


def _common_variance(
    measure: str, spec: CompareSpec, grids: Mapping[str, ScoreGrid], where: np.ndarray
) -> float | None:
    """Variance between runs, averaged over the experiment's variants that have several."""
    found = [
        bootstrap.run_variance(Arm(grid.values[measure][:, where]))
        for name, grid in grids.items()
        if spec.variants[name].kind != "base"
    ]
    known = [value for value in found if value is not None]
    return float(np.mean(known)) if known else None
