"""The report's table of copies: which variants draw what they were trained on.

Knows the summary of an experiment and whose adapters were trained in it; knows nothing of HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from kindred.common.sentences import counted
from kindred.report import formatting
from kindred.report.report_data import ReportData
from kindred.specs.report import ReportSpec
from kindred.specs.scoring import FIXED_KINDS

EXPLAINED = (
    "A picture counts as a copy if it is nearer to a training photo or composite of its variant "
    "than 99 % of real photos are to their nearest other photo."
)
BESIDE_OTHERS = (
    "By chance, photos that nothing was trained on count as copies too, the more so the more "
    "pictures a variant was trained on. Only what is clearly above their figure is copied. If "
    "nothing is copied, pictures are nearer to the training than such photos in half of all pairs, "
    "and z is about 0. Below 0, pictures are nearer."
)
ALONE = "Every photo here was trained on, so nothing shows how many copies chance alone would give."
UNTRAINED = (
    "Nothing was trained here, so pictures are compared with all photos, and none is left to show "
    "how many copies chance alone would give."
)
LAYOUT = (
    "Laid out as a composite: the same people in the same order as in the nearest composite, with "
    "their heads at the same places, within 5 % of the picture's width."
)

# In the column of what a variant is trained on.
SHOWN = "nothing, but shown some of "
NOTHING = "nothing; compared with "
ELSEWHERE = "not known; compared with "


def copies(data: ReportData, spec: ReportSpec) -> dict[str, Any] | None:
    """What is said above the table, and a row a variant; None where no photo is known."""
    found = data.summary["copies"]
    named = [name for name in data.variants if name in found]
    if not named:
        return None
    before = {name: _instead(name, data.variants[name], spec) for name in named}
    rows = [_row(name, found[name], before[name]) for name in named]
    others = any(row["others"] for row in rows)
    layouts = any(row["same_layout"] is not None for row in rows)
    trained = [name for name in named if not before[name]]
    words = [EXPLAINED] if trained else [EXPLAINED.replace("training photo", "photo")]
    if trained and (untrained := [f"“{name}”" for name in named if before[name]]):
        words.append(
            f"For {formatting.listing(untrained)} nothing was trained here. Pictures of "
            f"{'it' if len(untrained) == 1 else 'these'} are compared with the photos in the last "
            "column."
        )
    words += [BESIDE_OTHERS if others else ALONE if trained else UNTRAINED]
    words += [LAYOUT] if layouts else []
    return {"words": " ".join(words), "others": others, "layouts": layouts, "rows": rows}


def _instead(name: str, variant: Mapping[str, Any], spec: ReportSpec) -> str:
    """What stands before the photos that a variant's pictures are compared with where it was not
    trained on them here; '' where it was."""
    if variant.get("references"):
        return SHOWN
    if variant.get("kind") in FIXED_KINDS:
        return NOTHING
    files = [file for one in spec.loaded.get(name, []) for file in one.files]
    ours = ("results", spec.experiment)
    return "" if all(PurePosixPath(file).parts[:2] == ours for file in files) else ELSEWHERE


def _row(variant: str, one: Mapping[str, Any], before: str) -> dict[str, Any]:
    """A variant's row; before: what stands before the photos."""
    held = one["held_out"]
    trained = [counted(one["photos"], "photo")] if one["photos"] else []
    trained += [counted(one["composites"], "composite")] if one["composites"] else []
    return {
        "variant": variant,
        "copied": formatting.value_of(one["copied"], "copied"),
        "range": formatting.range_of(one["copied"], "copied"),
        "by_bits": one["copied_by_bits"],
        "same_layout": one["same_layout"],
        "others": held["photos"] if held else 0,
        "others_copied": held["copied"] if held else None,
        "nearer": held["nearer"] if held else None,
        "z": held["z"] if held else None,
        "trained_on": before + formatting.listing(trained),
    }
