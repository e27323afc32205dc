"""What drawers that can't read names would reach: the lines that cast accuracy has to be above.

Each sees one thing of a prompt and knows which outcome pays best wherever it sees that: the most
that anybody could reach who sees no more. Computed from the prompts themselves. Knows what prompts
ask for; knows nothing of pictures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

from kindred.characters.trigger_words import class_nouns
from kindred.specs.casts import AskedCast
from kindred.specs.character import Character


@dataclass(frozen=True)
class SeenPrompt:
    """A prompt of a cast set with its words, and how many pictures it has."""

    asked: AskedCast
    text: str
    pictures: int = 1


def best_accuracy(
    prompts: list[SeenPrompt], sees: Callable[[SeenPrompt], Hashable]
) -> float | None:
    """The largest cast accuracy of a drawer that tells prompts apart by what it `sees` alone and
    always draws one outcome (members and heads) for what looks the same to it; None of nothing."""
    sizes: dict[str, int] = defaultdict(int)
    for one in prompts:
        sizes[one.asked.name] += one.pictures
    if not sizes:
        return None
    pays: dict[Hashable, dict[Hashable, float]] = defaultdict(lambda: defaultdict(float))
    for one in prompts:
        outcome = tuple(sorted(one.asked.members)), one.asked.heads
        pays[sees(one)][outcome] += one.pictures / sizes[one.asked.name] / len(sizes)
    return round(sum(max(outcomes.values()) for outcomes in pays.values()), 4)


def drawers(
    prompts: list[SeenPrompt], characters: Mapping[str, Character]
) -> dict[str, dict[str, float]]:
    """Drawer -> its cast accuracy over all casts, over casts of members alone ('family') and over
    the others: who sees the canvas, the canvas and the number of people asked for, and those and
    the class nouns. Kinds of cast that are not asked for are left out."""
    kinds = {
        "all": prompts,
        "family": [one for one in prompts if one.asked.members and not one.asked.strangers],
        "others": [one for one in prompts if one.asked.strangers],
    }
    sees: dict[str, Callable[[SeenPrompt], Hashable]] = {
        "canvas": lambda one: one.asked.canvas,
        "number": lambda one: (one.asked.canvas, one.asked.heads),
        "nouns": lambda one: (
            one.asked.canvas,
            one.asked.heads,
            tuple(class_nouns(one.text, characters)),
        ),
    }
    found = {
        name: {kind: best_accuracy(own, what) for kind, own in kinds.items()}
        for name, what in sees.items()
    }
    return {
        name: {kind: value for kind, value in own.items() if value is not None}
        for name, own in found.items()
    }
