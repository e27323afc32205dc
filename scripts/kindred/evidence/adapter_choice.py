"""Which adapter to take: the variant that is right most often, and whether that is decided.

Knows rows of scores and intervals; knows nothing of files or words. Read on cast accuracy where
something asks for casts, because that can't be had without names; else on success over all pictures
that ask for somebody. The leader was chosen among several by the same pictures, so its lead is read
at a level corrected for their number (Bonferroni). Variants whose shares are equal in whole per
cent tie: of those the most alike leads, then the one trained for the fewest steps, then the first
of the experiment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kindred.evidence import intervals
from kindred.evidence.intervals import Arm
from kindred.evidence.labels import FEWEST_FOR_ALL, FEWEST_RUNS
from kindred.evidence.variance import Sample
from kindred.specs.measures import MEASURES
from kindred.specs.scoring import FIXED_KINDS

CASTS, SUCCESS = "cast", "success"
COLUMNS = {CASTS: "cast_right", SUCCESS: "success"}
ABLE = frozenset({"trained", "loaded"})
Row = Mapping[str, str]


def whole_percent(share: float) -> int:
    """A share as it is printed, by which variants tie."""
    return round(100 * share)


@dataclass(frozen=True)
class Contender:
    """A variant that could be taken. share: 0..1 of its pictures that are right. lead: by how much
    the leader is ahead, with its interval; None for the leader, and where no picture is shared.
    more_runs: trainings each with which the lead would probably show; None where none would.
    steps: optimizer steps that it was trained for; None where nothing was trained here. likeness:
    mean of those found, 0 a stranger and 1 another photo; None where nobody was found."""

    variant: str
    runs: int
    share: float
    lead: tuple[float, float, float] | None = None
    more_runs: int | None = None
    steps: float | None = None
    likeness: float | None = None

    @property
    def behind(self) -> bool:
        """Whether the leader is ahead of it for sure."""
        return self.lead is not None and self.lead[1] > 0

    @property
    def percent(self) -> int:
        """Its share in whole per cent, as it is printed."""
        return whole_percent(self.share)


@dataclass(frozen=True)
class AdapterChoice:
    """The contenders, best first; the leader's best run, and whether another one is right as often
    (then it is the first of them). over_base: the leader's lead over the base
    alone, with its interval; None without one."""

    measure: str
    contenders: tuple[Contender, ...]
    run: int
    over_base: tuple[float, float, float] | None
    run_tied: bool = False

    @property
    def leader(self) -> Contender:
        """The one that is right most often, or is named among equal ones."""
        return self.contenders[0]

    @property
    def tied(self) -> tuple[Contender, ...]:
        """The leader and those that are right as often, in whole per cent."""
        return tuple(one for one in self.contenders if one.percent == self.leader.percent)

    @property
    def open(self) -> tuple[Contender, ...]:
        """Those that may be as good as the leader."""
        rivals = self.contenders[1:]
        return tuple(one for one in rivals if not one.behind or one in self.tied)

    @property
    def few_runs(self) -> bool:
        """Whether trainings are too few to tell a variant from a lucky training."""
        rivals = self.contenders if len(self.contenders) > 1 else ()
        return any(one.runs < FEWEST_RUNS for one in rivals)

    @property
    def decided(self) -> bool:
        """Whether the leader is the one to take for sure; of a single one there is no choice."""
        return not self.few_runs and not self.open

    @property
    def useless(self) -> bool:
        """Whether the leader is not shown to be better than the base alone."""
        return self.over_base is not None and self.over_base[1] <= 0

    @property
    def runs_needed(self) -> int | None:
        """Trainings of each open contender that would probably decide; None where none would."""
        if not self.open:
            return FEWEST_RUNS if self.few_runs else None
        needed = [one.more_runs for one in self.open if one.more_runs]
        return max(needed) if needed else FEWEST_FOR_ALL if self.few_runs else None


def choose(
    variants: Mapping[str, Mapping[str, Any]], rows: Iterable[Row], order: Sequence[str] = ()
) -> AdapterChoice | None:
    """The choice among an experiment's variants (of summary.json) by their rows of kind image; None
    where nothing that has adapters was scored. order: of the variants in the experiment."""
    images = [row for row in rows if row["kind"] == "image"]
    measure = CASTS if any(row[COLUMNS[CASTS]] for row in images) else SUCCESS
    column = COLUMNS[measure]
    asked = [row for row in images if row[column] and (measure == CASTS or row["asked"])]
    places = sorted({_place(row) for row in asked})
    arms = {
        name: _arm(one, [row for row in asked if row["variant"] == name], places, column)
        for name, one in variants.items()
    }
    able = [name for name, one in variants.items() if _is_contender(one)]
    sample = _sample(asked, places, measure)
    means = {name: sample.mean_of(arms[name].values) for name in able}
    able = [name for name in able if np.isfinite(means[name])]
    if not able:
        return None
    steps, alike = {name: _steps(variants[name]) for name in able}, _likeness(images)
    able = _best_first(able, means, alike, steps, order)
    first = able[0]
    found = [Contender(first, len(arms[first].values), means[first])]
    found += [_rival(name, first, arms, sample, means, len(able) - 1) for name in able[1:]]
    leader, *rivals = (
        replace(one, steps=steps[one.variant], likeness=alike.get(one.variant)) for one in found
    )
    base = next((name for name, one in variants.items() if one["kind"] == "base"), None)
    over = base and _lead(arms[first], arms[base], sample, intervals.LEVEL)
    run, tied = _best_run(arms[first], variants[first], sample)
    return AdapterChoice(measure, (leader, *rivals), run, over or None, tied)


def _is_contender(variant: Mapping[str, Any]) -> bool:
    """Whether a variant is adapters of its own: no control, and not another one's pictures with the
    faces drawn again."""
    own = variant["kind"] in ABLE and not variant["control"]
    return own and not variant.get("detail_of")


def _place(row: Row) -> tuple[str, str, int]:
    return row["prompt_set"], row["prompt"], int(row["seed"])


def _arm(
    variant: Mapping[str, Any], rows: Sequence[Row], places: Sequence[Any], column: str
) -> Arm:
    """Values [R, N] of a variant's runs at all places."""
    values = np.full((max(1, len(variant["runs"])), len(places)), np.nan)
    at = {place: n for n, place in enumerate(places)}
    run_at = {str(run): n for n, run in enumerate(variant["runs"])}
    for row in rows:
        if row["run"] in run_at:
            values[run_at[row["run"]], at[_place(row)]] = float(row[column])
    return Arm(values, variant["kind"] in FIXED_KINDS)


