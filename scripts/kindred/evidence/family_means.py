"""Means over families: each family gives one number, and families are the unit.

Student's t with one degree of freedom less than families. Runs, prompts and pictures make a
family's number more or less exact, and that is part of how much families differ. Knows numbers and
figures of summary.json; knows nothing of claims.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kindred.evidence.intervals import UNBOUNDED, Bounds, Estimate
from kindred.evidence.variance import Part
from kindred.evidence.variant_statistics import number
from kindred.specs.family_figures import FamilyFigure

FEWEST = 3  # families that tell of others
Json = Mapping[str, Any]


def over_families(values: Sequence[float], bounds: Bounds = UNBOUNDED) -> Estimate | None:
    """The mean of the families' numbers; None where there are too few to tell of others."""
    if len(values) < FEWEST:
        return None
    spread = float(np.var(values, ddof=1)) / len(values)
    return Estimate(float(np.mean(values)), Part(spread, len(values) - 1), "families", bounds)


def told(values: Sequence[float], bounds: Bounds = UNBOUNDED) -> dict[str, Any] | None:
    """{"mean", "low", "high", "families"} at 95 %, without ends where families are too few; None
    of none."""
    if not values:
        return None
    estimate = over_families(values, bounds)
    low, high = estimate.interval() if estimate else (None, None)
    ends = {"low": number(low), "high": number(high)}
    return {"mean": number(float(np.mean(values))), **ends, "families": len(values)}


def cast_set(summary: Json, variant: str, prompt_set: str) -> Json | None:
    """What a summary says of a variant's cast set; None where it has none."""
    return summary["variants"].get(variant, {}).get("casts", {}).get(prompt_set)


def figure_of(summary: Json, figure: FamilyFigure, variant: str, prompt_set: str) -> float | None:
    """A figure in one family; None where it was not measured."""
    one = cast_set(summary, variant, prompt_set)
    return None if one is None else figure.read(one)


def parts_of(
    summaries: Mapping[str, Json], figure: FamilyFigure, variant: str, prompt_set: str
) -> dict[str, list[float]]:
    """The parts of a figure, each with its values in the families that have it. Parts that are a
    family's own are named after it."""
    found: dict[str, list[float]] = {}
    for name, summary in summaries.items():
        one = cast_set(summary, variant, prompt_set)
        for part, value in figure.of_parts(one).items() if one and figure.of_parts else ():
            key = f"{part} of {name}" if figure.own_parts else part
            found.setdefault(key, []).append(value)
    return found
