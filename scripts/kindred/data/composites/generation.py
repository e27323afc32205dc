"""Makes training pictures of a dataset's photos: people cut out and set side by side for cells.

Everything is drawn from the specification's seed, the cell and the number, so that more pictures
leave the first ones as they are. Knows photos, captions and masks; writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import combinations, permutations
from random import Random
from typing import NamedTuple

import numpy as np
from PIL import Image

from kindred.common.errors import Problems
from kindred.common.sentences import counted
from kindred.data.aspect_buckets import Size, largest_buckets, nearest_bucket
from kindred.data.composites import captions, compositing
from kindred.data.composites.compositing import Placed
from kindred.data.composites.cutouts import Cutout
from kindred.data.composites.people import (
    PersonSource,
    SourcePhoto,
    in_turn,
    said_of,
    sources_of,
    usable,
)
from kindred.data.composites.places import Places
from kindred.data.composites.strangers import Stranger, strangers_of
from kindred.data.person_masks import Box
from kindred.specs.composites import ROW, Composites, CompositeSpec

LARGE = 1024  # px, about the longest edge of a composite
ROUND = 20  # composites in which strangers have their share exactly


class Drawn(NamedTuple):
    """A picture, its mask, and the people in it: letter and head."""

    image: Image.Image
    mask: np.ndarray
    people: tuple[tuple[str, Box | None], ...]


@dataclass(frozen=True)
class CompositeImage:
    """A picture that is made of photos: a name, what it is, its caption, of which photos, how it is
    drawn, and where: pictures of one place are best drawn one after the other. named: the made-up
    names by which its caption calls strangers."""

    name: str
    kind: str
    cell: str
    caption: str
    of: tuple[str, ...]
    draw: Callable[[], Drawn]
    place: str = ""
    named: tuple[str, ...] = ()


def composites(
    photos: Sequence[SourcePhoto],
    others: Sequence[SourcePhoto],
    spec: CompositeSpec,
    note: Callable[[str], None],
) -> Iterator[CompositeImage]:
    """The pictures that `spec.compose` asks for. others: photos of strangers. Raises ProblemsError
    naming every cell that can't be made, and why."""
    asked = spec.compose
    if asked is None:
        return
    photos = usable(photos, spec)
    sources = {letter: list(sources_of(photos, letter)) for letter in spec.characters}
    problems = Problems("composites can't be made")
    for cell in asked.cells:
        for letter in cell.split("+"):
            if not sources[letter]:
                name = spec.characters[letter].name
                problems.add(
                    f"compose: {cell}",
                    f"there is no photo from which {name} could be cut out",
                    f"add a photo of {name} alone",
                )
    strangers = list(_strangers(others, spec, note))
    if asked.strangers and not strangers:
        where, what = (
            f"compose: strangers of {asked.strangers.of}",
            ("nobody can be cut out of these photos"),
        )
        problems.add(
            where,
            what,
            "add photos of one person each, with captions such as 'a man in a red coat'",
        )
    problems.raise_if_any()
    for letter, own in sources.items():
        alone = sum(len(one.photo.letters) == 1 for one in own)
        people = counted(len(own), "person")
        note(f"{letter}: {people} to cut out, {alone} of them alone in a photo")
    made = _Composites(photos, sources, strangers, _sizes(photos, spec), asked, spec)
    alone = {"": asked.strangers.alone} if asked.strangers else {}
    for cell, count in (asked.counts() | alone).items():
        yield from (made.composite(cell, number) for number in range(count))


def _strangers(
    others: Sequence[SourcePhoto], spec: CompositeSpec, note: Callable[[str], None]
) -> Iterator[Stranger]:
    if spec.compose and spec.compose.strangers:
        yield from strangers_of(others, spec.characters, spec.compose.seed, note)


