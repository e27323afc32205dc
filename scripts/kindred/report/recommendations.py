"""What to try next, from the numbers: each piece of advice says what was seen, why that may be, and
what to do, with the change of the experiment that would try it.

Looks at the best trained variant, because that is the one to go on from. People who are to be drawn
together are in together_advice.py. Knows the summary; the
remedies are those that the lab found to help (docs/findings/README.md) or that practitioners and
papers report, to be tested as further variants.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

from kindred.common.sentences import counted
from kindred.data.audit.findings import photos_with
from kindred.evidence.adapter_choice import AdapterChoice
from kindred.evidence.labels import OPEN
from kindred.report import formatting
from kindred.report.changes_to_try import (
    Recommendation,
    composed,
    longer,
    steps_of,
    with_strangers,
)
from kindred.report.figure_counts import out_of
from kindred.report.next_experiments import (
    Change,
    composites_of,
    photos_per_cell,
    photos_to_crop,
)
from kindred.report.report_data import ReportData
from kindred.report.shapes_advice import by_shape
from kindred.report.starting_variants import best_variant
from kindred.report.together_advice import NOTABLE, groups, pairs
from kindred.report.trainings_needed import for_verdict
from kindred.specs.report import ReportSpec

STRANGERS = 0.20  # by which pictures with strangers are right less often
POOR_LIKENESS = 0.6
MOST = 8


def recommendations(
    data: ReportData, spec: ReportSpec, choice: AdapterChoice | None = None
) -> list[Recommendation]:
    """Advice, the most pressing first; choice: which LoRA the page says to take."""
    found, best = _about_trust(data), best_variant(data, choice)
    nobody = best is not None and len(little_alike(data, best)) == len(data.characters)
    found += _likeness(data, spec, best) if nobody else []
    found += _about_verdicts(data)
    if best is not None:
        # Composites count as photos of a pair; then the baseline tells what photos alone gave.
        baseline = data.summary["baseline"]
        found += pairs(data, spec, best, best) or pairs(data, spec, best, baseline)
        found += [Recommendation(*one) for one in by_shape(data, spec, best)]
        likeness = () if nobody else (_likeness,)
        for look in (_beside_strangers, groups, _bleed, *likeness, _repeats, _pull):
            found += look(data, spec, best)
    return found[:MOST]


def _about_trust(data: ReportData) -> list[Recommendation]:
    found = []
    judge = data.summary["judge"]
    if judge["trusted"] is False:
        found.append(
            Recommendation(
                f"The judge does not reach what it has to ({formatting.listing(judge['why'])}).",
                "Choose or train a better judge before you believe any number here. Pictures need "
                "not be drawn again.",
            )
        )
    for control in data.summary["controls"]:
        if control["passes"] is False:
            found.append(
                Recommendation(
                    control["sentence"],
                    "If a control fails, the set-up itself is not understood. Look into it before "
                    "you read anything else.",
                )
            )
    return found


def _about_verdicts(data: ReportData) -> list[Recommendation]:
    return [
        Recommendation(f"“{one['claim']}” is not decided.", for_verdict(one, bool(data.power)))
        for one in data.hypotheses.values()
        if one["primary"] and one["label"] in OPEN and one["advice"]
    ]


def _beside_strangers(data: ReportData, spec: ReportSpec, variant: str) -> list[Recommendation]:
    """Casts with somebody without a name against casts of the family alone."""
    found = []
    for prompt_set, one in (data.variants[variant].get("casts") or {}).items():
        kinds = one["accuracy"]
        if "family" in kinds and "others" in kinds:
            family, others = kinds["family"]["mean"], kinds["others"]["mean"]
            if others < family - STRANGERS:
                seen = (
                    f"Beside strangers, “{variant}” is right in {out_of(kinds['others'])}, "
                    f"against {out_of(kinds['family'])} of the family alone."
                )
                made = composites_of(data, spec, variant)
                found.append(
                    Recommendation(
                        f"{seen} Other people get the family's looks.",
                        "Test a variant with other people in its composites, called 'a man' or 'a "
                        "child': “strangers: {of: <a dataset of others>, share: 0.5}” in its "
                        "`compose`. In the lab that raised right pictures with strangers from 24 "
                        "to 86 % (ten trainings each).",
                        ""
                        if made and made.strangers
                        else "it was trained on nobody but the family, so the class noun came to "
                        "mean them.",
                        with_strangers(data, spec, variant, prompt_set),
                    )
                )
    return found


def _bleed(data: ReportData, spec: ReportSpec, variant: str) -> list[Recommendation]:
    """The strongest confusion of one character with another."""
    table = data.variants[variant].get("bleed") or {"asked": []}
    times = table.get("appearances") or [0] * len(table["asked"])
    confusions = [
        (value or 0.0, asked, found, number)
        for asked, row, number in zip(table["asked"], table.get("shares", []), times, strict=True)
        for found, value in zip(table["found"], row or [], strict=bool(row))
        if found in data.characters and found != asked
    ]
    worst, asked, found, number = max(confusions, default=(0.0, "", "", 0))
    if worst < NOTABLE:
        return []
    one, other = data.names[asked], data.names[found]
    seen = (
        f"Where {one} is asked for, “{variant}” shows {other} instead in "
        f"{out_of({'mean': worst, 'images': number}, 'case')}."
    )
    trained, to_crop = photos_per_cell(data, variant), photos_to_crop(data, spec, variant)
    cause, do, crops = _of_mix_up(data, trained, to_crop, asked, found)
    change = Change(
        "solos",
        f"Do crops of one person keep {one} and {other} apart?",
        variant,
        {"solos": {"crop": "solos", "balance": "repeat"}},
    )
    return [Recommendation(seen, do, cause, change if crops else None)]


def _of_mix_up(
    data: ReportData, cells: Mapping[str, int], to_crop: Mapping[str, int], asked: str, found: str
) -> tuple[str, str, bool]:
    """Why, what to do against what holds, and whether crops are part of that. cells: of all
    training pictures; to_crop: of photos from which single people can still be cropped."""
    one, other = data.names[asked], data.names[found]
    number, others = (photos_with(cells, who) for who in (asked, found))
    both = photos_with(to_crop, (asked, found))
    if cells and not number:
        return f"no photo shows {one}, so the name was not learned.", f"Add photos of {one}.", False
    holds = []
    if both:
        said = "1 photo shows both" if both == 1 else f"{both} photos show both"
        holds.append((said, "crops of each out of shared photos"))
    if others > 1.5 * number:
        holds.append((f"{others} show {other} and {number} {one}", "equal appearances of both"))
    if data.characters[asked].noun == data.characters[found].noun:
        holds.append(("both have one class noun", "different class nouns in their captions"))
    causes, tests = zip(*holds, strict=True) if holds else ([], ["photos of both together"])
    cause = f"{formatting.listing(causes)}." if causes else ""
    return cause, f"Test {formatting.listing(tests)}.", both > 0


def _likeness(data: ReportData, spec: ReportSpec, variant: str) -> list[Recommendation]:
    """Characters who are not much like themselves even alone."""
    cells, poor = photos_per_cell(data, variant), little_alike(data, variant)
    if not poor:
        return []
    figures = [
        f"{data.names[x]} {formatting.number(mean)} (alone in "
        f"{counted(cells.get(x, 0), 'training picture')})"
        for x, mean in poor.items()
    ]
    who = formatting.listing(data.names[x] for x in poor)
    seen = f"Likeness alone (0 a stranger, 1 another photo): {formatting.listing(figures)}."
    if len(poor) == len(data.characters):
        cause = "the training ended too soon: nobody at all is alike."
        do = "Train several times as long before you look at anything else."
        return [Recommendation(seen, do, cause, longer(data, variant, list(poor), 4.0))]
    cause = f"too few photos show {who} alone, or the training ended too soon."
    do = f"Add photos of {who} alone with other clothes, places and light. Then test a higher rank"
    change = longer(data, variant, list(poor), 1.5)
    return [Recommendation(seen, f"{do} or more steps.", cause, change)]


def little_alike(data: ReportData, variant: str) -> dict[str, float]:
    """Whoever is not much like themselves when drawn alone, with the likeness."""
    alone = {
        letter: (by_size.get("1") or {}).get("mean")
        for letter, by_size in (data.variants[variant].get("identity") or {}).items()
    }
    return {x: mean for x, mean in alone.items() if mean is not None and mean < POOR_LIKENESS}


def _repeats(data: ReportData, spec: ReportSpec, variant: str) -> list[Recommendation]:
    statistic = _of(data, variant, "duplicated").get("all") or {}
    rate = statistic.get("mean")
    if rate is None or rate < NOTABLE:
        return []
    trained = photos_per_cell(data, variant)
    alone = [who for x, who in data.names.items() if 0 < photos_with(trained, x) == trained.get(x)]
    cause = f"{formatting.listing(alone)} stood alone in all training pictures." if alone else ""
    beside = ", and photos in which that person stands beside others" if cause else ""
    return [
        Recommendation(
            f"“{variant}” draws somebody twice in {out_of(statistic)}.",
            f"Test composites of every pair{beside}. Their captions name each person once and "
            "often say who stands where; yours should, too.",
            cause,
            replace(
                composed(
                    data,
                    spec,
                    variant,
                    "pairs",
                    ["+".join(pair) for pair in combinations(sorted(data.characters), 2)],
                ),
                question="Do more composites of pairs keep people from being drawn twice?",
                measure="duplicated",
            )
            if len(data.characters) > 1
            else None,
        )
    ]


def _pull(data: ReportData, spec: ReportSpec, variant: str) -> list[Recommendation]:
    statistic = _of(data, variant, "pull").get("all") or {}
    rate = statistic.get("mean")
    if rate is None or rate < NOTABLE:
        return []
    sure = statistic.get("low") is None or statistic["low"] > 0
    chance = "So few pictures may show that by chance: draw more first."
    return [
        Recommendation(
            f"Where nobody is named, “{variant}” still shows one of the characters in "
            f"{out_of(statistic)}. {'The whole class is pulled along.' if sure else chance}",
            "Test class images of each class noun, or fewer steps.",
            "the training was long enough to change what the class noun means." if sure else "",
            Change(
                "class",
                "Do class images, or fewer steps, leave other people as they were?",
                variant,
                {
                    "class-images": {"class_images_weight": 1.0},
                    "shorter": {"steps": steps_of(data, variant, 0.5)},
                },
                "pull",
            ),
        )
    ]


def _of(data: ReportData, variant: str, measure: str) -> Mapping[str, Any]:
    return data.variants[variant]["measures"].get(measure, {})
