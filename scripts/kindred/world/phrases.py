"""The fixed words of captions: places, counts, roles, prompt templates, and how tokens are counted.

Knows people and places by name; scenes are worded in `captions`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from kindred.common.sentences import listing
from kindred.world.people import Person
from kindred.world.vocabulary import adult

TOKEN_LIMIT = 56
NAME_TOKENS = 4
_NAME = re.compile(r"^[A-Z][A-Z][a-z]+$")
NUMBERS = ("no", "one", "two", "three", "four")

PLACE_PHRASES: dict[str, tuple[str, ...]] = {
    "beach": ("at the beach", "on the beach", "by the sea"),
    "park": ("in the park", "in a park"),
    "forest": ("in the forest", "in a forest", "in the woods"),
    "mountains": ("in the mountains", "in front of mountains"),
    "snow": ("in the snow", "in a snowy landscape"),
    "desert": ("in the desert", "in a desert"),
    "lake": ("by the lake", "at the lake"),
    "kitchen": ("in the kitchen", "in a kitchen"),
    "living room": ("in the living room", "in a living room"),
    "library": ("in the library", "in a library", "in front of bookshelves"),
    "street": ("in the street", "on a city street"),
    "house": ("in front of a house", "in front of the house"),
    "night sky": ("at night", "under the night sky", "under the stars"),
    "studio": ("in a studio", "in front of a plain wall"),
    "christmas card": ("on a Christmas card",),
}

TEMPLATES = (
    "{names} {place}",
    "a photo of {names} {place}",
    "a portrait of {names}",
    "a family portrait of {names} {place}",
    "{count} people: {names}, {place}",
    "a Christmas card with {names}",
    "{ages} {place}",
    "a photo of {ages}",
    "{roles} {place}",
    "a Christmas card with {roles}",
    "{place}, {names} stand together",
    "from left to right: {names}",
)


def place_in(text: str) -> str | None:
    """The world's place that a text names, or None."""
    words = text.casefold()
    if "christmas card" in words:
        return "christmas card"
    for place, phrases in PLACE_PHRASES.items():
        if any(phrase.casefold() in words for phrase in phrases):
            return place
    return None


def token_count(caption: str) -> int:
    """Upper estimate of tokens: a word or a punctuation mark is one, a trigger name four."""
    words = re.findall(r"[A-Za-z]+|[^\sA-Za-z]", caption)
    return sum(NAME_TOKENS if _NAME.match(word) else 1 for word in words)


def article(phrase: str) -> str:
    """The phrase with its indefinite article."""
    return ("an " if phrase[0] in "aeiou" else "a ") + phrase


def age(person: Person) -> str:
    """`adult` or `child`."""
    return "adult" if adult(person.kind) else "child"


def role(person: Person) -> str:
    """`adult man`, `adult woman` or `small child`."""
    return f"adult {person.kind}" if adult(person.kind) else "small child"


def prompt(template: str, people: Sequence[Person], place: str | None = None) -> str:
    """Fill one of TEMPLATES; `place` is a key of PLACE_PHRASES (default: park)."""

    def called(word: Callable[[Person], str]) -> str:
        return listing([f"{word(p)} {p.name}" if p.name else article(word(p)) for p in people])

    return template.format(
        names=listing([person.name or article(person.kind) for person in people]),
        ages=called(age),
        roles=called(role),
        count=NUMBERS[len(people)],
        place=PLACE_PHRASES[place or "park"][0],
    )
