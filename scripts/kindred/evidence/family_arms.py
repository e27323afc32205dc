"""Every arm over families: its figures and its casts, beside the ceiling and drawers without names.

A part of results/families/<name>/verdicts.json. A cell is {"mean", "low", "high", "families"} at
95 % over families, or null. Knows summary.json; knows nothing of claims.

"arms": {prompt set: {
   "kinds": ["1 person", ..., "pair+1"],               casts that are alike in all families
   "variants": {variant: {"figures": {figure: cell}, "kinds": {kind: cell},
                          "by_family": {family: 0.93}}},    all casts
   "ceiling": {kind: cell, "all": cell},                the world's own drawings, judged; {} without
   "drawers": {"canvas": {kind of casts: 0.08}}}}       the most without names, mean over families
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from kindred.evidence.family_means import figure_of, parts_of, told
from kindred.specs.family_figures import FIGURES, kind_of_cast

UNIT = (0.0, 1.0)
Json = Mapping[str, Any]


def arms_part(summaries: Mapping[str, Json]) -> dict[str, Any]:
    """Cast set -> every arm's figures over families. summaries: experiment -> its summary.json."""
    names = dict.fromkeys(x for one in summaries.values() for x in one.get("casts", {}))
    return {name: _set(name, summaries) for name in names}


def _set(prompt_set: str, summaries: Mapping[str, Json]) -> dict[str, Any]:
    order = {
        kind_of_cast(cast["name"]): None
        for one in summaries.values()
        for cast in one.get("casts", {}).get(prompt_set, {}).get("casts", ())
    }
    own = [kind for kind in order if kind[0].isdigit()]
    kinds = [*sorted(own), *(kind for kind in order if kind not in own)]
    variants = dict.fromkeys(x for one in summaries.values() for x in one["variants"])
    rows = {name: _variant(name, prompt_set, summaries) for name in variants}
    return {
        "kinds": kinds,
        "variants": {name: row for name, row in rows.items() if row["figures"]["casts"]},
        "ceiling": _ceiling(summaries),
        "drawers": _drawers(prompt_set, summaries),
    }


def _variant(name: str, prompt_set: str, summaries: Mapping[str, Json]) -> dict[str, Any]:
    found = {}
    for figure in FIGURES.values():
        each = [figure_of(one, figure, name, prompt_set) for one in summaries.values()]
        known = [value for value in each if value is not None]
        found[figure.name] = told(known, UNIT) if figure.percent else told(known)
    parts = parts_of(summaries, FIGURES["casts"], name, prompt_set)
    each = {
        key: figure_of(one, FIGURES["casts"], name, prompt_set) for key, one in summaries.items()
    }
    return {
        "figures": found,
        "kinds": {kind: told(own, UNIT) for kind, own in parts.items()},
        "by_family": {key: value for key, value in each.items() if value is not None},
    }


def _ceiling(summaries: Mapping[str, Json]) -> dict[str, Any]:
    by_kind: dict[str, list[float]] = {}
    for one in summaries.values():
        figures = one.get("ceiling")
        if not figures or figures["mean"] is None:
            continue
        by_kind.setdefault("all", []).append(figures["mean"])
        own: dict[str, list[float]] = {}
        for cast, cells in figures["casts"].items():
            own.setdefault(kind_of_cast(cast), []).append(fmean(cells.values()))
        for kind, means in own.items():
            by_kind.setdefault(kind, []).append(fmean(means))
    return {kind: told(values, UNIT) for kind, values in by_kind.items()}


def _drawers(prompt_set: str, summaries: Mapping[str, Json]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, list[float]]] = {}
    for one in summaries.values():
        sets = one.get("casts", {}).get(prompt_set, {}).get("drawers", {})
        for drawer, kinds in sets.items():
            for kind, value in kinds.items():
                found.setdefault(drawer, {}).setdefault(kind, []).append(value)
    return {
        drawer: {kind: fmean(values) for kind, values in kinds.items()}
        for drawer, kinds in found.items()
    }
