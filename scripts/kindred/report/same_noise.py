"""What pictures of one seed have in common, in words: the noise that they start from, or not.

Knows which variants draw, and on which bases; knows nothing of pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kindred.common.sentences import listing
from kindred.report.report_data import ReportData

TRAINING = frozenset({"trained", "loaded", "base"})  # what differs by its training alone


def same_noise(data: ReportData) -> str:
    """A sentence or two: pictures made elsewhere have other noise, and other bases other noise."""
    here = [one for one in data.variants.values() if one["kind"] != "pictures"]
    said = [_drawn_here(here, len(here) < len(data.variants))] if len(here) > 1 else []
    other = [f"“{name}”" for name, one in data.variants.items() if one["kind"] == "pictures"]
    if other:
        said.append(
            f"Pictures of {listing(other)} were made elsewhere, from other noise. They stand in "
            "the order of their files."
        )
    return " ".join(said)


def _drawn_here(here: list[Mapping[str, Any]], beside_others: bool) -> str:
    which = "Pictures drawn here" if beside_others else "Its pictures"
    bases = {base for one in here for base in (one["base"], *one.get("drawn_on", {}).values())}
    if len(bases) > 1:
        return f"{which} start from the same noise where one base draws them."
    alike = all(
        one["kind"] in TRAINING and not one.get("references") and not one.get("detail_of")
        for one in here
    )
    what = "training" if alike else "variant"
    return f"{which} start from the same noise, so only the {what} differs."