@dataclass(frozen=True)
class _Composites:
    """What all composites are made of. sources: letter -> where somebody can be cut out; sizes:
    relative heights of their heads."""

    photos: Sequence[SourcePhoto]
    sources: Mapping[str, Sequence[PersonSource]]
    strangers: Sequence[Stranger]
    sizes: Mapping[str, float]
    asked: Composites
    spec: CompositeSpec

    @cached_property
    def buckets(self) -> list[Size]:
        """That composites may have the shape of."""
        return largest_buckets(self.spec.preprocess)

    @cached_property
    def opening(self) -> str:
        """How captions begin."""
        return captions.frame([one.caption for one in self.photos])

    @cached_property
    def places(self) -> Places:
        """What composites stand in front of."""
        return Places()

    @cached_property
    def placed(self) -> list[SourcePhoto]:
        """Photos whose captions say where they are."""
        return [photo for photo in self.photos if captions.place(photo.caption)]

    def composite(self, cell: str, number: int) -> CompositeImage:
        """The cell's composite of this number; of cell '' one of strangers alone."""
        rng = Random(f"{self.asked.seed} {cell} {number}")
        # In half of them people are their names alone, as in most prompts: clothes and classes said
        # every time would become part of how somebody is called.
        row = self._row(cell, number, plain=number % 4 > 1)
        canvas = self._canvas(cell, number, len(row))
        placed = compositing.place_people(
            [one.cutout for one in row],
            [one.size for one in row],
            canvas,
            rng,
            close=self.asked.heads == "large",
        )
        background, where, photo = self._background(row, cell, number, canvas, rng)
        caption = _caption([one.said for one in row], where, self.opening, number, rng)
        members = [one.photo.source for one in row if one.letter]
        return CompositeImage(
            name=f"composed/{cell or 'strangers'}-{number + 1:02d}.png",
            kind="composed",
            cell=cell,
            caption=caption,
            of=tuple(sorted({*members} | ({photo} if photo else set()))),
            draw=partial(_drawn, background, placed, [one.letter for one in row]),
            place=f"{photo} {canvas}",
            named=tuple(one.name for one in row if one.name),
        )

    def _row(self, cell: str, number: int, plain: bool) -> list[_InRow]:
        """The people from left to right; strangers at any place among them."""
        row = []
        for letter in _order(cell, number, self.asked.seed):
            one = _turn(self.sources[letter], cell, letter, number, self.asked.seed)
            name = self.spec.characters[letter].name
            said = name if plain else said_of(one, self.spec)
            row.append(_InRow(letter, one.cutout, self.sizes[letter], said, one.photo))
        rng = Random(f"{self.asked.seed} {cell} strangers {number}")
        named = self._are_named(cell, number)
        for one in rng.sample(self.strangers, min(self._beside(cell, number), len(self.strangers))):
            size = compositing.CHILD if one.is_child else 1.0
            said, name = one.said(plain, named), one.name if named else ""
            new = _InRow("", one.cutout, size, said, one.photo, name)
            row.insert(rng.randint(0, len(row)), new)
        return row

    def _beside(self, cell: str, number: int) -> int:
        """How many strangers stand in a composite: in the share that is asked for, as many of one
        as of two where there is room."""
        room = ROW - len(_letters(cell))
        if room < 1 or self.asked.strangers is None:
            return 0
        if not cell:
            return in_turn(range(1, ROW + 1), number, f"{self.asked.seed} strangers alone")
        some = round(ROUND * self.asked.strangers.share)
        counts = [1 + k % room for k in range(some)] + [0] * (ROUND - some)
        return in_turn(counts, number, f"{self.asked.seed} {cell} beside")

    def _are_named(self, cell: str, number: int) -> bool:
        """Whether a caption calls strangers by their names, in the share that is asked for."""
        share = self.asked.strangers.named if self.asked.strangers else 0
        some = round(ROUND * share)
        return bool(some) and in_turn(
            [True] * some + [False] * (ROUND - some), number, f"{self.asked.seed} {cell} named"
        )

    def _canvas(self, cell: str, number: int, people: int) -> Size:
        """Its size, by the experiment's buckets."""
        if self.asked.canvas == "any":
            return _enlarged(in_turn(self.buckets, number, f"{self.asked.seed} {cell} canvas"))
        return _enlarged(_usual(self.photos, people, self.buckets))

    def _background(
        self, row: Sequence[_InRow], cell: str, number: int, canvas: Size, rng: Random
    ) -> tuple[Callable[[], Image.Image], str, str]:
        """(what draws the background, how a caption says the place, the photo it is of)."""
        if self.asked.background == "plain":
            wall = partial(Image.new, "RGB", canvas, compositing.quiet_colour(rng))
            return wall, "in front of a plain wall", ""
        members = [one.photo for one in row if one.letter]
        if self.asked.background == "any":
            photo = in_turn(self.placed or self.photos, number, f"{self.asked.seed} {cell} places")
        else:
            own = [photo for photo in members if photo in self.placed]
            photo = rng.choice(own or self.placed or members or self.photos)
        place = partial(self.places.of, photo, canvas)
        return place, captions.place(photo.caption), photo.source


