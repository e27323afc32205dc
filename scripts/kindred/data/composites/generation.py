"""Makes training pictures of a dataset's photos: people cut out and set side by side for cells.

Everything is drawn from the specification's seed, the cell and the number, so that more pictures
leave the first ones as they are. Knows photos, captions and masks; writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from random import Random

import numpy as np
from PIL import Image

from kindred.common.errors import Problems
from kindred.data.aspect_buckets import Size, bucket_sets, nearest_bucket
from kindred.data.composites import captions, compositing
from kindred.data.composites.people import PersonSource, SourcePhoto, in_turn, said_of, sources_of
from kindred.data.person_masks import Box
from kindred.specs.composites import Composites, CompositeSpec

LARGE = 1024  # px, about the longest edge of a composite


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


def composites(
    photos: Sequence[SourcePhoto], spec: CompositeSpec, note: Callable[[str], None]
) -> Iterator[CompositeImage]:
    """The pictures that `spec.compose` asks for. Raises ProblemsError naming every cell that can't
    be made, and why."""
    asked = spec.compose
    if asked is None:
        return
    sources = {letter: list(sources_of(photos, letter)) for letter in spec.characters}
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
        spec.characters[x].name if plain else said_of(one, spec)
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
    return in_turn(sources, number, f"{seed} {cell} {letter}")


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
        photo = in_turn(placed or photos, number, f"{asked.seed} {cell} places")
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
