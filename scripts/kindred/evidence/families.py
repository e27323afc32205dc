"""Claims about families in general: every family gives one difference, and families are the unit.

families/<name>/verdicts.json:
{
 "version": 2, "families": ["alike", "alike-okorie", ...], "level": 0.95, "rules": "labels 1",
 "hypotheses": {
   "heads": {
     "claim", "variant", "against", "measure", "prompt_set", "margin", "primary",
     "label": "supported",           by the rules in labels.py; 'in this family', 'in these two
                                     families' where fewer than three tell nothing of others
     "label_words", "sentence",
     "by_family": {"alike": 0.03, "alike-okorie": 0.05},
     "difference", "low", "high", "adjusted": {"level", "low", "high"},    null below 3 families
     "p", "p_adjusted"
   }
 }
}

A paired t: the mean of the families' differences, with the standard deviation over families and one
degree of freedom less than families. Runs, prompts and pictures make a family's difference more or
less exact, and that is part of how much families differ. Knows summary.json of each experiment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kindred.common.errors import Problems, did_you_mean
from kindred.evidence import labels
from kindred.evidence.hypothesis_tests import smallest_p
from kindred.evidence.intervals import LEVEL, Estimate, holm, level_of
from kindred.evidence.labels import Label, Reading, label_of
from kindred.evidence.summary import failed
from kindred.evidence.variance import Part
from kindred.evidence.variant_statistics import number
from kindred.evidence.verdict_sentences import gap, why
from kindred.evidence.verdicts import VERSION
from kindred.specs.families import FamiliesSpec
from kindred.specs.measures import MEASURES
from kindred.specs.scoring import Hypothesis

FEWEST = 3
FEW = {1: "in this family", 2: "in these two families"}
Json = dict[str, Any]


def families_verdicts(spec: FamiliesSpec, summaries: Mapping[str, Json]) -> Json:
    """verdicts.json of several experiments together. summaries: experiment -> its summary.json.

    Raises ProblemsError naming every variant and prompt set that an experiment lacks.
    """
    problems = Problems("the families can't be compared")
    told = {
        key: {name: _means(h, name, summaries[name], problems) for name in spec.families}
        for key, h in spec.hypotheses.items()
    }
    problems.raise_if_any()
    wrong = [line for name in spec.families for line in failed(summaries[name]["controls"])]
    estimates = {
        key: _estimate(list(by.values()), spec.hypotheses[key]) for key, by in told.items()
    }
    primary = [key for key, h in spec.hypotheses.items() if h.primary and estimates[key]]
    p = {key: smallest_p(one, spec.hypotheses[key].margin, None) for key, one in estimates.items()}
    decided = dict(zip(primary, holm([p[key] for key in primary]), strict=True))
    hypotheses = {}
    for key, h in spec.hypotheses.items():
        adjusted, left = decided.get(key, (p[key], 1))
        entry = _entry(h, told[key], estimates[key], left, bool(wrong))
        hypotheses[key] = {**entry, "p": number(p[key], 5), "p_adjusted": number(adjusted, 5)}
    return {
        "version": VERSION,
        "families": list(spec.families),
        "level": LEVEL,
        "rules": labels.RULES,
        "warnings": wrong,
        "hypotheses": hypotheses,
    }


def _means(
    h: Hypothesis, experiment: str, summary: Json, problems: Problems
) -> tuple[float, float]:
    """Of variant and the one it is compared with, in one family."""
    found = []
    for name in (h.variant, h.against):
        one = summary["variants"].get(name)
        where = f"results/{experiment}/summary.json"
        if one is None:
            cure = did_you_mean(name, summary["variants"])
            problems.add(where, f"no variant '{name}'", cure)
            continue
        scopes = one["measures"].get(h.measure, {})
        told = scopes.get(f"set:{h.prompt_set}")
        if told is None:
            what = f"{name} has no {h.measure} in '{h.prompt_set}'"
            known = {scope.removeprefix("set:") for scope in scopes if scope.startswith("set:")}
            problems.add(where, what, did_you_mean(h.prompt_set, known))
            continue
        found.append(told["mean"])
    return (found[0], found[1]) if len(found) == 2 else (float("nan"), float("nan"))


def _estimate(means: Sequence[tuple[float, float]], h: Hypothesis) -> Estimate | None:
    """The mean difference over families; None where there are too few to tell of others."""
    if len(means) < FEWEST:
        return None
    bounds = (-1.0, 1.0) if MEASURES[h.measure].kind.bounds else (-np.inf, np.inf)
    return _over([a - b for a, b in means], bounds)


def _over(values: Sequence[float], bounds: tuple[float, float]) -> Estimate:
    spread = float(np.var(values, ddof=1)) / len(values)
    return Estimate(float(np.mean(values)), Part(spread, len(values) - 1), "families", bounds)


def _entry(
    h: Hypothesis,
    means: Mapping[str, tuple[float, float]],
    estimate: Estimate | None,
    left: int,
    control_failed: bool,
) -> Json:
    differences = {name: a - b for name, (a, b) in means.items()}
    level = level_of(left)
    interval = estimate.interval(level) if estimate else None
    within = estimate.interval(2 * level - 1) if estimate else None
    label = Label(FEW.get(len(means), labels.UNMEASURED))
    if estimate:
        ends = (-np.inf, np.inf)
        both = [_over(values, ends).interval(level) for values in zip(*means.values(), strict=True)]
        told = (interval, within, (both[0], both[1]))
        label = label_of(Reading(h.measure, h.margin, None, *told, control_failed=control_failed))
    words = labels.words(label, h.margin, h.measure)
    listed = ", ".join(f"{name} {gap(value, h.measure)}" for name, value in differences.items())
    text = f"{words}. {h.variant} minus {h.against}, by family: {listed}"
    if estimate and interval and within:
        low, high = (
            gap(end, h.measure, unit) for end, unit in zip(interval, (False, True), strict=True)
        )
        reason = why(label, interval, within, h.margin, h.measure, left > 1)
        text += f"; {gap(estimate.value, h.measure)} on average ({low} to {high}); {reason}"
    else:
        text += f"; {FEWEST} families or more tell of families in general"
    plain = estimate.interval() if estimate else (None, None)
    return {
        **h.model_dump(mode="json", exclude={"paired", "excluded"}),
        "label": label.name,
        "x": label.x,
        "label_words": words,
        "sentence": f"{text}.",
        "by_family": {name: number(value) for name, value in differences.items()},
        "difference": number(
            estimate.value if estimate else float(np.mean([*differences.values()]))
        ),
        "low": number(plain[0]),
        "high": number(plain[1]),
        "adjusted": {
            "level": number(level),
            "low": number(interval[0]) if interval else None,
            "high": number(interval[1]) if interval else None,
        },
    }
