"""Strangers who are cut into composites: one person a photo, said by a class noun.

Knows photos, captions and masks; writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from kindred.characters.trigger_words import ADULT_NOUNS, letters_in
from kindred.data.composites import captions
from kindred.data.composites.cutouts import Cutout
from kindred.data.composites.people import SourcePhoto
from kindred.data.composites.stranger_names import stranger_names


@dataclass(frozen=True)
class Stranger:
    """Somebody who is no character: the class noun, what they wear ('' unsaid), and a made-up name
    that captions may call them by."""

    cutout: Cutout
    photo: SourcePhoto
    noun: str
    wears: str
    is_child: bool
    name: str = ""

    def said(self, plain: bool, named: bool) -> str:
        """How a caption calls them: 'a man' or 'man TRenol', and what they wear; plain: without
        that, and a name alone."""
        if named:
            return self.name if plain else f"{self.noun} {self.name} {self.wears}".strip()
        called = f"an {self.noun}" if self.noun[0] in "aeiou" else f"a {self.noun}"
        return called if plain else f"{called} {self.wears}".strip()


def strangers_of(
    photos: Sequence[SourcePhoto],
    characters: captions.Characters,
    seed: int,
    note: Callable[[str], None],
) -> Iterator[Stranger]:
    """Those of photos that show one person whose caption says a class noun and no character. Who
    can't be taken is noted with the reason; who is cut off by a side only where nobody else is."""
    found, lame = [], []
    for photo in photos:
        one, why = _stranger(photo, characters)
        if one is None:
            note(f"{photo.source}: no stranger to cut out: {why}")
        else:
            (lame if one.cutout.sides else found).append(one)
    chosen = found or lame
    names = stranger_names((one.photo.source for one in chosen), characters, seed)
    yield from (replace(one, name=names[one.photo.source]) for one in chosen)


def _stranger(photo: SourcePhoto, characters: captions.Characters) -> tuple[Stranger | None, str]:
    """(the stranger, '') or (None, why not)."""
    said = captions.stranger(photo.caption)
    people = photo.masked.people
    if named := letters_in(photo.caption, characters):
        return None, f"its caption names {characters[named[0]].name}"
    if said is None:
        return None, "its caption says nobody like 'a man', once"
    if len(people) != 1:
        return None, f"{len(people)} people are found in it"
    (cutout,) = photo.cutouts
    if cutout is None:
        return None, "hardly anything of them is seen"
    noun, wears = said
    return Stranger(cutout, photo, noun, wears, noun not in ADULT_NOUNS), ""
