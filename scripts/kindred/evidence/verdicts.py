"""Verdicts on declared hypotheses, in numbers and in plain words.

verdicts.json:
{
 "version": 2, "experiment": "family", "level": 0.95,
 "pairing": "pictures by prompt ...", how the two arms of a hypothesis are compared
 "rules": "labels 1",                the version of the rules of labels
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
     "label": "supported",           by the rules in labels.py
     "label_words": "Supported",     as a heading says it: "No difference larger than 10 points"
     "sentence": "...",              the verdict in plain words with its numbers
     "estimate": {"variant": {"mean", "runs": 10}, "against": {...}},
     "difference": 0.31, "low": 0.18, "high": 0.44,      at 95 %
     "p": 0.0005, "p_adjusted": 0.001,                    Holm over the primaries, one-sided
     "adjusted": {"level": 0.975, "low": 0.16, "high": 0.46},   decides when primary
     "odds_ratio": {"value", "low", "high"} or null       null for measures that are no share
     "equivalence": {"level": 0.9, "low", "high",     by which "no difference larger than x" is read
                     "x": 0.1 or null,               the x that these runs may show
                     "shown": 0.07},                 the smallest x that the interval would show
     "beyond": false,                contradicted by more than the margin
     "paired": false,                runs were compared one by one, as declared
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
 "version": 2, "experiment", "title", "question",
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
     "kind": "trained" | "loaded" | "references" | "base", "dataset": "russell" | null,
     "base": "lab", "references": {"J": 2},   photos that the base is shown, where it is shown any
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
                  "x",               the smallest of which the 90 % interval shows no larger one
                  "runs": [3, 3]}],
                                     every trained variant with the baseline; not hypotheses
 "controls": [{"kind": "scrambled" | "null" | "base", "variant", "against", "prompt_set",
               "difference", "low", "high", "x", "passes": true | false | null, "sentence"}],
 "ratings": null or {"images": 40, "ratings": 80, "raters": ["..."], "alpha": 0.71,
             "judge": {"auc": 0.9, "spearman": 0.6, "images": 40}, "sentence": "..."},
 "casts": {...},                     of cast sets, here and of every variant: see cast_figures.py
 "warnings": ["no photo shows A alone: ..."]
}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kindred.evidence import labels
from kindred.evidence.amendments import declared_part, warnings_of_declaration
from kindred.evidence.hypothesis_tests import HypothesisTest, decide_all
from kindred.evidence.intervals import LEVEL, Estimate
from kindred.evidence.score_grids import ImageIndex, ScoreGrid
from kindred.evidence.variant_statistics import number, parts
from kindred.evidence.verdict_sentences import advice, sentence, warnings_of
from kindred.specs.scoring import CompareSpec

VERSION = 2
PAIRING = "pictures by prompt and seed; runs only where a hypothesis says `paired`"
Json = dict[str, Any]


def verdicts(
    spec: CompareSpec,
    grids: Mapping[str, ScoreGrid],
    pictures: ImageIndex,
    judge: Json,
    declared: Sequence[Json],
    failed: Sequence[str] = (),
) -> Json:
    """verdicts.json. `declared`: the log of declarations, oldest first. `failed`: what controls of
    the experiment read wrong, in sentences."""
    decisions = decide_all(spec, grids, pictures, bool(failed))
    declaration = declared_part(spec, declared)
    return {
        "version": VERSION,
        "experiment": spec.experiment,
        "level": LEVEL,
        "pairing": PAIRING,
        "rules": labels.RULES,
        "declared": declaration,
        "judge": {key: judge[key] for key in ("identity", "counts", "trusted", "why")},
        "hypotheses": {
            name: {
                **_entry(decision, spec, grids, pictures),
                "warnings": [
                    *warnings_of_declaration(name, declaration),
                    *warnings_of(decision, judge),
                    *failed,
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
    adjusted = _interval(decision.estimate, decision.level)
    sides = {"variant": h.variant, "against": h.against}
    return {
        **h.model_dump(mode="json"),
        "label": decision.label.name,
        "label_words": labels.words(decision.label, h.margin, h.measure),
        "estimate": {
            side: {"mean": number(arm.value) if arm else None, "runs": runs}
            for side, arm, runs in zip(
                sides, decision.arms or (None, None), decision.runs, strict=True
            )
        },
        "difference": number(decision.estimate.value) if decision.estimate else None,
        "low": low,
        "high": high,
        "p": number(decision.p, 5),
        "p_adjusted": number(decision.p_adjusted, 5),
        "adjusted": {
            "level": number(decision.level),
            "low": adjusted[0],
            "high": adjusted[1],
        },
        "odds_ratio": _odds(decision.odds_ratio),
        "equivalence": _equivalence(decision),
        "beyond": decision.label.beyond,
        "parts": {side: parts(grids[name], pictures, h.prompt_set) for side, name in sides.items()},
        "pairs": decision.pairs,
        "prompts": decision.prompts,
        "seeds": decision.seeds,
        "dropped": decision.dropped,
        "resampled": decision.estimate.resampled if decision.estimate else "",
        "more_runs": decision.more_runs if decision.label.name in labels.OPEN else None,
        "advice": advice(decision),
    }


def _equivalence(decision: HypothesisTest) -> Json | None:
    if decision.estimate is None:
        return None
    low, high = decision.equivalence_interval()
    return {
        "level": number(2 * decision.level - 1),
        "low": number(low),
        "high": number(high),
        "x": labels.equivalence_margin(decision.hypothesis.margin, decision.fewest_runs),
        "shown": number(max(-low, high)),
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
