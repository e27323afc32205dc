"""Claims about families in general: every family gives one difference, and families are the unit.

families/<name>/verdicts.json:
{
 "version": 2, "families": ["alike", "alike-okorie", ...], "level": 0.95, "rules": "labels 1",
 "title", "question", "sequence": ["heads"],     tested first, in this order
 "declared": {...} or null,          as amendments.summed_up says: when, and what was changed
 "warnings": [...],                  what lets nothing be concluded, in sentences
 "gates": {name: ...}, "reach": {name: ...},     as family_limits.py says
 "copies": {...} or null,            as family_copies.py says; where they leave, `left`: pictures of
                                     every family that stay, of how many; `counted`: what
                                     hypotheses, gates and arms would read with them
 "people": {...} or null,            as who_is_it.py says: what people saw in pictures
 "arms": {prompt set: ...},                      as family_arms.py says
 "hypotheses": {
   "heads": {
     "claim", "variant", "against", "measure", "prompt_set", "margin", "primary",
     "label": "supported",           by the rules in labels.py; 'in this family', 'in these two
                                     families' where fewer than three tell nothing of others;
                                     'not tested' behind one of the sequence that is not supported
     "label_words", "sentence",
     "by_family": {"alike": 0.03, "alike-okorie": 0.05},
     "difference", "low", "high", "adjusted": {"level", "low", "high"},    null below 3 families
     "p", "p_adjusted"
   }
 }
}

A paired t (family_means.py). In what order claims are tested: family_order.py. Knows summary.json
of each experiment, and scores where copies have to leave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from kindred.common.errors import Problems, did_you_mean
from kindred.common.experiment_log import in_families
from kindred.common.sentences import counted
from kindred.evidence import labels
from kindred.evidence.amendments import summed_up
from kindred.evidence.family_arms import arms_part
from kindred.evidence.family_copies import (
    Rows,
    copies_read,
    means_of_both,
    pictures_left,
    without_copies,
)
from kindred.evidence.family_limits import limit_read
from kindred.evidence.family_means import FEWEST, over_families
from kindred.evidence.family_order import Test, tests
from kindred.evidence.hypothesis_tests import smallest_p
from kindred.evidence.intervals import LEVEL, Estimate, level_of
from kindred.evidence.labels import Label, Reading, label_of
from kindred.evidence.summary import failed
from kindred.evidence.variant_statistics import number
from kindred.evidence.verdict_sentences import gap, gaps, why
from kindred.evidence.verdicts import VERSION
from kindred.evidence.who_is_it import Answer, Judged, judged_pictures, who_is_it
from kindred.specs.families import FamiliesSpec
from kindred.specs.measures import MEASURES
from kindred.specs.scoring import FIXED_KINDS, Hypothesis

FEW = {1: "in this family", 2: "in these two families"}
Json = dict[str, Any]
Means = Mapping[str, tuple[float, float]]  # family -> of the variant and of the other one


def families_verdicts(
    spec: FamiliesSpec,
    summaries: Mapping[str, Json],
    scores: Callable[[str], Rows] | None = None,
    log: Sequence[Json] = (),
    answers: Sequence[Answer] = (),
) -> Json:
    """verdicts.json of several experiments together. summaries: experiment -> its summary.json.
    scores: the rows of an experiment's scores, asked for where copies leave or people have said
    who is in pictures. log: of what was declared. answers: what people said.

    Raises ProblemsError naming every variant and prompt set that an experiment lacks.
    """
    copies = copies_read(spec.copies, summaries) if spec.copies else None
    means = _means_of_all(spec, summaries)
    if copies and copies["leave"] and scores:
        _, copies["counted"] = _concluded(spec, summaries, means)
        rows = {name: scores(name) for name in summaries}
        copies["left"] = {name: pictures_left(rows[name], copies["variant"]) for name in rows}
        summaries = {name: without_copies(one, rows[name]) for name, one in summaries.items()}
        means = _of_both(spec, summaries, _means_of_all(spec, summaries))
    people = _seen_by_people(summaries, scores, answers) if answers and scores else None
    wrong, concluded = _concluded(spec, summaries, means)
    return {
        "version": VERSION,
        "title": spec.title,
        "question": spec.question,
        "families": list(spec.families),
        "sequence": spec.sequence,
        "level": LEVEL,
        "rules": labels.RULES,
        "declared": summed_up(log, runs_compared(summaries)) if log else None,
        "warnings": wrong,
        "reach": {name: limit_read(one, summaries) for name, one in spec.reach.items()},
        "copies": copies,
        "people": people,
        **concluded,
    }


def _seen_by_people(
    summaries: Mapping[str, Json], scores: Callable[[str], Rows], answers: Sequence[Answer]
) -> Json | None:
    """What people say of who is in pictures of all families, beside the judge."""
    judged: dict[str, Judged] = {}
    for name, one in summaries.items():
        judged |= judged_pictures(scores(name), sorted(one["characters"]))
    return who_is_it(answers, judged)


def runs_compared(summaries: Mapping[str, Json]) -> dict[str, list[int]]:
    """The runs of every variant in every family, as the log of families names them."""
    return {
        in_families(name, variant): one["runs"]
        for name, summary in summaries.items()
        for variant, one in summary["variants"].items()
        if one["kind"] not in FIXED_KINDS
    }


def _wrong(
    spec: FamiliesSpec, gates: Mapping[str, Json], summaries: Mapping[str, Json]
) -> list[str]:
    """Why nothing is concluded: gates that don't hold or, without gates, controls that read wrong
    in one of the families. Of many families some control reads wrong by chance, which gates over
    all of them do not."""
    if spec.gates:
        return [f"{one['says']}: {one['sentence']}" for one in gates.values() if not one["holds"]]
    return [line for one in summaries.values() for line in failed(one["controls"])]


def _decided(
    spec: FamiliesSpec, means: Mapping[str, Means], control_failed: bool
) -> dict[str, Json]:
    """Every hypothesis, in the order in which they are tested."""
    estimates = {key: _estimate(means[key], h) for key, h in spec.hypotheses.items()}
    p = {key: smallest_p(one, spec.hypotheses[key].margin, None) for key, one in estimates.items()}
    primary = [key for key, h in spec.hypotheses.items() if h.primary and estimates[key]]

    def entry(key: str, test: Test) -> Json:
        return _entry(spec.hypotheses[key], means[key], estimates[key], test, control_failed)

    def supported(key: str) -> bool:
        return entry(key, Test())["label"] == labels.SUPPORTED

    order = tests(p, primary, spec.sequence, supported)
    return {
        key: {
            **entry(key, order[key]),
            "p": number(p[key], 5),
            "p_adjusted": number(order[key].p, 5),
        }
        for key in spec.hypotheses
    }


def _means_of_all(spec: FamiliesSpec, summaries: Mapping[str, Json]) -> dict[str, Means]:
    """Of every hypothesis, the means of its families. Raises ProblemsError."""
    problems = Problems("the families can't be compared")
    means = {
        key: {name: _means(h, name, summaries[name], problems) for name in h.families or summaries}
        for key, h in spec.hypotheses.items()
    }
    problems.raise_if_any()
    return means


def _of_both(
    spec: FamiliesSpec, summaries: Mapping[str, Json], means: Mapping[str, Means]
) -> dict[str, Means]:
    """Means of claims about casts over the casts that both variants have left; families without
    any leave the claim. Raises ProblemsError where none is left in a claim."""
    fewest = spec.copies.fewest if spec.copies else 0
    found, problems = dict(means), Problems("the families can't be compared")
    for key, h in spec.hypotheses.items() if fewest else ():
        if h.measure == "cast":
            both = {name: means_of_both(summaries[name], h, fewest) for name in means[key]}
            found[key] = {name: pair for name, pair in both.items() if pair}
            if not found[key]:
                what = f"without copies no cast has {counted(fewest, 'picture')} of both variants"
                problems.add(f"hypotheses.{key}", what, "lower `copies.fewest`, or draw more")
    problems.raise_if_any()
    return found


def _concluded(
    spec: FamiliesSpec, summaries: Mapping[str, Json], means: Mapping[str, Means]
) -> tuple[list[str], dict[str, Json]]:
    """Why nothing is concluded, and what gates, arms and hypotheses read by these figures."""
    gates = {name: limit_read(one, summaries) for name, one in spec.gates.items()}
    wrong = _wrong(spec, gates, summaries)
    hypotheses = _decided(spec, means, bool(wrong))
    return wrong, {"gates": gates, "arms": arms_part(summaries), "hypotheses": hypotheses}


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
        scope = scopes.get(f"set:{h.prompt_set}")
        if scope is None:
            what = f"{name} has no {h.measure} in '{h.prompt_set}'"
            known = {scope.removeprefix("set:") for scope in scopes if scope.startswith("set:")}
            problems.add(where, what, did_you_mean(h.prompt_set, known))
            continue
        found.append(scope["mean"])
    return (found[0], found[1]) if len(found) == 2 else (float("nan"), float("nan"))


def _estimate(means: Means, h: Hypothesis) -> Estimate | None:
    """The mean difference over families; None where there are too few to tell of others."""
    bounds = (-1.0, 1.0) if MEASURES[h.measure].kind.bounds else (-np.inf, np.inf)
    return over_families([a - b for a, b in means.values()], bounds)


def _entry(
    h: Hypothesis, means: Means, estimate: Estimate | None, test: Test, control_failed: bool
) -> Json:
    differences = {name: a - b for name, (a, b) in means.items()}
    level = level_of(test.left)
    interval = estimate.interval(level) if estimate else None
    label = _label(h, means, estimate, test, control_failed)
    words = labels.words(label, h.margin, h.measure)
    plain = estimate.interval() if estimate else (None, None)
    return {
        **h.model_dump(mode="json", exclude={"paired", "excluded", "families"}),
        "label": label.name,
        "x": label.x,
        "label_words": words,
        "sentence": _sentence(h, differences, estimate, label, test),
        "by_family": {name: number(value) for name, value in differences.items()},
        "difference": number(estimate.value if estimate else fmean(differences.values())),
        "low": number(plain[0]),
        "high": number(plain[1]),
        "adjusted": {
            "level": number(level),
            "low": number(interval[0]) if interval else None,
            "high": number(interval[1]) if interval else None,
        },
    }


def _label(
    h: Hypothesis, means: Means, estimate: Estimate | None, test: Test, control_failed: bool
) -> Label:
    if estimate is None:
        return Label(FEW.get(len(means), labels.UNMEASURED))
    level = level_of(test.left)
    both = [over_families(values) for values in zip(*means.values(), strict=True)]
    arms = [one.interval(level) for one in both if one]
    reading = Reading(
        h.measure,
        h.margin,
        None,
        estimate.interval(level),
        estimate.interval(2 * level - 1),
        (arms[0], arms[1]),
        control_failed=control_failed,
    )
    return Label(labels.UNTESTED) if test.after and not control_failed else label_of(reading)


def _sentence(
    h: Hypothesis,
    differences: Mapping[str, float],
    estimate: Estimate | None,
    label: Label,
    test: Test,
) -> str:
    words = labels.words(label, h.margin, h.measure)
    listed = ", ".join(f"{name} {gap(value, h.measure)}" for name, value in differences.items())
    text = f"{words}. {h.variant} minus {h.against}, by family: {listed}"
    if estimate is None:
        return f"{text}; {FEWEST} families or more tell of families in general."
    level = level_of(test.left)
    interval, within = estimate.interval(level), estimate.interval(2 * level - 1)
    text += f"; {gap(estimate.value, h.measure)} on average ({gaps(interval, h.measure)})"
    if label.name == labels.UNTESTED:
        return f"{text}; {test.after}, which was to be supported before, is not."
    return f"{text}; {why(label, interval, within, h.margin, h.measure, test.left > 1)}."
