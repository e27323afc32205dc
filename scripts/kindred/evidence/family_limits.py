"""Figures over families held against limits: gates, and what was to be reached.

{"says", "figure", "variant", "against", "prompt_set", "limit": "at least 90 %",
 "value", "low", "high", "families", "by_family",       value: the mean over families
 "parts": [{"name", "value", "families"}],              the lowest first; [] unless each is asked
 "holds": true | false | null (not measured), "short": how far from the limit, 0 where it holds,
 "sentence"}

With `within`, low and high are the interval at 90 %, else at 95 %. Knows summary.json; knows
nothing of what follows from a limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from kindred.common.sentences import counted
from kindred.evidence.family_means import figure_of, over_families, parts_of
from kindred.evidence.intervals import LEVEL
from kindred.evidence.variant_statistics import number
from kindred.specs.families import Limit
from kindred.specs.family_figures import FIGURES

Json = dict[str, Any]


def limit_read(limit: Limit, summaries: Mapping[str, Json]) -> Json:
    """What a figure reads beside its limit. summaries: experiment -> its summary.json."""
    figure = FIGURES[limit.figure]
    by_family = {
        name: value for name, s in summaries.items() if (value := _in(limit, s)) is not None
    }
    values = list(by_family.values())
    estimate = over_families(values)
    level = LEVEL if limit.within is None else 2 * LEVEL - 1
    low, high = estimate.interval(level) if estimate else (None, None)
    parts = _parts(limit, summaries) if limit.every else []
    found: Json = {
        **limit.model_dump(mode="json", include={"says", "figure", "variant", "against"}),
        "prompt_set": limit.prompt_set,
        "percent": figure.percent,
        "limit": _limit_said(limit),
        "value": number(fmean(values)) if values else None,
        "low": number(low),
        "high": number(high),
        "families": len(values),
        "by_family": {name: number(value) for name, value in by_family.items()},
        "parts": parts,
    }
    short = _short(limit, found)
    found |= {"short": number(short), "holds": None if short is None else short <= 0}
    if found["holds"]:
        found["short"] = 0.0
    return found | {"sentence": _sentence(limit, found)}


def _in(limit: Limit, summary: Json) -> float | None:
    """The figure in one family, or the difference."""
    figure = FIGURES[limit.figure]
    own = figure_of(summary, figure, limit.variant, limit.prompt_set)
    if limit.against is None or own is None:
        return own
    other = figure_of(summary, figure, limit.against, limit.prompt_set)
    return None if other is None else own - other


def _parts(limit: Limit, summaries: Mapping[str, Json]) -> list[Json]:
    """Each part's mean over families, the furthest from its limit first."""
    figure = FIGURES[limit.figure]
    means = {
        name: (fmean(values), len(values))
        for name, values in parts_of(summaries, figure, limit.variant, limit.prompt_set).items()
    }
    if limit.against is not None:
        others = parts_of(summaries, figure, limit.against, limit.prompt_set)
        means = {
            name: (value - fmean(others[name]), count)
            for name, (value, count) in means.items()
            if name in others
        }
    ordered = sorted(means.items(), key=lambda one: one[1], reverse=limit.at_most is not None)
    return [{"name": name, "value": number(v), "families": n} for name, (v, n) in ordered]


def _short(limit: Limit, found: Json) -> float | None:
    """How far it is from the limit, 0 or less where it holds; None where that can't be told."""
    value = found["value"]
    if limit.every:
        value = found["parts"][0]["value"] if found["parts"] else None
    if value is None:
        return None
    if limit.at_least is not None:
        return limit.at_least - value
    if limit.at_most is not None:
        return value - limit.at_most
    if found["low"] is None or limit.within is None:
        return None
    beyond = max(-found["low"], found["high"]) - limit.within
    return beyond if beyond > 0 else 0.0


def _limit_said(limit: Limit) -> str:
    if limit.at_least is not None:
        return f"at least {_amount(limit, limit.at_least)}"
    if limit.at_most is not None:
        return f"at most {_amount(limit, limit.at_most)}"
    return f"within {_amount(limit, limit.within or 0)} either way, at 90 %"


def _amount(limit: Limit, value: float) -> str:
    """'75 %', '60 points' of a difference, '0.90' of what is no share."""
    if not FIGURES[limit.figure].percent:
        return f"{value:.2f}"
    number = f"{100 * value:.3g}"
    return f"{number} %" if limit.against is None else counted(number, "point")


def _rounded(limit: Limit, value: float) -> str:
    """A value with as many places as a limit can be missed by."""
    if not FIGURES[limit.figure].percent:
        return f"{value:.2f}"
    return f"{100 * value:.1f} {'%' if limit.against is None else 'points'}"


def _sentence(limit: Limit, found: Json) -> str:
    names = limit.variant + (f" minus {limit.against}" if limit.against else "")
    if found["value"] is None:
        return f"{names}: not measured in any family."
    text = f"{names}: {_rounded(limit, found['value'])}"
    if found["low"] is not None:
        text += f" ({_rounded(limit, found['low'])} to {_rounded(limit, found['high'])})"
    if parts := found["parts"]:
        missed = [one for one in parts if _missed(limit, one["value"])]
        text += f"; of {len(parts)}, {len(parts) - len(missed)} reach it"
        text += f"; furthest from it: {parts[0]['name']}, {_rounded(limit, parts[0]['value'])}"
    if found["holds"] is None:
        return f"{text}; too few families to say."
    short = (
        ""
        if found["holds"]
        else f", {_rounded(limit, found['short']).replace('%', 'points')} short"
    )
    return f"{text}; asked for {found['limit']}: {'yes' if found['holds'] else 'no'}{short}."


def _missed(limit: Limit, value: float) -> bool:
    if limit.at_least is not None:
        return value < limit.at_least
    return limit.at_most is not None and value > limit.at_most
