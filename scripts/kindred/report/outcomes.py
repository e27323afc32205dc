"""What a hypothesis came to, in one line: its effect, the interval that decides, its runs.

Knows the entries of verdicts.json; knows nothing of pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kindred.report import formatting


def deciding(one: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """The interval that decides: adjusted where the hypothesis is a primary one."""
    adjusted = one.get("adjusted") if one.get("primary") else None
    chosen = adjusted or one
    return chosen["low"], chosen["high"]


def level_of(one: Mapping[str, Any], level: float) -> float:
    """The level of the interval that decides; `level` is that of the plain one."""
    adjusted = one.get("adjusted") if one.get("primary") else None
    return adjusted["level"] if adjusted else level


def effect(value: float | None, low: float | None, high: float | None, measure: str) -> str:
    """'+31 points (+18 to +44)', '+0.12 (+0.02 to +0.22)', '–' where nothing was measured."""
    if value is None:
        return "–"
    share = measure in formatting.SHARES
    text = _signed(value, share) + (" points" if share else "")
    if low is None or high is None:
        return text
    return f"{text} ({_signed(low, share)} to {_signed(high, share)})"


def _signed(value: float, share: bool) -> str:
    if share:
        return formatting.signed(value)
    text = formatting.number(value)
    return f"+{text}" if value > 0 else text


def runs_of(one: Mapping[str, Any], variants: Mapping[str, Mapping[str, Any]]) -> str:
    """Training runs of both arms: '10', or '10 and 9' where they differ. A base has none."""
    estimate = one.get("estimate") or {}
    counts = [
        estimate[side]["runs"]
        for side in ("variant", "against")
        if side in estimate and variants[one[side]]["kind"] != "base"
    ]
    return formatting.listing(map(str, dict.fromkeys(counts) if len(set(counts)) == 1 else counts))
