"""What intervals say of a claim: one label, the first of these rules that holds.

    not measured         nothing to compare
    one training         an arm with a single run: numbers only
    pilot                two runs; three or four, unless it is the one primary hypothesis
    control failed       a null or scrambled control of the experiment read wrong
    both at the floor    both arms' intervals within 5 points of the measure's `floor`
    both at the ceiling  both arms' intervals from 95 % on
    supported            the interval lies above the margin
    no difference        the interval at 90 % lies within -x to x (two one-sided tests, Schuirmann
                         1987), from 5 runs on; x is the margin, below 10 runs at least 15 points
    contradicted         the interval lies below 0; `beyond`: below minus the margin
    undecided            else
    not tested           of claims about families (family_order.py): one that had to be supported
                         before is not

Of several primary hypotheses all intervals are read at the level after Holm's correction. Knows
numbers; knows nothing of arrays or pages. A label of look-alikes ("not separable") is given by who
knows photos.
"""

from __future__ import annotations

from dataclasses import dataclass

from kindred.common.sentences import counted
from kindred.specs.measure_kinds import UNIT
from kindred.specs.measures import MEASURES, Measure

RULES = "labels 1"  # raised where another label would be given
UNMEASURED, ONE, PILOT = "not measured", "one training", "pilot"
FAILED, FLOOR, CEILING = "control failed", "both at the floor", "both at the ceiling"
SUPPORTED, EQUAL, CONTRADICTED = "supported", "no difference", "contradicted"
UNDECIDED = "undecided"
UNTESTED = "not tested"
DECIDED = frozenset({SUPPORTED, EQUAL, CONTRADICTED})
OPEN = frozenset({ONE, PILOT, UNDECIDED})  # what more runs may decide

NEAR = 0.05  # of the floor or the ceiling: no room for a difference that matters
FEWEST_RUNS, FEWEST_FOR_ALL, ENOUGH_RUNS = 3, 5, 10
COARSE = 0.15  # the smallest x of fewer than ENOUGH_RUNS
Interval = tuple[float, float]


@dataclass(frozen=True)
class Reading:
    """What is read of one hypothesis: `interval` at the level that decides, `within` at that with
    twice the tail, `arms` at the level that decides (None: unknown); `runs` of the trained arm with
    the fewest, None where nothing is trained; `named`: the one primary hypothesis."""

    measure: str
    margin: float
    runs: int | None
    interval: Interval | None
    within: Interval | None = None
    arms: tuple[Interval, Interval] | None = None
    named: bool = False
    control_failed: bool = False


@dataclass(frozen=True)
class Label:
    """A label; `x` of 'no difference larger than x'; `beyond`: contradicted by more than the
    margin."""

    name: str
    x: float | None = None
    beyond: bool = False


def label_of(reading: Reading) -> Label:
    """The first label whose rule holds."""
    if reading.interval is None:
        return Label(UNMEASURED)
    if (few := _of_few_runs(reading)) is not None:
        return Label(few)
    if reading.control_failed:
        return Label(FAILED)
    if (end := _at_an_end(reading)) is not None:
        return Label(end)
    low, high = reading.interval
    if low > reading.margin:
        return Label(SUPPORTED)
    x = equivalence_margin(reading.margin, reading.runs)
    if x is not None and reading.within and -x < reading.within[0] and reading.within[1] < x:
        return Label(EQUAL, x)
    if high < 0:
        return Label(CONTRADICTED, beyond=high < -reading.margin)
    return Label(UNDECIDED)


def equivalence_margin(margin: float, runs: int | None) -> float | None:
    """The x of 'no difference larger than x' that so many runs may show; None: none."""
    if runs is not None and runs < FEWEST_FOR_ALL:
        return None
    return margin if runs is None or runs >= ENOUGH_RUNS else max(margin, COARSE)


def words(label: Label, margin: float, measure: str) -> str:
    """As a heading says it: 'No difference larger than 10 points', 'Supported'."""
    text = label.name
    if label.x is not None:
        text += f" larger than {amount(label.x, measure)}"
    if label.beyond and margin > 0:
        text += f" by more than {amount(margin, measure)}"
    return text[:1].upper() + text[1:]


def amount(value: float, measure: str) -> str:
    """'10 points' of shares, '0.10' of others."""
    if MEASURES[measure].kind.percent:
        return counted(f"{100 * value:.3g}", "point")
    return f"{value:.2f}"


def excluded(interval: Interval, margin: float, measure: str) -> str:
    """Which side an undecided interval excludes."""
    low, high = interval
    size = amount(margin, measure)
    if low > 0:
        return f"a difference is there, but perhaps one below {size}"
    if high < margin:
        return f"a difference of {size} or more is excluded, one the other way is not"
    if low > -margin:
        return f"a difference of {size} or more the other way is excluded, none at all is not"
    return "neither side is excluded"


def _of_few_runs(reading: Reading) -> str | None:
    runs = reading.runs
    if runs is None or runs >= FEWEST_FOR_ALL:
        return None
    if runs < 2:
        return ONE
    return None if runs >= FEWEST_RUNS and reading.named else PILOT


def _at_an_end(reading: Reading) -> str | None:
    """Where neither arm leaves room for a difference."""
    if reading.arms is None:
        return None
    measure = MEASURES[reading.measure]
    if _all_near(reading.arms, measure, measure.floor, floor=True):
        return FLOOR
    best = {"more": 1.0, "less": 0.0}.get(measure.better)
    bounded = measure.kind.bounds == UNIT
    return CEILING if bounded and _all_near(reading.arms, measure, best, floor=False) else None


def _all_near(
    arms: tuple[Interval, Interval], measure: Measure, end: float | None, floor: bool
) -> bool:
    """Whether both intervals lie no further than NEAR from this end, or beyond it."""
    if end is None:
        return False
    if (measure.better == "more") == floor:
        return all(high <= end + NEAR for _, high in arms)
    return all(low >= end - NEAR for low, _ in arms)