def _sample(rows: Sequence[Row], places: Sequence[Any], measure: str) -> Sample:
    """What the pictures are a sample of; casts are strata, as where hypotheses are decided."""
    casts = {_place(row): row["cast"] for row in rows}
    numbers = {prompt: n for n, prompt in enumerate(dict.fromkeys(p[:2] for p in places))}
    strata = np.array([casts[place] for place in places]) if measure == CASTS else None
    if strata is not None and len({*strata}) < 2:
        strata = None
    prompts = np.array([numbers[place[:2]] for place in places], dtype=int)
    return Sample(prompts, strata, MEASURES[measure].macro)


def _steps(variant: Mapping[str, Any]) -> float | None:
    return (variant.get("training") or {}).get("steps")


def _likeness(rows: Iterable[Row]) -> dict[str, float]:
    """Mean likeness by variant, in two digits as it is printed."""
    found: dict[str, list[float]] = {}
    for row in rows:
        if row["identity"]:
            found.setdefault(row["variant"], []).append(float(row["identity"]))
    return {name: round(float(np.mean(values)), 2) for name, values in found.items()}


def _best_first(
    names: Sequence[str],
    means: Mapping[str, float],
    alike: Mapping[str, float],
    steps: Mapping[str, float | None],
    order: Sequence[str],
) -> list[str]:
    """The contenders by how often they are right. Of equal ones, as printed, the most alike, then
    that of the fewest steps, if all have steps, then the first of the experiment."""
    place = {name: n for n, name in enumerate(order)}
    percent = {name: whole_percent(means[name]) for name in names}
    top = max(percent.values())
    counted = all(steps[name] is not None for name in names if percent[name] == top)

    def rank(name: str) -> tuple[Any, ...]:
        if percent[name] < top:
            return (1, -means[name], place.get(name, len(place)), name)
        of_steps = steps[name] if counted else 0
        return (0, -alike.get(name, -1.0), of_steps, place.get(name, len(place)), name)

    return sorted(names, key=rank)


def _rival(
    name: str,
    first: str,
    arms: Mapping[str, Arm],
    sample: Sample,
    means: Mapping[str, float],
    rivals: int,
) -> Contender:
    lead = _lead(arms[first], arms[name], sample, intervals.level_of(rivals))
    more = None
    spread = [intervals.run_variance(arms[one]) for one in (first, name)]
    known = [one for one in spread if one is not None]
    if lead and known and lead[0] > 0:
        between = sum(known) * (2 / len(known))
        items = intervals.item_variance(arms[first], arms[name], sample)
        now = min(len(arms[first].values), len(arms[name].values))
        more = intervals.runs_to_decide(lead[0], between, items, now)
    return Contender(name, len(arms[name].values), means[name], lead, more)


def _lead(
    first: Arm, other: Arm, sample: Sample, level: float
) -> tuple[float, float, float] | None:
    """How far the first is ahead, and the interval of that at a level."""
    both = intervals.shared_pictures(first.values, other.values)
    if not both.any():
        return None
    a, b = (Arm(arm.values[:, both], arm.fixed) for arm in (first, other))
    estimate = intervals.difference(a, b, sample.of(both), share=True)
    return estimate.value, *estimate.interval(level)


def _best_run(arm: Arm, variant: Mapping[str, Any], sample: Sample) -> tuple[int, bool]:
    """The number of the run that is right most often, the first of equal ones; whether there are
    such."""
    each = [sample.mean_of(arm.values[n : n + 1]) for n in range(len(arm.values))]
    means = [float(np.nan_to_num(mean, nan=-1.0)) for mean in each]
    return variant["runs"][means.index(max(means))], means.count(max(means)) > 1
