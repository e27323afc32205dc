"""Makes training pictures of a dataset's photos: composites for cells, crops of one person.

Everything is drawn from the specification's seed, the cell and the number, so that more pictures
leave the first ones as they are. Knows photos, captions and masks; writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, permutations
from pathlib import Path
from random import Random
from typing import TypeVar

import numpy as np
from PIL import Image

from kindred.common.errors import Problems
from kindred.data.aspect_buckets import Size, bucket_sets, nearest_bucket
from kindred.data.composites import captions, compositing
from kindred.data.composites.cutouts import Cutout, cut_out, without
from kindred.data.person_masks import Box, MaskedPhoto
from kindred.data.person_segmentation import upright
from kindred.specs.composites import Composites, CompositeSpec

T = TypeVar("T")
LARGE = 1024  # px, about the longest edge of a composite
MARGIN = 0.06  # around somebody who is cropped out, of their height
SMALLEST = 0.35  # of a bucket's shorter edge: smaller crops are blurred faces


@dataclass(frozen=True)
class SourcePhoto:
    """A photo with its caption, the letters in it, and the mask of who is where."""

    source: str
    path: Path
    caption: str
    letters: tuple[str, ...]
    masked: MaskedPhoto

    @cached_property
    def image(self) -> Image.Image:
        """Upright, RGB."""
        return upright(self.path)

    @cached_property
    def indices(self) -> np.ndarray:
        """[H, W]: k where the k-th person is."""
        return self.masked.indices()

    @cached_property
    def places(self) -> dict[Size, Image.Image]:
        """Canvas -> the place in that size, for every composite that stands there: small, where
        the photo may have many megapixels."""
        return {}

    def place(self, canvas: Size) -> Image.Image:
        """The photo without its people, as a background."""
        if canvas not in self.places:
            empty = without(self.image, self.indices > 0)
            self.places[canvas] = compositing.extended(empty, canvas)
        return self.places[canvas]


@dataclass(frozen=True)
class CompositeImage:
    """A picture made of photos: a name, its caption, what it is, of which photos, and its mask."""

    name: str
    kind: str
    cell: str
    image: Image.Image
    caption: str
    of: tuple[str, ...]
    mask: np.ndarray
    people: tuple[tuple[str, Box | None], ...]


@dataclass(frozen=True)
class PersonSource:
    """Somebody in a photo, to be cut out."""

    letter: str
    photo: SourcePhoto
    index: int

    @cached_property
    def cutout(self) -> Cutout | None:
        """Their pixels; None when hardly any are seen."""
        head = self.photo.masked.people[self.index].head
        return cut_out(self.photo.image, self.photo.indices == self.index + 1, head)


def composites(
    photos: Sequence[SourcePhoto], spec: CompositeSpec, note: Callable[[str], None]
) -> Iterator[CompositeImage]:
    """The pictures that `spec.compose` asks for. Raises ProblemsError naming every cell that can't
    be made, and why."""
    asked = spec.compose
    if asked is None:
        return
    sources = {letter: list(_sources(photos, letter)) for letter in spec.characters}
    problems = Problems("composites can't be made")
    for cell in asked.cells:
        for letter in cell.split("+"):
            if not sources[letter]:
                name = spec.characters[letter].name
                problems.add(
                    f"compose: {cell}", f"no photo to cut {name} out of", "add one with them alone"
                )
    problems.raise_if_any()
    sizes = _sizes(photos, spec)
    for letter, own in sources.items():
        alone = sum(len(one.photo.letters) == 1 for one in own)
        note(f"{letter}: {len(own)} people to cut out, {alone} of them alone in a photo")
    for cell, count in asked.counts().items():
        canvas = _canvas(photos, cell, spec)
        for number in range(count):
            yield _composite(photos, sources, cell, number, canvas, sizes, asked, spec)


def _sources(photos: Sequence[SourcePhoto], letter: str) -> Iterator[PersonSource]:
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


def _composite(
    photos: Sequence[SourcePhoto],
    sources: Mapping[str, Sequence[PersonSource]],
    cell: str,
    number: int,
    canvas: Size,
    sizes: Mapping[str, float],
    asked: Composites,
    spec: CompositeSpec,
) -> CompositeImage:
    rng = Random(f"{asked.seed} {cell} {number}")
    order = _order(cell, number, asked.seed)
    people = [_turn(sources[letter], cell, letter, number, asked.seed) for letter in order]
    placed = compositing.place_people(
        [p.cutout for p in people], [sizes[x] for x in order], canvas, rng
    )
    background, where, photo = _background(photos, people, cell, number, canvas, asked, rng)
    picture, mask, heads = compositing.composite_people(background, placed)
    opening = captions.frame([one.caption for one in photos])
    # In half of them people are their names alone, as in most prompts: clothes and classes said
    # every time would become part of how somebody is called.
    plain = number % 4 > 1
    said = [
        spec.characters[x].name if plain else _said(one, spec)
        for x, one in zip(order, people, strict=True)
    ]
    caption = _caption(said, where, opening, number, rng)
    of = sorted({one.photo.source for one in people} | ({photo} if photo else set()))
    return CompositeImage(
        f"composed/{cell}-{number + 1:02d}.png",
        "composed",
        cell,
        picture,
        caption,
        tuple(of),
        mask,
        tuple(zip(order, heads, strict=True)),
    )


def _caption(said: list[str], where: str, opening: str, number: int, rng: Random) -> str:
    """Every second one of several people says who stands where. Where all did, only prompts that
    say it too came out right: what a name draws in other prompts was left as it was."""
    if number % 2 or len(said) == 1:
        return captions.side_by_side_caption(rng.sample(said, len(said)), where, opening)
    return captions.group_caption(said, where, opening, listed=rng.random() < 0.3)


def _order(cell: str, number: int, seed: int) -> tuple[str, ...]:
    """Who stands where: every order once before one comes again."""
    orders = list(permutations(cell.split("+")))
    Random(f"{seed} {cell} orders").shuffle(orders)
    return orders[number % len(orders)]


def _turn(
    sources: Sequence[PersonSource], cell: str, letter: str, number: int, seed: int
) -> PersonSource:
    """Everybody's photos take turns, in another order in every cell and round."""
    return _in_turn(sources, number, f"{seed} {cell} {letter}")


