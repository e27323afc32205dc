"""The report's table of copies: which variants draw what they were trained on.

Knows the summary of an experiment; knows nothing of HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kindred.report import formatting
from kindred.report.report_data import ReportData

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
LAYOUT = (
    "Laid out as a composite: the same people in the same order as in the nearest composite, with "
    "their heads at the same places, within 5 % of the picture's width."
)

SHOWN = "nothing, but shown some of "  # in the column of what a variant is trained on


def copies(data: ReportData) -> dict[str, Any] | None:
    """What is said above the table, and a row a variant; None where no picture was trained on."""
    found = data.summary["copies"]
    rows = [
        _row(name, found[name], bool(one.get("references")))
        for name, one in data.variants.items()
        if name in found
    ]
    if not rows:
        return None
    others = any(row["others"] for row in rows)
    layouts = any(row["same_layout"] is not None for row in rows)
    words = [EXPLAINED, BESIDE_OTHERS if others else ALONE, *([LAYOUT] if layouts else [])]
    return {"words": " ".join(words), "others": others, "layouts": layouts, "rows": rows}


def _row(variant: str, one: Mapping[str, Any], shown: bool) -> dict[str, Any]:
    """A variant's row. shown: it is drawn with some of the photos as reference pictures."""
    held = one["held_out"]
    trained = [formatting.plural(one["photos"], "photo")] if one["photos"] else []
    trained += [formatting.plural(one["composites"], "composite")] if one["composites"] else []
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
        "trained_on": (SHOWN if shown else "") + formatting.listing(trained),
    }
