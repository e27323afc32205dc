"""Whom a prompt of a cast set asks for, and the prompts of such a set.

A cast is a set of people: some characters, some strangers. Every cast is asked for on every canvas,
so that neither the picture's shape nor, with names alone, its words give away who belongs there but
by the names. Knows letters and English; knows nothing of base models or of pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Literal

from pydantic import Field

from kindred.common.hashing import sha256_text
from kindred.common.sentences import listing
from kindred.specs.spec_model import SpecModel

Wording = Literal["bare", "place", "order", "garments"]
WORDINGS: tuple[Wording, ...] = ("bare", "place", "order", "garments")
LARGEST = 3  # of the groups of characters that are asked for
UNTRAINED = ("TMarlow", "DQuill")  # written as trigger names are; nobody is trained on them
STRANGERS = ("woman", "man", "child")
PLACES = (
    "in the park",
    "at the beach",
    "in the kitchen",
    "in the snow",
    "by the lake",
    "in the street",
    "in the forest",
)
GARMENTS = ("red sweater", "blue shirt", "green jacket", "yellow sweater", "white shirt")
SEEDS = 2**31


class AskedCast(SpecModel):
    """Whom one prompt asks for. `members` and `strangers` together are the heads asked for."""

    name: str = Field(description="of the cast: 'A+J', 'pair+1', 'one+2', 'names-2', 'noun-1'")
    members: list[str] = Field(description="letters in the order in which the prompt calls them")
    strangers: int = Field(0, ge=0, description="people asked for who are no characters")
    canvas: str = Field(description="width x height in pixels, '192x96'")
    wording: Wording
    order: list[str] = Field(
        default_factory=list,
        description="letters from left to right, '' a stranger; empty where the prompt says none",
    )
    wears: dict[str, str] = Field(
        default_factory=dict, description="letter -> what the prompt says that it wears"
    )

    @property
    def heads(self) -> int:
        """How many people the prompt asks for."""
        return len(self.members) + self.strangers


class CastPrompt(SpecModel):
    """A prompt of a cast set: its text, its canvas, and whom it asks for."""

    text: str
    size: tuple[int, int]
    cast: AskedCast


def noise_seeds(text: str, size: tuple[int, int], pictures: int) -> list[int]:
    """The seeds of a prompt's pictures, from its text, canvas and their number: equal in all arms
    and runs, and different from prompt to prompt, so that no noise is shared by many prompts."""
    pictures_of = (f"{text}\n{size[0]}x{size[1]}\n{n}" for n in range(pictures))
    return [int(sha256_text(one)[:16], 16) % SEEDS for one in pictures_of]


def cast_prompts(
    names: Mapping[str, str],
    shapes: Sequence[tuple[int, int]],
    wordings: int,
    strangers: bool = True,
    untrained: Sequence[str] = UNTRAINED,
    first: int = 0,
) -> dict[str, CastPrompt]:
    """Name -> prompt of all casts on all canvases in `wordings` wordings from the `first` on.

    names: letter -> trigger name. Casts are all groups of up to `LARGEST` characters; with
    `strangers` also a pair (of one character: it alone) beside a stranger, one beside two, two
    `untrained` names, one class noun and three. Members are called by name alone, because a class
    noun gives away who is meant.
    """
    found, last = {}, first + wordings
    for number, (cast, people) in enumerate(_casts(sorted(names), last, strangers)):
        for wording in range(first, last):
            asked = people[wording]
            text, told = _worded(asked, names, untrained, wording, number)
            for width, height in shapes:
                canvas = f"{width}x{height}"
                found[f"{cast}.{canvas}.{wording + 1}"] = CastPrompt(
                    text=text,
                    size=(width, height),
                    cast=AskedCast(
                        name=cast,
                        members=[who for who in asked if who in names],
                        strangers=sum(who not in names for who in asked),
                        canvas=canvas,
                        wording=WORDINGS[wording % len(WORDINGS)],
                        **told,
                    ),
                )
    return found


def _casts(
    letters: Sequence[str], wordings: int, strangers: bool
) -> list[tuple[str, list[list[str]]]]:
    """(name, who is asked for in each wording): letters, nouns, '1' and '2' for untrained names.
    The order in which people are called turns with the wording and from group to group."""
    groups = [
        list(group)
        for size in range(1, min(LARGEST, len(letters)) + 1)
        for group in combinations(letters, size)
    ]
    found = [
        ("+".join(group), [_turned(group, place + n) for n in range(wordings)])
        for place, group in enumerate(groups)
    ]
    if not strangers:
        return found
    pairs = [group for group in groups if len(group) == 2] or [[letters[0]]]
    first = "pair+1" if len(letters) > 1 else "one+1"
    beside: dict[str, list[list[str]]] = {first: [], "one+2": [], "names-2": []}
    for n in range(wordings):
        noun, other = STRANGERS[n % 2], STRANGERS[(n + 1) % 2]
        beside[first].append(_turned([*pairs[n % len(pairs)], noun], n))
        beside["one+2"].append(_turned([letters[n % len(letters)], noun, other], n))
        beside["names-2"].append(_turned(["1", "2"], n))
    nouns = [[STRANGERS[n % len(STRANGERS)]] for n in range(wordings)]
    beside |= {"noun-1": nouns, "nouns-3": [_turned(STRANGERS, n) for n in range(wordings)]}
    return [*found, *beside.items()]


def _turned(people: Sequence[str], by: int) -> list[str]:
    by %= len(people)
    return [*people[by:], *people[:by]]


def _worded(
    asked: Sequence[str],
    names: Mapping[str, str],
    untrained: Sequence[str],
    wording: int,
    cast: int,
) -> tuple[str, dict[str, list[str] | dict[str, str]]]:
    """The prompt's text, and what it says of order and garments. A cast without an order or
    without members gets another place in those wordings."""
    kind, place = WORDINGS[wording % len(WORDINGS)], PLACES[(cast + wording) % len(PLACES)]
    called = [_called(who, names, untrained) for who in asked]
    members = [who for who in asked if who in names]
    if kind == "order" and members and len(asked) > 1:
        order = [who if who in names else "" for who in asked]
        return f"from left to right: {listing(called)} {place}", {"order": order}
    if kind == "garments" and members:
        first = cast + wording
        worn = {who: GARMENTS[(first + n) % len(GARMENTS)] for n, who in enumerate(members)}
        dressed = [
            f"{text} in a {worn[who]}" if who in worn else text
            for who, text in zip(asked, called, strict=True)
        ]
        return f"a photo of {listing(dressed)}", {"wears": worn}
    if wording == 0:
        return f"a photo of {listing(called)}", {}
    return f"{listing(called)} {place}", {}


def _called(who: str, names: Mapping[str, str], untrained: Sequence[str]) -> str:
    if who in names:
        return names[who]
    return untrained[int(who) - 1] if who.isdigit() else f"a {who}"
