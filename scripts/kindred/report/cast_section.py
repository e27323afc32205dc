"""“Does it know who is who?”: what the page says first, in sentences, and its tables.

Knows the summary and verdicts; knows nothing of HTML.
"""

from __future__ import annotations

from typing import Any

from kindred.common.sentences import counted
from kindred.report.cast_side_tables import side_tables
from kindred.report.cast_tables import (
    SHARE,
    CastSet,
    Figures,
    accuracy_table,
    canvases_table,
    cast_sets,
    casts_table,
    deciding,
    share_cell,
    stat_cell,
    threshold_table,
    wordings_table,
)
from kindred.report.report_data import ReportData
from kindred.report.scrambled import NONE, beside, of_hypothesis, scrambled_of, without_names
from kindred.specs.measures import MEASURES
from kindred.specs.scoring import FIXED_KINDS

UNTRAINED = {
    "base": "without a LoRA",
    "references": "with reference pictures and without a LoRA",
    "pictures": "pictures made elsewhere",
}
FEW = 96  # pictures a run below which the figures are rough
NOT_SHOWN = "So this alone does not show that names were learned. See below who comes when called."
NO_CASTS = (
    "This page can’t say whether names were learned, because no prompt set of this experiment asks "
    "for casts (the same people on every shape of picture, and strangers). An adapter that knows "
    "the family and no name can reach every figure below, so compare with the scrambled control. "
    "To find out, add a prompt set made of “casts”."
)


def who_is_who(data: ReportData) -> dict[str, Any]:
    """`lead`: the answer in sentences; `mind`: which measures of this page don't need names;
    `sets`: of each cast set its tables, the first two open and the rest folded."""
    sets = cast_sets(data)
    return {
        "lead": [sentence for one in sets for sentence in _answer(data, one)] or [NO_CASTS],
        "mind": _mind(data),
        "sets": [_tables(data, one) for one in sets],
    }


def _tables(data: ReportData, one: CastSet) -> dict[str, Any]:
    folded = [canvases_table(one), wordings_table(one), *side_tables(one, data.names)]
    folded.append(threshold_table(one))
    return {
        "name": one.name,
        "shown": [table for table in (accuracy_table(one), casts_table(one)) if table],
        "folded": [table for table in folded if table],
        "turning": bool(one.told["turning"]),
    }


def _answer(data: ReportData, one: CastSet) -> list[str]:
    """The best variant's cast accuracy beside the control's, the base's and the lines of who reads
    no names: of casts of the family alone, and of all."""
    able = {
        name: own["accuracy"]["all"]
        for name, own in one.variants.items()
        if data.variants[name]["kind"] not in FIXED_KINDS and not data.variants[name]["control"]
    }
    best = max(able, key=lambda name: able[name]["mean"], default=None)
    if best is None:
        return []
    said = [
        f"Asked for people by name, “{best}” draws exactly these people in "
        f"{_reached(one.variants[best])}."
    ]
    control = scrambled_of(data.variants, best)
    if control in one.variants:
        said.append(
            f"“{control}”, trained with captions on the wrong photos, does so in "
            f"{_reached(one.variants[control])}."
        )
    else:
        said.append(f"{NONE[:1].upper()}{NONE[1:]} to compare with.")
    kinds = {name: data.variants[name]["kind"] for name in one.variants}
    said += [
        f"{name}, {UNTRAINED[kind]}, does so in {_reached(one.variants[name])}"
        f"{_of_strangers(kind, one.variants[name])}."
        for name, kind in kinds.items()
        if kind in FIXED_KINDS
    ]
    names = f"{_without_names(one)}{_shown(data, one, best, control)}"
    return [*said, names, *_how_sure(one, best, len(data.variants[best]["runs"]))]


def _of_strangers(kind: str, own: Figures) -> str:
    """What lets a base that learned nobody be right in some pictures, as the end of a sentence."""
    others = own["accuracy"].get("others")
    return ": strangers alone need no LoRA" if kind == "base" and others and others["mean"] else ""


def _reached(own: Figures) -> str:
    """'54 % (45–63) of the pictures of the family alone and 38 % (30–46) of all'; the former only
    where there are others."""
    kinds = own["accuracy"]
    every = stat_cell(kinds["all"], SHARE)
    told = every.text + (f" ({every.range})" if every.range else "")
    if "family" not in kinds or "others" not in kinds:
        return f"{told} of the pictures"
    family = stat_cell(kinds["family"], SHARE)
    reach = f" ({family.range})" if family.range else ""
    return f"{family.text}{reach} of the pictures of the family alone and {told} of all"


def _most(one: CastSet) -> float:
    return max(bound[deciding(one)] for bound in one.told["drawers"].values())


def _without_names(one: CastSet) -> str:
    """The most that can be had without names."""
    kind, drawers = deciding(one), one.told["drawers"]
    of = "of the family alone" if kind == "family" else "of all"
    return (
        f"Without reading a name, at most {share_cell(_most(one)).text} {of} can be "
        f"right ({share_cell(drawers['canvas'][kind]).text} from the picture’s shape alone). "
    )


def _shown(data: ReportData, one: CastSet, best: str, control: str | None) -> str:
    """What follows: names only above every row that needs none, by trainings that there are."""
    kind, tops = deciding(one), [_most(one)]
    for name, own in one.variants.items():
        if name == control or data.variants[name]["kind"] == "base":
            told = own["accuracy"].get(kind) or {"mean": 1.0}
            tops.append(told["mean"] if told.get("high") is None else told["high"])
    low = one.variants[best]["accuracy"].get(kind, {}).get("low")
    if low is None or low <= max(tops):
        return NOT_SHOWN
    said = "So names were learned."
    if len(data.variants[best]["runs"]) < 2:
        said = f"“{best}” is clearly above that, so this one training learned names."
    if control in one.variants and len(data.variants[control]["runs"]) < 2:
        said += f" One training of “{control}” does not make it a control yet."
    return said


def _how_sure(one: CastSet, best: str, runs: int) -> list[str]:
    """What few pictures and a single training leave open. Not called a pilot: that is a label of
    two trainings or more (evidence/labels.py)."""
    few = one.told["per_run"]
    said = []
    if few < FEW:
        said.append(f"These figures are rough: they rest on {counted(few, 'picture')} a training.")
    if runs == 1:
        said.append(
            f"Of “{best}” there is one training, which gives figures and no direction: another one "
            "may differ."
        )
    return said


def _mind(data: ReportData) -> list[str]:
    """Which measures that this page is decided by don't need names, and what the control reads."""
    used = [one["measure"] for one in data.hypotheses.values()] or ["success"]
    said = without_names([name for name in used if name in MEASURES])
    if not said:
        return []
    if scrambled_of(data.variants) is None:
        return [*said, f"{NONE[:1].upper()}{NONE[1:]}."]
    sets = {
        (one["measure"], one["prompt_set"]): one["variant"]
        for one in data.hypotheses.values()
        if not MEASURES[one["measure"]].needs_names
    } or {("success", name): data.summary["baseline"] for name in data.summary["prompt_sets"]}
    told = "; ".join(
        f"{measure} in “{prompt_set}” {beside(data.variants, variant, measure, prompt_set)}"
        for (measure, prompt_set), variant in sets.items()
    )
    return [*said, f"With scrambled captions: {told}."]


def hypotheses_beside(data: ReportData) -> dict[str, str]:
    """Hypothesis -> what stands below its verdict about the scrambled control."""
    return {name: of_hypothesis(data.variants, one) for name, one in data.hypotheses.items()}
