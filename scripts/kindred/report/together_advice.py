"""What to try where several people are to be drawn together: pairs that no photo shows, and groups.

Knows the summary and photos per cell; how advice is ordered is recommendations.py's part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import Any

from kindred.common.sentences import counted
from kindred.data.audit.findings import composites, never_together, photos_with
from kindred.report import formatting
from kindred.report.changes_to_try import Recommendation, composed, steps_of
from kindred.report.figure_counts import group_pictures, out_of
from kindred.report.formatting import share
from kindred.report.next_experiments import photos_per_cell
from kindred.report.report_data import ReportData
from kindred.report.starting_variants import best_by
from kindred.specs.report import ReportSpec

SHORTFALL = 0.10  # below the product of the parts: being together is what fails
NOTABLE = 0.10  # share of pictures from which a fault is worth a remedy
WEAK = 0.90  # a part below this share is worth work
ROUGH = 24  # pictures below which a shortfall may be chance


def pairs(data: ReportData, spec: ReportSpec, best: str, variant: str) -> list[Recommendation]:
    """Pairs without a photo of the variant against pairs with some; what to try begins at the
    variant that gets the pair right most often."""
    cells = photos_per_cell(data, variant)
    success = data.variants[variant]["measures"].get("success", {})
    if not cells or len(data.characters) < 2:
        return []
    rates: dict[bool, list[tuple[str, float]]] = {True: [], False: []}
    images = 0
    for pair in combinations(sorted(data.characters), 2):
        statistic = success.get(f"cell:{'+'.join(pair)}")
        if statistic and statistic.get("mean") is not None:
            photographed = photos_with(cells, pair) > 0
            rates[photographed].append(("+".join(pair), statistic["mean"]))
            images = max(images, statistic["images"])
    if not rates[True] or not rates[False]:
        return []
    with_photo = formatting.mean([rate for _, rate in rates[True]]) or 0.0
    advice = []
    for pair, rate in rates[False]:
        start = best_by(data, spec, best, partial(_pair_success, data, pair))
        who = formatting.names_of(pair, data.names)
        seen = (
            f"No photo shows {who} together. Asked for both, “{variant}” gets them right in "
            f"{share(rate)} of pictures, against {share(with_photo)} for pairs that have a photo "
            f"(at most {counted(images, 'picture')} of a pair)."
        )
        now = _pair_success(data, pair, start) or 0.0
        if start != variant:
            seen += f" “{start}” does in {share(now)}."
        if rate >= with_photo - NOTABLE:
            do = "Photos of the two do not seem to be what it lacks."
            advice.append(Recommendation(seen, do))
        elif now >= with_photo - NOTABLE:
            do = f"Go on from “{start}”. It does as well as pairs that have a photo."
            advice.append(Recommendation(seen, do))
        else:
            do = f"Add a few photos of the two, or test a variant with {composites([pair])}."
            cause = "no training picture shows both, so the two were never told apart."
            change = composed(data, spec, start, f"more-{pair}", [pair])
            advice.append(Recommendation(seen, do, cause, change))
    return advice


def _pair_success(data: ReportData, pair: str, variant: str) -> float | None:
    """How often a variant gets a pair right that is asked for by itself."""
    statistic = data.variants[variant]["measures"].get("success", {}).get(f"cell:{pair}")
    return statistic.get("mean") if statistic else None


def groups(data: ReportData, spec: ReportSpec, best: str) -> list[Recommendation]:
    """Is the hardest group worse than its parts, or are the parts weak?"""
    chosen = {
        prompt_set: best_by(data, spec, best, partial(_group_success, data, prompt_set))
        for prompt_set in data.variants[best].get("parts") or {}
    }
    known = {
        prompt_set: part
        for prompt_set, variant in chosen.items()
        if (part := _part(data, prompt_set, variant))
    }
    prompt_set = min(known, key=lambda name: known[name]["success"], default=None)
    if prompt_set is None or known[prompt_set]["success"] >= WEAK:
        return []
    part, variant = known[prompt_set], chosen[prompt_set]
    if part["success"] >= part["product"] - SHORTFALL:
        return [_weakest(data, spec, variant, prompt_set, part)]
    number = group_pictures(data, variant, prompt_set)
    letters, trained = sorted(part.get("alone") or {}), photos_per_cell(data, variant)
    cells, why, cause = never_together(trained, letters), "Being together is what fails.", ""
    if cells:
        cause = "no photo shows them together, so each was learned as the only person in a picture."
    elif 0 < number < ROUGH:
        why = "So few pictures may lack that by chance: draw more first."
    else:
        all_of, total = photos_with(trained, letters), sum(trained.values())
        cause = f"{all_of} of {total} training pictures show all."
    seen = (
        f"{_groups_of(prompt_set)} “{variant}” gets everyone right in "
        f"{out_of({'mean': part['success'], 'images': number})}. From each person alone and the "
        f"number of people one would expect {share(part['product'])}. {why}"
    )
    change = composed(data, spec, variant, "groups", cells or ["+".join(letters)])
    longer = {"longer": {"steps": steps_of(data, variant, 1.5)}}
    question = "Do more composites of the groups, or more steps, make them right more often?"
    change = replace(change, question=question, variants={**change.variants, **longer})
    if not cells:
        do = "Test more pictures of such groups, or a longer training."
        return [Recommendation(seen, do, cause, change)]
    return [
        Recommendation(
            seen,
            f"Test photos of such groups, or a variant with {composites(cells)}, or a longer "
            "training. In the lab both together helped. Crops, masks, balance and class images by "
            "themselves did not (docs/findings/README.md).",
            cause,
            change,
        )
    ]


def _groups_of(prompt_set: str) -> str:
    return f"In “{prompt_set}”, where several of the family and nobody else are asked for,"


def _weakest(
    data: ReportData, spec: ReportSpec, variant: str, prompt_set: str, part: Mapping[str, Any]
) -> Recommendation:
    alone: dict[str, float] = part["alone"]
    lowest, count = min(alone.values()), part["count"]
    seen = (
        f"{_groups_of(prompt_set)} “{variant}” gets everyone right in {share(part['success'])} of "
        f"pictures, no less than to be expected from the single parts ({share(part['product'])}). "
    )
    if count <= lowest:
        return Recommendation(
            seen + f"The weakest part is the number of people, right in {share(count)}.",
            "Test captions with class nouns and left/right, and more photos of groups of that "
            "size.",
            "few training pictures may show so many people.",
            composed(data, spec, variant, "count", ["+".join(sorted(alone))]),
        )
    weak = sorted(letter for letter, rate in alone.items() if rate < lowest + NOTABLE)
    who = formatting.listing(data.names[letter] for letter in weak)
    highest = max(alone[letter] for letter in weak)
    rates = " to ".join(dict.fromkeys((share(lowest), share(highest))))
    if len(weak) == 1:
        return Recommendation(
            seen + f"The weakest part is {who}, right alone in {rates}.",
            f"Work on {who} first: more photos alone, composites of {who} alone at other places, "
            "or balanced appearances.",
            f"{who} may be in too few photos, or in photos that are too alike.",
            composed(data, spec, variant, f"more-{weak[0]}", weak),
        )
    if len(weak) < len(alone):
        return Recommendation(
            seen + f"The weakest parts are {who}, each right alone in {rates}.",
            f"Work on {who} first: more photos of each alone, composites of each alone at other "
            "places, or balanced appearances.",
            "they may be in too few photos, or in photos that are too alike.",
            composed(data, spec, variant, f"alone-{''.join(weak)}", weak),
        )
    return Recommendation(
        seen + f"Nobody is stronger than the others: {who} are each right alone in {rates}.",
        "Work on all of them: more photos of each alone, composites of each alone at other places, "
        "or a longer training.",
        "too few photos show people alone, or the training ended too soon.",
        composed(data, spec, variant, "more-alone", weak),
    )


def _part(data: ReportData, prompt_set: str, variant: str) -> Mapping[str, Any] | None:
    """What a variant's groups in a prompt set are made of; None where some part is unknown."""
    part = (data.variants[variant].get("parts") or {}).get(prompt_set)
    known = part and part["success"] is not None and part["product"] is not None
    return part if known else None


def _group_success(data: ReportData, prompt_set: str, variant: str) -> float | None:
    part = _part(data, prompt_set, variant)
    return part["success"] if part else None
