"""A scene that shows what a prompt asks for: who, where, from left to right, in what.

Knows the world's words and people; knows nothing of experiments or of how prompts are made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import zip_longest
from random import Random

from kindred.world.people import Person, by_name, named_strangers, random_person
from kindred.world.phrases import place_in
from kindred.world.scene import Figure, Scene, sample_scene
from kindred.world.vocabulary import CLOTHES, COLOURS, HATS, KINDS, noun

_MENTION = re.compile(
    rf"\b(?:(?P<name>[A-Z][A-Z][a-z]+)|(?P<noun>{'|'.join((*KINDS, 'child'))}))\b"
)


def strangers_in(text: str, members: Sequence[str], count: int, rng: Random) -> list[Person]:
    """The `count` people whom a text asks for and who are no `members` (trigger names), in its
    order.

    A class noun, and a name that nobody has, are somebody new, of the class that is said; a name of
    one of the world's named people is that one. A noun right before a name is the name's. Whom the
    text calls in other words is anybody, behind those.
    """
    known, found = by_name(named_strangers()), []
    mentions = list(_MENTION.finditer(text))
    for mention, after in zip_longest(mentions, mentions[1:]):
        name, word = mention.group("name", "noun")
        if word and after and after["name"] and not text[mention.end() : after.start()].strip():
            continue
        if name in known and name not in members:
            found.append(known[name])
        elif name not in members:
            kinds = [kind for kind in KINDS if word in (None, kind, noun(kind))]
            found.append(random_person(rng, rng.choice(kinds)))
    anybody = [random_person(rng) for _ in range(count - len(found))]
    return [*found, *anybody][:count]


def asked_scene(
    text: str,
    people: Sequence[Person],
    size: tuple[int, int],
    rng: Random,
    garments: Sequence[str | None],
) -> Scene:
    """`people` from left to right, each in its garment (`red sweater`; None: any), at the place
    that the text names, or else any. Nobody wears a hat that is no garment of theirs."""
    scene = sample_scene(
        rng, people, size=size, place=place_in(text), shuffle=False, hat=None, hat_colour=None
    )
    dressed = map(_dressed, scene.figures, garments)
    return replace(scene, figures=tuple(dressed))


def _dressed(figure: Figure, garment: str | None) -> Figure:
    """The figure in what of a garment the world has words for."""
    colour = _word_of(COLOURS, garment)
    hat = _word_of(filter(None, HATS), garment)
    if hat:
        return replace(figure, hat=hat, hat_colour=colour or "red")
    clothes = _word_of(CLOTHES, garment) or figure.clothes
    return replace(figure, clothes=clothes, clothes_colour=colour or figure.clothes_colour)


def _word_of(words: Iterable[str], text: str | None) -> str | None:
    return next((word for word in words if re.search(rf"\b{word}\b", text or "")), None)
