"""The pictures of a cast set as scores tell of them: who was asked for, who is there.

Knows rows of scores and what a prompt asks for; computes no figure but means over casts and runs,
which all figures of casts are made of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kindred.evidence.intervals import LEVEL
from kindred.evidence.variance import Part
from kindred.evidence.variant_statistics import Stat, number
from kindred.specs.casts import AskedCast

Row = Mapping[str, str]


@dataclass(frozen=True)
class CastImage:
    """A scored picture of a cast set. People stand from left to right by the middle of their boxes;
    `found`: letters, '' for somebody who is recognised as nobody. `likeness`: identity by letter.
    `wears`: which of the garments asked for a person wears, '' for none of them."""

    run: int
    prompt: str
    seed: int
    asked: AskedCast
    right: bool
    found: tuple[str, ...]
    likeness: tuple[Mapping[str, float], ...]
    wears: tuple[str, ...]

    @property
    def family(self) -> bool:
        """Whether members alone are asked for."""
        return bool(self.asked.members) and not self.asked.strangers

    @property
    def shown(self) -> frozenset[str]:
        """The members who are there."""
        return frozenset(letter for letter in self.found if letter)

    @property
    def outcome(self) -> tuple[tuple[str, ...], int]:
        """The one outcome that is right: members (sorted), and heads."""
        return tuple(sorted(self.asked.members)), self.asked.heads


def cast_images(
    rows: Iterable[Row], prompt_set: str, casts: Mapping[str, AskedCast]
) -> list[CastImage]:
    """The pictures of a prompt set, by run, prompt and seed. Pictures of which nobody can say
    whether they are right (a member without reference photos) are left out."""
    images: dict[Hashable, Row] = {}
    people: dict[Hashable, list[Row]] = defaultdict(list)
    for row in rows:
        if row["prompt_set"] != prompt_set or row["prompt"] not in casts:
            continue
        place = int(row["run"]), row["prompt"], int(row["seed"])
        if row["kind"] == "image":
            images[place] = row
        else:
            people[place].append(row)
    return [
        _image(place, images[place], people[place], casts[place[1]])
        for place in sorted(images)
        if images[place]["cast_right"]
    ]


def _image(place: Any, row: Row, people: Sequence[Row], asked: AskedCast) -> CastImage:
    ordered = sorted(people, key=_middle)
    return CastImage(
        *place,
        asked=asked,
        right=row["cast_right"] == "1",
        found=tuple(one["found"] for one in ordered),
        likeness=tuple(_likeness(one["likeness"]) for one in ordered),
        wears=tuple(one["wears"] for one in ordered),
    )


def _middle(person: Row) -> float:
    """Where a person stands, in pixels from the left."""
    x0, _, x1, _ = map(float, person["box"].split())
    return (x0 + x1) / 2


def _likeness(text: str) -> dict[str, float]:
    """'A:0.12 J:0.91' as numbers."""
    parts = (part.rpartition(":") for part in text.split())
    return {letter: float(value) for letter, _, value in parts}


def grouped(
    images: Iterable[CastImage], key: Callable[[CastImage], Any]
) -> dict[Any, list[CastImage]]:
    """Pictures by something that they have, in the order in which it comes first."""
    found: dict[Any, list[CastImage]] = defaultdict(list)
    for image in images:
        found[key(image)].append(image)
    return dict(found)


def over_casts(
    images: Iterable[CastImage], value: Callable[[CastImage], float] = lambda image: image.right
) -> float:
    """Mean over casts of the mean within each, so that every cast weighs the same; NaN of none."""
    means = [
        float(np.mean([value(image) for image in own]))
        for own in grouped(images, lambda image: image.asked.name).values()
    ]
    return float(np.mean(means)) if means else float("nan")


def over_runs(
    images: Iterable[CastImage], figure: Callable[[Sequence[CastImage]], float | None]
) -> Stat | None:
    """A figure of each training run, its mean over runs and Student's t interval at 95 %: no ends
    for a single run, and where runs are all alike, which tells no spread. Runs without the figure
    are left out; None where none has it."""
    images = list(images)
    each = [figure(own) for own in grouped(images, lambda image: image.run).values()]
    known = np.array([value for value in each if value is not None and np.isfinite(value)])
    if not len(known):
        return None
    low = high = None
    if len(known) > 1 and known.std() > 0:
        half = Part(known.var(ddof=1) / len(known), len(known) - 1).reach(LEVEL)
        low, high = number(known.mean() - half), number(known.mean() + half)
    mean = number(known.mean())
    return {"mean": mean, "low": low, "high": high, "runs": len(known), "images": len(images)}
