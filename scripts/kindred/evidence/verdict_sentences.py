"""A verdict in plain words: its label with the numbers, what would decide it, what to mind.

Knows English and the numbers of a hypothesis; decides nothing (labels.py) and computes nothing
(hypothesis_tests.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from kindred.common.sentences import counted, percent, plural
from kindred.evidence import labels
from kindred.evidence.hypothesis_tests import HypothesisTest
from kindred.evidence.intervals import Estimate
from kindred.specs.measures import HEADS, MEASURES, RATINGS


def sentence(decision: HypothesisTest, counts: str = "people") -> str:
    """The verdict in plain words with its numbers. `counts`: what the judge counts."""
    h, estimate = decision.hypothesis, decision.estimate
    measured = MEASURES[h.measure].says.format(counts=counts)
    if estimate is None or decision.arms is None:
        return (
            f"Not measured: no picture of '{h.prompt_set}' has a value for {measured} "
            f"in both {h.variant} and {h.against}."
        )
    means = [_value(arm.value, h.measure) for arm in decision.arms]
    numbers = (
        f"{_upper(measured)}: {means[0]} with {h.variant}, {means[1]} with {h.against}; "
        f"a difference of {gap(estimate.value, h.measure)} ({_intervals(decision, estimate)}), "
        f"{_runs(decision)}"
    )
    heading = labels.words(decision.label, h.margin, h.measure)
    return f"{heading}. {numbers}; {_why(decision)}."


def why(
    label: labels.Label,
    interval: labels.Interval,
    within: labels.Interval,
    margin: float,
    measure: str,
    corrected: bool = False,
) -> str:
    """What makes it this label: how the interval lies to margin, 0 and the scale's ends."""
    which = "the corrected interval" if corrected else "the interval"
    size = labels.amount(margin, measure)
    if label.name == labels.SUPPORTED:
        return f"{which} lies above the margin of {size}"
    if label.name == labels.EQUAL and label.x is not None:
        x = labels.amount(label.x, measure)
        return f"the interval for such a claim, {gaps(within, measure)}, lies within {x} either way"
    if label.name == labels.CONTRADICTED:
        beyond = f", by more than the margin of {size}" if label.beyond else ""
        return f"{which} lies below 0: it is the other way{beyond}"
    if label.name == labels.FLOOR:
        return "both read hardly more than where nobody is known, so nothing can be told apart here"
    if label.name == labels.CEILING:
        return "both are nearly perfect, so nothing can be told apart here"
    if label.name == labels.FAILED:
        return "a control of this experiment read wrong, so nothing is concluded"
    if label.name == labels.ONE:
        return "these are numbers of one training, which shows nothing of how much trainings differ"
    if label.name == labels.PILOT:
        return "so few trainings make a pilot, which decides nothing"
    return f"{which} decides nothing: {labels.excluded(interval, margin, measure)}"


def advice(decision: HypothesisTest) -> str:
    """What would decide it; '' when it is decided."""
    label, h = decision.label.name, decision.hypothesis
    if label in labels.DECIDED:
        return ""
    if decision.estimate is None:
        if RATINGS in MEASURES[h.measure].needs:
            return "Rate pictures of both variants on the rating page."
        return "See the warnings: the judge could not say."
    if label == labels.FAILED:
        return "Find out first why the control read wrong."
    if label in (labels.FLOOR, labels.CEILING):
        harder = "easier" if label == labels.FLOOR else "harder"
        return f"More runs will not tell them apart; ask {harder} prompts."
    if label == labels.ONE:
        return f"Train each variant at least {labels.FEWEST_FOR_ALL} times."
    if decision.more_runs is not None:
        return f"{decision.more_runs} training runs of each variant would probably decide it."
    if label == labels.PILOT:
        return f"Train each variant at least {labels.FEWEST_FOR_ALL} times."
    if abs(decision.estimate.value - h.margin) < 0.25 * max(h.margin, 0.04):
        return "The difference is about as large as the margin; more runs will hardly decide it."
    return "More runs alone will not decide it; ask more prompts."


def warnings_of(decision: HypothesisTest, judge: Mapping[str, Any]) -> list[str]:
    """What a reader must know before relying on the verdict."""
    found = []
    if judge["trusted"] is False:
        reasons = "; ".join(judge["why"])
        found.append(f"The judge is below its gates, so this is not to be trusted: {reasons}")
    if judge["counts"] == "faces" and HEADS in MEASURES[decision.hypothesis.measure].needs:
        found.append("The judge counts faces that it finds, not people: who looks away is missed.")
    if decision.estimate is not None:
        if decision.estimate.resampled == "pictures":
            found.append(
                f"{counted(decision.prompts, 'prompt')} only: the verdict is about "
                f"{plural(decision.prompts, 'this one', 'these')}, not about prompts in general."
            )
        if decision.dropped:
            lacks = ("picture that one variant lacks is", "pictures that one variant lacks are")
            found.append(f"{counted(decision.dropped, *lacks)} left out.")
    return found


UNTESTED = (
    "Nobody tested how often this judge is right, neither on pictures whose answers are known nor "
    "on photos of these people. Its figures may be wrong, so don't rely on them."
)


def never_tested(judge: Mapping[str, Any]) -> str:
    """What must be said of a judge that nobody tested and that no photos calibrated; '' of others.
    `judge` is as summary.json has it."""
    if judge["trusted"] is not None or judge.get("believed"):
        return ""
    why = f"{'; '.join(judge['why'])}. " if judge["why"] else ""
    return f"{why}{UNTESTED}"


def gap(value: float, measure: str) -> str:
    """A difference with its sign: '+12 points' of shares, '−0.12' of others."""
    if MEASURES[measure].kind.percent:
        return _minus(counted(f"{round(100 * value):+d}", "point"))
    return _minus(f"{value:+.2f}")


def gaps(interval: labels.Interval, measure: str) -> str:
    """An interval of differences: '−4 to +12 points' of shares, '−0.04 to +0.12' of others."""
    low, high = interval
    if MEASURES[measure].kind.percent:
        return _minus(f"{round(100 * low):+d} to {round(100 * high):+d} points")
    return _minus(f"{low:+.2f} to {high:+.2f}")


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _why(decision: HypothesisTest) -> str:
    interval, within = decision.deciding_interval(), decision.equivalence_interval()
    h = decision.hypothesis
    return why(decision.label, interval, within, h.margin, h.measure, decision.corrected)


def _intervals(decision: HypothesisTest, estimate: Estimate) -> str:
    """The interval at LEVEL and, where another decides, that one too."""
    h = decision.hypothesis
    text = f"95 % interval {gaps(estimate.interval(), h.measure)}"
    if not decision.corrected:
        return text
    corrected = gaps(decision.deciding_interval(), h.measure)
    return f"{text}; after correction for {decision.primaries} hypotheses {corrected}"


def _runs(decision: HypothesisTest) -> str:
    pairs = list(zip(decision.runs, decision.fixed, strict=True))
    trained = [runs for runs, fixed in pairs if not fixed]
    if not trained:
        return "nothing trained"
    paired = ", compared one by one" if decision.hypothesis.paired else ""
    if len(set(trained)) == 1:
        each = " each" if len(trained) == 2 else ""
        return f"{counted(trained[0], 'training run')}{each}{paired}"
    return f"{trained[0]} and {trained[1]} training runs{paired}"


def _value(value: float, measure: str) -> str:
    if math.isnan(value):
        return "nothing"
    if MEASURES[measure].kind.percent:
        return percent(value)
    return f"{value:.2f}"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