@dataclass(frozen=True)
class _InRow:
    """Somebody in a row. letter: '' for a stranger; size: relative height of the head; said: in the
    caption; name: a stranger's, where the caption says it."""

    letter: str
    cutout: Cutout
    size: float
    said: str
    photo: SourcePhoto
    name: str = ""


def _drawn(
    background: Callable[[], Image.Image], placed: Sequence[Placed], letters: Sequence[str]
) -> Drawn:
    picture, mask, heads = compositing.composite_people(background(), placed)
    return Drawn(picture, mask, tuple(zip(letters, heads, strict=True)))


def _caption(said: list[str], where: str, opening: str, number: int, rng: Random) -> str:
    """Every second one of several people says who stands where. Where all did, only prompts that
    say it too came out right: what a name draws in other prompts was left as it was."""
    if number % 2 or len(said) == 1:
        return captions.side_by_side_caption(rng.sample(said, len(said)), where, opening)
    return captions.group_caption(said, where, opening, listed=rng.random() < 0.3)


def _letters(cell: str) -> list[str]:
    """Whose composite it is; nobody's of strangers alone."""
    return cell.split("+") if cell else []


def _order(cell: str, number: int, seed: int) -> tuple[str, ...]:
    """Who stands where: every order once before one comes again."""
    orders = list(permutations(_letters(cell)))
    Random(f"{seed} {cell} orders").shuffle(orders)
    return orders[number % len(orders)]


def _turn(
    sources: Sequence[PersonSource], cell: str, letter: str, number: int, seed: int
) -> PersonSource:
    """Everybody's photos take turns, in another order in every cell and round."""
    return in_turn(sources, number, f"{seed} {cell} {letter}")


def _sizes(photos: Sequence[SourcePhoto], spec: CompositeSpec) -> dict[str, float]:
    """Relative heights of heads, from the photos in which two are seen."""
    pairs = []
    for photo in photos:
        heads = {p.letter: p.head for p in photo.masked.people if p.letter and p.head}
        for a, b in combinations(sorted(heads), 2):
            ratio = (heads[a][3] - heads[a][1]) / max(heads[b][3] - heads[b][1], 1e-6)
            pairs.append((a, b, min(max(ratio, 0.5), 2.0)))
    return compositing.relative_sizes({x: c.age for x, c in spec.characters.items()}, pairs)


def _usual(photos: Sequence[SourcePhoto], people: int, buckets: Sequence[Size]) -> Size:
    """The shape of photos of as many people, or else the bucket nearest to 0.65 widths a person."""
    alike = [photo.size for photo in photos if len(photo.letters) == people]
    shapes = sorted(alike, key=lambda size: size[0] / size[1])
    shape = shapes[len(shapes) // 2] if shapes else (65 * people, 100)
    return nearest_bucket(shape, buckets)


def _enlarged(bucket: Size) -> Size:
    scale = max(1, round(LARGE / max(bucket)))
    return bucket[0] * scale, bucket[1] * scale
