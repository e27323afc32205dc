"""The scrambled control's figure beside every headline, by the same measure and the same prompts.

An adapter that was trained with captions on the wrong photos knows no names: what it reaches can be
had without them. Knows the summary; knows nothing of HTML.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kindred.report.formatting import listing, range_of, value_of
from kindred.specs.measures import MEASURES

NONE = "no scrambled control was trained"
SCRAMBLED = "scrambled"


def scrambled_of(variants: Mapping[str, Mapping[str, Any]], variant: str = "") -> str | None:
    """The control whose captions are scrambled: the one of `variant`, else the first; None without
    any."""
    found = [name for name, one in variants.items() if one["control"].split(" ")[0] == SCRAMBLED]
    own = [x for x in found if variants[x]["control"] == f"{SCRAMBLED} of {variant}"]
    return next(iter([*own, *found]), None)


def beside(
    variants: Mapping[str, Mapping[str, Any]], variant: str, measure: str, prompt_set: str
) -> str:
    """'14 % (8–20)', the control's figure; or NONE; '–' where it was not measured."""
    name = scrambled_of(variants, variant)
    return NONE if name is None else reading(variants[name], measure, prompt_set)


def reading(variant: Mapping[str, Any], measure: str, prompt_set: str) -> str:
    """A variant's figure in a prompt set, '14 % (8–20)'; '–' where there is none."""
    found = variant["measures"].get(measure, {}).get(f"set:{prompt_set}")
    reach = range_of(found, measure)
    return value_of(found, measure) + (f" ({reach})" if reach else "")


def of_hypothesis(variants: Mapping[str, Mapping[str, Any]], one: Mapping[str, Any]) -> str:
    """What stands below a verdict: the control's figure, and whether it could be had without names.
    '' where the control itself is compared."""
    name = scrambled_of(variants, one["variant"])
    if name in (one["variant"], one["against"]):
        return ""
    measure = MEASURES[one["measure"]]
    if name is None:
        return f"{NONE[:1].upper()}{NONE[1:]}, so what is possible without names is not known."
    told = beside(variants, one["variant"], measure.name, one["prompt_set"])
    return f"With scrambled captions (“{name}”), by the same measure and prompts: {told}."


def without_names(measures: Iterable[str]) -> list[str]:
    """A sentence for each reason why some of these measures don't need names."""
    reasons: dict[str, list[str]] = {}
    for name in dict.fromkeys(measures):
        if not MEASURES[name].needs_names:
            reasons.setdefault(MEASURES[name].names, []).append(f"“{name}”")
    return [
        f"{listing(names)} {'does' if len(names) == 1 else 'do'} not need names: {reason}."
        for reason, names in reasons.items()
    ]
