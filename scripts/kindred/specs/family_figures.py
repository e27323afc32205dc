"""The figures of one experiment that are compared over families: each one record.

A record says where a figure stands in an experiment's summary.json; from all of them follow limits,
tables and pages over families. Most are figures of cast sets (specs/cast_figures.py says how these
are computed). Knows the form of summary.json; knows nothing of families or statistics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kindred.common.sentences import counted

Json = Mapping[str, Any]
Read = Callable[[Json], float | None]  # of a variant's figures of a cast set


@dataclass(frozen=True)
class FamilyFigure:
    """One figure. `heading`: of its column; `says`: what it is. `read`: from what summary.json says
    of a variant's cast set. `of_parts`: the same of each part, by its name; `own_parts`: parts are
    each family's own, as people are. `percent`: a share."""

    name: str
    heading: str
    says: str
    read: Read
    of_parts: Callable[[Json], dict[str, float]] | None = None
    own_parts: bool = False
    percent: bool = True


def _accuracy(kind: str) -> Read:
    return lambda told: _mean(told["accuracy"].get(kind))


def _mean(statistic: Json | None) -> float | None:
    return None if statistic is None else statistic["mean"]


def _under(part: str, name: str) -> Read:
    """A statistic of a part that may be null."""
    return lambda told: _mean(told[part][name]) if told[part] else None


def _sensitivity(told: Json) -> float | None:
    known = [_mean(one["sensitivity"]) for one in told["detection"].values()]
    some = [value for value in known if value is not None]
    return sum(some) / len(some) if some else None


def _of_casts(told: Json) -> dict[str, float]:
    """By kind of cast: what is alike in all families, whatever letters they have."""
    found: dict[str, list[float]] = {}
    for name, one in told["casts"].items():
        found.setdefault(kind_of_cast(name), []).append(one["mean"])
    return {kind: sum(values) / len(values) for kind, values in found.items()}


def kind_of_cast(name: str) -> str:
    """'1 person' and '2 people' of the family's own, with letters no more; casts with strangers
    ('pair+1') are the same everywhere."""
    letters = name.split("+")
    if not all(len(letter) == 1 and letter.isupper() for letter in letters):
        return name
    return counted(len(letters), "person")


def _likeness(told: Json) -> float | None:
    if not told["looks"]:  # nobody was ever found, as by the base alone
        return None
    alone, together = (_mean(told["looks"]["mean"][key]) for key in ("alone", "together"))
    return None if not alone or together is None else together / alone


def _of_people(told: Json) -> dict[str, float]:
    found = {}
    for letter, one in told["looks"].items():
        alone, together = _mean(one["alone"]), _mean(one["together"])
        if letter != "mean" and alone and together is not None:
            found[letter] = together / alone
    return found


_RECORDS = (
    FamilyFigure(
        "casts",
        "all casts",
        "cast accuracy: exactly those asked for are there",
        _accuracy("all"),
        _of_casts,
    ),
    FamilyFigure("members", "family", "casts of the family alone", _accuracy("family")),
    FamilyFigure("strangers", "with strangers", "casts with strangers", _accuracy("others")),
    FamilyFigure(
        "worst",
        "worst cast",
        "the cast that is right least often, named on one half of the pictures, read on the other",
        lambda told: told["worst"]["mean"] if told["worst"] else None,
    ),
    FamilyFigure(
        "sensitivity",
        "d′",
        "whether a person comes when called and only then; mean over people",
        _sensitivity,
        percent=False,
    ),
    FamilyFigure(
        "bits",
        "bits",
        "what who is found tells of who was asked for",
        lambda told: told["bits"]["mean"],
        percent=False,
    ),
    FamilyFigure("order", "order", "from left to right as asked", _under("order", "share")),
    FamilyFigure("garments", "garments", "on the person asked", _under("garments", "right")),
    FamilyFigure(
        "likeness",
        "group / alone",
        "likeness of a person in a group over that of the same person alone",
        _likeness,
        _of_people,
        own_parts=True,
        percent=False,
    ),
)
FIGURES = {one.name: one for one in _RECORDS}
