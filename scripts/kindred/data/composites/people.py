"""The photos that pictures are made of, and the people who can be cut out of them.

Knows photos, captions and masks; knows nothing of what is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import TypeVar

import numpy as np
from PIL import Image

from kindred.characters.cells import cell_name
from kindred.data.aspect_buckets import Size
from kindred.data.composites import captions
from kindred.data.composites.cutouts import Cutout, cut_out
from kindred.data.held_out_photos import held_out_photos
from kindred.data.person_masks import MaskedPhoto
from kindred.data.person_segmentation import upright
from kindred.specs.composites import CompositeSpec

T = TypeVar("T")


@dataclass(frozen=True)
class SourcePhoto:
    """A photo with its caption, the letters in it, and the mask of who is where; `photo`: its name
    in the dataset."""

    source: str
    path: Path
    caption: str
    letters: tuple[str, ...]
    masked: MaskedPhoto
    photo: str = ""

    @property
    def image(self) -> Image.Image:
        """Upright, RGB; read anew each time, for large photos would fill the memory."""
        return upright(self.path)

    @property
    def indices(self) -> np.ndarray:
        """[H, W]: k where the k-th person is; read anew each time."""
        return self.masked.indices()

    @cached_property
    def size(self) -> Size:
        """Width and height, px."""
        return self.image.size

    @cached_property
    def cutouts(self) -> list[Cutout | None]:
        """Everybody's pixels, in the order of the mask; None when hardly any are seen."""
        image, indices = self.image, self.indices
        people = enumerate(self.masked.people, 1)
        return [cut_out(image, indices == number, person.head) for number, person in people]


@dataclass(frozen=True)
class PersonSource:
    """Somebody in a photo, to be cut out."""

    letter: str
    photo: SourcePhoto
    index: int

    @property
    def cutout(self) -> Cutout | None:
        """Their pixels; None when hardly any are seen."""
        return self.photo.cutouts[self.index]


def usable(photos: Sequence[SourcePhoto], spec: CompositeSpec) -> list[SourcePhoto]:
    """The photos that pictures may be made of: nothing of one that is held out of training may come
    into it by another way."""
    if spec.held_out is None:
        return list(photos)
    known = [(one.photo, cell_name(one.letters), "") for one in photos]
    held = held_out_photos(known, spec.held_out)
    return [one for one in photos if one.photo not in held]


def sources_of(photos: Sequence[SourcePhoto], letter: str) -> Iterator[PersonSource]:
    """Where somebody can be cut out: alone where there are two such photos, else in groups too;
    never where a side of the photo cuts into them, unless there is nothing else."""
    found = [
        PersonSource(letter, photo, index)
        for photo in photos
        for index, one in enumerate(photo.masked.people)
        if one.letter == letter
    ]
    found = [one for one in found if one.cutout is not None]
    alone = [one for one in found if len(one.photo.masked.people) == 1]
    chosen = alone if len(alone) >= 2 else found
    yield from [one for one in chosen if not one.cutout.sides] or chosen


def in_turn(things: Sequence[T], number: int, seed: str) -> T:
    """The thing of this number: each comes once before one comes again, in another order each
    round."""
    turn, round_ = number % len(things), number // len(things)
    ranked = list(things)
    Random(f"{seed} {round_}").shuffle(ranked)
    return ranked[turn]


def said_of(one: PersonSource, spec: CompositeSpec) -> str:
    caption = one.photo.caption
    called = captions.calling(caption, one.letter, spec.characters)
    clothes = captions.wearing(caption, one.letter, spec.characters)
    return f"{called} {clothes}".strip()
