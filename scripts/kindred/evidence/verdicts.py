"""Verdicts on declared hypotheses, in numbers and in plain words.

verdicts.json:
{
 "version": 1, "experiment": "family", "level": 0.95,
 "pairing": "pictures by prompt ...", how the two arms of a hypothesis are compared
 "rules": "compare 4",               the version of the rules of labels
 "declared": {                       null when no declaration was kept
   "time": "2026-01-31T12:00:00Z",   of the declaration that stands
   "hash": "...",                    of all that it covers
   "changes": ["names-matter: margin was 0.1, is 0.05", "pairs: added"],    [] when equal
   "trained": 0,                     trainings that had begun by then
   "statement": "declared ..., unchanged since", "amended": 0,
   "table": [{"number", "date", "what", "before", "after", "seen", "claims", "why"}],
   "exploratory": {"pairs": "changed ..., when results of the same runs of all had been seen"}
 },
 "judge": {"identity": "...", "counts": "people", "trusted": true, "why": ["count: ..."]},
                                     trusted: true, false (below a gate) or null (never tested)
 "hypotheses": {
   "names-matter": {
     "claim": "...", "variant": "all", "against": "scrambled", "measure": "success",
     "prompt_set": "trio", "margin": 0.1, "primary": true,
     "verdict": "supported",         supported | refuted | undecided | pilot | unmeasured
     "leaning": "supported",         what the numbers alone say; differs for a pilot
     "sentence": "...",              the verdict in plain words with its numbers
     "estimate": {"variant": {"mean", "runs": 10}, "against": {...}},
     "difference": 0.31, "low": 0.18, "high": 0.44,      at 95 %
     "p": 0.0005, "p_adjusted": 0.001,                    Holm over the primaries, one-sided
     "adjusted": {"level": 0.975, "low": 0.16, "high": 0.46},   decides when primary
     "odds_ratio": {"value", "low", "high"} or null       null for measures that are no share
     "no_difference": false,         the interval lies within the margin on both sides
     "opposite": false,              the interval lies below minus the margin
     "parts": {"variant": {...}, "against": {...}},   as in summary.json, of this prompt set
     "pairs": 192, "prompts": 24, "seeds": 8, "dropped": 0,
     "resampled": "prompts",         of what beside runs these are a sample: prompts | pictures
                                     (fewer than 5 prompts)
     "more_runs": 3 or null,         runs an arm that would probably decide it
     "advice": "...",                the same in words; '' when decided
     "warnings": ["..."]
   }
 }
}

summary.json (summary.py writes it; every statistic is {"mean", "low", "high", "runs", "images"},
low and high null where they can't be known):
{
 "version": 1, "experiment", "title", "question",
 "characters": {"J": {"name": "JRussell", "class": "man"}},
 "judge": {"identity", "hash", "counts", "trusted", "why", "recognised", "stranger", "source",
           "figures": {...} of its gates, "distance": "cosine" | "small copies"},
 "references": {"J": {"photos": ["dataset/J-01"], "same": 0.86, "warning": ""}},
 "prompt_sets": {"trio": {"prompts": {"card": {"text": "...", "asked": "A+C+J"}},
                          "seeds": [1, 2], "sizes": ["3"]}},
 "baseline": "all",                  what most hypotheses compare with
 "own": {"J": "only-J"},             the LoRA of that character alone, where there is one that is
                                     no control: of the baseline's base and photos, then by name
 "variants": {
   "all": {
     "kind": "trained" | "loaded" | "base", "dataset": "russell" | null, "base": "lab",
     "control": "" | "base" | "scrambled" | "scrambled of <variant>" | "null of <variant>",
     "only": "J" | null,             the one character that it is trained on
     "runs": [1, 2], "images": 96,
     "training": {"seconds": 81.2, "peak_memory_mib": 700, "steps": 600, "final_loss": 0.4} or
                 null,               means over the runs
     "measures": {                   measure -> scope -> statistic
       "success": {"all": {...}, "set:trio": {...}, "cell:A+J": {...}, "asked:2": {...}},
       "fulfilled",                  where the judge's adherence is a probability
       "count", "identity", "adherence", "missing", "duplicated", "strangers", "diversity",
       "drift", "pull", "nearest_distance", "rating"
     },                              pull: in prompts without names, share showing a character
     "identity": {"J": {"1": {...}, "2": {...}, "3": {...}}},   by how many were asked for
     "of_own": {"J": {"1": {...}, "3": {...}}},   the same as a share of that in pictures of J alone
                                     by a LoRA of J alone; absent where that one is no likeness
     "parts": {"trio": {"success": 0.4, "count": 0.7, "alone": {"J": 0.9, "A": 0.8, "C": 0.9},
                        "product": 0.45, "interaction": -0.05}},  null where not asked
     "bleed": {"asked": ["A", "C", "J"], "found": ["A", "C", "J", "stranger", "missing"],
               "shares": [[0.9, 0.0, 0.0, 0.1, 0.0], ...], "appearances": [120, 96, 96]}
   }
 },
 "comparisons": [{"variant", "against", "measure", "prompt_set", "difference", "low", "high",
                  "runs": [3, 3]}],
                                     every trained variant with the baseline; not hypotheses
 "controls": [{"kind": "scrambled" | "null" | "base", "variant", "against", "prompt_set",
               "difference", "low", "high", "passes": true | false | null, "sentence"}],
 "ratings": null or {"images": 40, "ratings": 80, "raters": ["..."], "alpha": 0.71,
             "judge": {"auc": 0.9, "spearman": 0.6, "images": 40}, "sentence": "..."},
 "casts": {...},                     of cast sets, here and of every variant: see cast_figures.py
 "warnings": ["no photo shows A alone: ..."]
}
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from kindred.common.versions import step_version
from kindred.evidence.amendments import declared_part, warnings_of_declaration
from kindred.evidence.hypothesis_tests import HypothesisTest, decide_all
from kindred.evidence.intervals import LEVEL, Estimate
from kindred.evidence.score_grids import ImageIndex, ScoreGrid
from kindred.evidence.variant_statistics import number, parts
from kindred.specs.measures import HEADS, MEASURES, RATINGS
from kindred.specs.scoring import CompareSpec, Hypothesis

VERSION = 1
PAIRING = "pictures by prompt and seed; runs of two arms are independent"
Json = dict[str, Any]


def verdicts(
    spec: CompareSpec,
    grids: Mapping[str, ScoreGrid],
    pictures: ImageIndex,
    judge: Json,
    declared: Sequence[Json],
) -> Json:
    """verdicts.json. `declared`: the log of declarations, oldest first."""
    decisions = decide_all(spec, grids, pictures)
    declaration = declared_part(spec, declared)
    return {
        "version": VERSION,
        "experiment": spec.experiment,
        "level": LEVEL,
        "pairing": PAIRING,
        "rules": step_version("compare"),
        "declared": declaration,
        "judge": {key: judge[key] for key in ("identity", "counts", "trusted", "why")},
        "hypotheses": {
            name: {
                **_entry(decision, spec, grids, pictures),
                "warnings": [
                    *warnings_of_declaration(name, declaration),
                    *warnings_of(decision, judge),
                ],
                "sentence": sentence(decision, judge["counts"]),
            }
            for name, decision in decisions.items()
        },
    }


def _entry(
    decision: HypothesisTest,
    spec: CompareSpec,
    grids: Mapping[str, ScoreGrid],
    pictures: ImageIndex,
) -> Json:
    h = decision.hypothesis
    low, high = _interval(decision.estimate, LEVEL)
    adjusted = _interval(decision.estimate, decision.adjusted_level)
    sides = {"variant": h.variant, "against": h.against}
    return {
        **h.model_dump(mode="json"),
        "verdict": decision.verdict,
        "leaning": decision.leaning,
        "estimate": {
            side: {"mean": number(mean), "runs": runs}
            for side, mean, runs in zip(sides, decision.means, decision.runs, strict=True)
        },
        "difference": number(decision.estimate.value) if decision.estimate else None,
        "low": low,
        "high": high,
        "p": number(decision.p, 5),
        "p_adjusted": number(decision.p_adjusted, 5),
        "adjusted": {
            "level": number(decision.adjusted_level),
            "low": adjusted[0],
            "high": adjusted[1],
        },
        "odds_ratio": _odds(decision.odds_ratio),
        "no_difference": no_difference(decision),
        "opposite": opposite(decision),
        "parts": {side: parts(grids[name], pictures, h.prompt_set) for side, name in sides.items()},
        "pairs": decision.pairs,
        "prompts": decision.prompts,
        "seeds": decision.seeds,
        "dropped": decision.dropped,
        "resampled": decision.estimate.resampled if decision.estimate else "",
        "more_runs": None if settled(decision) else decision.more_runs,
        "advice": advice(decision),
    }


def _interval(estimate: Estimate | None, level: float) -> tuple[float | None, float | None]:
    if estimate is None:
        return None, None
    low, high = estimate.interval(level)
    return number(low), number(high)


def _odds(estimate: Estimate | None) -> Json | None:
    if estimate is None:
        return None
    low, high = _interval(estimate, LEVEL)
    return {"value": number(estimate.value), "low": low, "high": high}


def settled(decision: HypothesisTest) -> bool:
    """Whether nothing more needs to be trained."""
    return decision.verdict in ("supported", "refuted")


def no_difference(decision: HypothesisTest) -> bool:
    """Whether the interval that decides lies within the margin on both sides."""
    if decision.estimate is None or decision.pilot:
        return False
    low, high = decision.deciding_interval()
    return -decision.hypothesis.margin < low and high < decision.hypothesis.margin


def opposite(decision: HypothesisTest) -> bool:
    """Whether the difference is beyond the margin, but the other way."""
    if decision.estimate is None or decision.pilot:
        return False
    return decision.deciding_interval()[1] < -decision.hypothesis.margin


def sentence(decision: HypothesisTest, counts: str = "people") -> str:
    """The verdict in plain words with its numbers. `counts`: what the judge counts."""
    h, estimate = decision.hypothesis, decision.estimate
    measured = MEASURES[h.measure].says.format(counts=counts)
    if estimate is None:
        return (
            f"Not measured: no picture of '{h.prompt_set}' has a value for {measured} "
            f"in both {h.variant} and {h.against}."
        )
    numbers = (
        f"{_upper(measured)}: {_value(decision.means[0], h)} with {h.variant}, "
        f"{_value(decision.means[1], h)} with {h.against}; a difference of "
        f"{_gap(estimate.value, h)} ({_intervals(decision, estimate)}), {_runs(decision)}"
    )
    if decision.verdict == "pilot":
        return (
            "Pilot: one training run shows nothing of how much trainings differ. "
            f"{numbers}; {_pilot_leans(decision)}."
        )
    return f"{_upper(decision.verdict)}. {numbers}; {_where(decision)}."


def _intervals(decision: HypothesisTest, estimate: Estimate) -> str:
    """The interval at LEVEL and, where another decides, that one too."""
    h = decision.hypothesis
    low, high = estimate.interval(LEVEL)
    text = f"95 % interval {_gap(low, h, False)} to {_gap(high, h)}"
    if not decision.corrected:
        return text
    low, high = decision.deciding_interval()
    return (
        f"{text}; after correction for {decision.primaries} hypotheses "
        f"{_gap(low, h, False)} to {_gap(high, h)}"
    )


def _where(decision: HypothesisTest) -> str:
    """How the interval that decides lies to the margin."""
    h = decision.hypothesis
    interval = "the corrected interval" if decision.corrected else "the interval"
    where = {"supported": "lies above", "refuted": "lies below"}.get(decision.leaning, "includes")
    how = _refuted_how(decision) if decision.leaning == "refuted" else ""
    return f"{interval} {where} the margin of {_gap(h.margin, h).lstrip('+')}{how}"


def _pilot_leans(decision: HypothesisTest) -> str:
    lean = {"supported": "for", "refuted": "against"}.get(decision.leaning)
    return f"the numbers lean {lean} the claim" if lean else _where(decision)


def _refuted_how(decision: HypothesisTest) -> str:
    if opposite(decision):
        return ", and beyond it the other way: the opposite holds"
    return ", on both sides: no difference that matters" if no_difference(decision) else ""


def advice(decision: HypothesisTest) -> str:
    """What would decide it; '' when it is decided."""
    if settled(decision):
        return ""
    h = decision.hypothesis
    if decision.estimate is None:
        if RATINGS in MEASURES[h.measure].needs:
            return "Rate pictures of both variants on the rating page."
        return "See the warnings: the judge could not say."
    if decision.more_runs is not None:
        return f"{decision.more_runs} training runs an arm would probably decide it."
    if decision.pilot:
        return "Train each arm at least three times."
    if abs(decision.estimate.value - h.margin) < 0.25 * max(h.margin, 0.04):
        return "The difference is about as large as the margin; more runs will hardly decide it."
    return "More runs alone will not decide it; ask more prompts."


def warnings_of(decision: HypothesisTest, judge: Json) -> list[str]:
    """What a reader must know before relying on the verdict."""
    found = []
    if judge["trusted"] is False:
        why = "; ".join(judge["why"])
        found.append(f"The judge is below its gates, so this is not to be trusted: {why}")
    if judge["counts"] == "faces" and HEADS in MEASURES[decision.hypothesis.measure].needs:
        found.append("The judge counts faces that it finds, not people: who looks away is missed.")
    if decision.estimate is not None:
        if decision.estimate.resampled == "pictures":
            found.append(
                f"{decision.prompts} prompt{'s' if decision.prompts > 1 else ''} only: the verdict "
                "is about these, not about prompts in general."
            )
        if decision.dropped:
            found.append(f"{decision.dropped} pictures that one arm lacks are left out.")
    return found


def _runs(decision: HypothesisTest) -> str:
    pairs = list(zip(decision.runs, decision.fixed, strict=True))
    trained = [runs for runs, fixed in pairs if not fixed]
    if not trained:
        return "nothing trained"
    if len(set(trained)) == 1:
        plural = "s" if trained[0] != 1 else ""
        each = " each" if len(trained) == 2 else ""
        return f"{trained[0]} training run{plural}{each}"
    return f"{trained[0]} and {trained[1]} training runs"


def _value(value: float, hypothesis: Hypothesis) -> str:
    if math.isnan(value):
        return "nothing"
    if MEASURES[hypothesis.measure].kind.percent:
        return f"{value:.0%}".replace("%", " %")
    return f"{value:.2f}"


def _gap(value: float, hypothesis: Hypothesis, unit: bool = True) -> str:
    if MEASURES[hypothesis.measure].kind.percent:
        points = round(100 * value)
        return f"{points:+d}" + (" points" if unit else "")
    return f"{value:+.2f}"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
