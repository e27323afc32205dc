"""How many trainings are needed, each figure with what it is for: the measure, the difference and
how often it is to be found.

Three places of the page give such figures, and rightly differ: the choice of a LoRA follows the
lead that was seen, a verdict has a fewest number and follows the difference that was seen, and the
design follows the margin alone. Knows their figures; computes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kindred.common.sentences import counted
from kindred.evidence import labels
from kindred.evidence.adapter_choice import CASTS, AdapterChoice
from kindred.evidence.power import POWER
from kindred.evidence.power_words import amount
from kindred.evidence.verdict_sentences import gap

OFTEN = f"in {100 * POWER:.0f} % of cases"
NAMED = {CASTS: "cast accuracy", "success": "success"}
NOT_YET = (
    "Before there is anything to choose between, one LoRA has to be right more often than the base "
    "alone: train longer, or draw more pictures if it is close."
)
DESIGN = " “What this design could find” says how many decide the margin."


def for_choice(choice: AdapterChoice) -> str:
    """What the trainings of each are for that the choice names, or what comes before; '' where it
    names none."""
    needed, measure = choice.runs_needed, NAMED[choice.measure]
    if choice.useless:
        return NOT_YET
    if not needed:
        return ""
    said = f"To choose between these LoRAs: {needed} trainings of each"
    widest = [one for one in choice.open if one.more_runs == needed and one.lead]
    if widest:
        lead, name = widest[0].lead[0], widest[0].variant
        points = counted(f"{100 * lead:.0f}", "point")
        return (
            f"{said}. If the lead over “{name}” in {measure} stays as it is ({points}), so many "
            f"show it {OFTEN}."
        )
    return (
        f"{said}, the fewest that can tell a better LoRA from a lucky training. How large a lead "
        f"in {measure} they show is not known before they are there."
    )


def for_verdict(one: Mapping[str, Any], forecast: bool) -> str:
    """What would decide a verdict, of verdicts.json; '' when it is decided. `forecast`: the page
    has the design's figures, too."""
    advice = one["advice"]
    if one["label"] not in labels.OPEN or not advice:
        return advice
    if one["label"] != labels.ONE and one["more_runs"] is not None:
        seen = gap(one["difference"], one["measure"])
        return (
            f"{advice.removesuffix('.')}: if the difference in “{one['measure']}” stays as it is "
            f"({seen}), they do {OFTEN}."
        )
    if one["label"] in (labels.ONE, labels.PILOT):
        return (
            f"{advice} {labels.FEWEST_FOR_ALL} is the fewest with which every verdict on "
            f"“{one['measure']}” is possible, “no difference” too; none is promised."
        ) + (DESIGN if forecast else "")
    return advice


def for_margin(one: Mapping[str, Any]) -> str:
    """The warning of power.json about a design, with what its figures are for; '' without one."""
    if not one["warning"] or not any((one.get("needs") or {}).values()):
        return one["warning"]
    margin, aim = (amount(one[key], one["unit"]) for key in ("margin", "aim"))
    if not one["pilot"]:  # the warning says which difference and margin
        return f"{one['warning']}: they find it {OFTEN} in “{one['measure']}”"
    return (
        f"{one['warning']}: they find a true difference of {aim} in “{one['measure']}” to be above "
        f"the margin of {margin} {OFTEN}"
    )