def _in_turn(things: Sequence[T], number: int, seed: str) -> T:
    """The thing of this number: each comes once before one comes again, in another order each
    round."""
    turn, round_ = number % len(things), number // len(things)
    ranked = list(things)
    Random(f"{seed} {round_}").shuffle(ranked)
    return ranked[turn]


def _said(one: PersonSource, spec: CompositeSpec) -> str:
    caption = one.photo.caption
    called = captions.calling(caption, one.letter, spec.characters)
    clothes = captions.wearing(caption, one.letter, spec.characters)
    return f"{called} {clothes}".strip()


def _background(
    photos: Sequence[SourcePhoto],
    people: Sequence[PersonSource],
    cell: str,
    number: int,
    canvas: Size,
    asked: Composites,
    rng: Random,
) -> tuple[Image.Image, str, str]:
    """(background, how a caption says the place, the photo it is of) of a cell's composite of this
    number."""
    if asked.background == "plain":
        return compositing.plain(canvas, rng), "in front of a plain wall", ""
    placed = [photo for photo in photos if captions.place(photo.caption)]
    if asked.background == "any":
        photo = _in_turn(placed or photos, number, f"{asked.seed} {cell} places")
    else:
        own = [one.photo for one in people if one.photo in placed]
        photo = rng.choice(own or placed or [one.photo for one in people])
    return photo.place(canvas), captions.place(photo.caption), photo.source


def _sizes(photos: Sequence[SourcePhoto], spec: CompositeSpec) -> dict[str, float]:
    """Relative heights of heads, from the photos in which two are seen."""
    pairs = []
    for photo in photos:
        heads = {p.letter: p.head for p in photo.masked.people if p.letter and p.head}
        for a, b in combinations(sorted(heads), 2):
            ratio = (heads[a][3] - heads[a][1]) / max(heads[b][3] - heads[b][1], 1e-6)
            pairs.append((a, b, min(max(ratio, 0.5), 2.0)))
    return compositing.relative_sizes({x: c.age for x, c in spec.characters.items()}, pairs)


def _canvas(photos: Sequence[SourcePhoto], cell: str, spec: CompositeSpec) -> Size:
    """The shape of photos of as many people, or else the bucket nearest to 0.65 widths a person."""
    count = len(cell.split("+"))
    buckets = max(bucket_sets(spec.preprocess).values(), key=lambda sizes: max(map(max, sizes)))
    alike = [photo.image.size for photo in photos if len(photo.letters) == count]
    shapes = sorted(alike, key=lambda size: size[0] / size[1])
    shape = shapes[len(shapes) // 2] if shapes else (65 * count, 100)
    bucket = nearest_bucket(shape, buckets)
    scale = max(1, round(LARGE / max(bucket)))
    return bucket[0] * scale, bucket[1] * scale


def crops(
    photos: Sequence[SourcePhoto], spec: CompositeSpec, note: Callable[[str], None]
) -> Iterator[CompositeImage]:
    """Everybody known in photos of several, alone, the others painted over; too small ones are
    noted and left out."""
    if spec.crop is None:
        return
    buckets = max(bucket_sets(spec.preprocess).values(), key=lambda sizes: max(map(max, sizes)))
    opening = captions.frame([photo.caption for photo in photos])
    for photo in photos:
        several = len(photo.masked.people) > 1
        for index, one in enumerate(photo.masked.people):
            if several and one.letter:
                picture = _crop(photo, index, buckets, opening, spec)
                if picture is None:
                    note(f"{photo.source}: {one.letter} is too small or hidden to be cropped out")
                else:
                    yield picture


def _crop(
    photo: SourcePhoto, index: int, buckets: list[Size], opening: str, spec: CompositeSpec
) -> CompositeImage | None:
    one, outline = photo.masked.people[index], photo.indices == index + 1
    box = _around(outline)
    if box is None:
        return None
    bucket = nearest_bucket((box[2] - box[0], box[3] - box[1]), buckets)
    box = _shaped(box, bucket, photo.image.size)
    if min(box[2] - box[0], box[3] - box[1]) < SMALLEST * min(bucket):
        return None
    others = (photo.indices > 0) & ~outline
    image = without(photo.image, others)
    # What is painted over reaches a little beyond the others; the person stays whole.
    image.paste(photo.image, mask=Image.fromarray(outline.astype(np.uint8) * 255))
    said = _said(PersonSource(one.letter, photo, index), spec)
    caption = captions.side_by_side_caption([said], captions.place(photo.caption), opening)
    head = one.head and tuple(v - at for v, at in zip(one.head, (box[0], box[1]) * 2, strict=True))
    stem = photo.source.rsplit(".", 1)[0].replace("/", "-")
    mask = outline[box[1] : box[3], box[0] : box[2]].astype(np.uint8)
    return CompositeImage(
        f"cropped/{stem}-{one.letter}.png",
        "cropped",
        one.letter,
        image.crop(box),
        caption,
        (photo.source,),
        mask,
        ((one.letter, head),),
    )


def _around(outline: np.ndarray) -> tuple[int, int, int, int] | None:
    """A person's box with a margin; None when nothing is seen of them."""
    rows, columns = np.flatnonzero(outline.any(1)), np.flatnonzero(outline.any(0))
    if not len(rows):
        return None
    margin = MARGIN * (rows[-1] - rows[0] + 1)
    x0, x1 = columns[0] - margin, columns[-1] + 1 + margin
    y0, y1 = rows[0] - margin, rows[-1] + 1 + margin
    height, width = outline.shape
    return round(max(0, x0)), round(max(0, y0)), round(min(width, x1)), round(min(height, y1))


def _shaped(box: tuple[int, int, int, int], bucket: Size, size: Size) -> tuple[int, int, int, int]:
    """The smallest part of the photo around `box` with the bucket's shape; where the photo ends,
    less: from below or from both sides."""
    x0, y0, x1, y1 = box
    aspect = bucket[0] / bucket[1]
    width = min(max(x1 - x0, (y1 - y0) * aspect), size[0], size[1] * aspect)
    height = width / aspect
    left = min(max(0.0, (x0 + x1) / 2 - width / 2), size[0] - width)
    upper = min(float(y0), size[1] - height)
    return round(left), round(upper), round(left + width), round(upper + height)
