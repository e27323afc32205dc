"""Sets cut-out people side by side on a background, at plausible sizes.

Knows cut-outs, relative sizes and the canvas; knows nothing of datasets or captions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from PIL import Image

from kindred.data.aspect_buckets import Size
from kindred.data.composites.cutouts import Cutout
from kindred.data.person_masks import Box

CHILD = 0.85  # height of a child's head for an adult's, where no photo shows both
TALLEST = 0.58  # head's height of the canvas'
HEADROOM = (0.15, 0.21)  # of the canvas' height, above the tallest head
CHIN = 0.8  # of the canvas' height: no chin is lower, as far as short bodies let it
CONTINUED = 0.4  # heights of a head by which a body that a photo cuts off may be continued
FILLED = 0.94  # share of the canvas' width that people may take
FOLLOWED = 0.5  # share of the way down that others go with the lowest
HALF = [0] * 128 + [255] * 128  # of alpha: from here on a pixel is a person's
LOWER = 0.45  # how much lower a child's head is, in heights of an adult's head


@dataclass(frozen=True)
class Placed:
    """Where a cut-out goes: scale of its pixels, its upper left corner on the canvas, px, and how
    far it is continued below its lower edge, px of the canvas."""

    cutout: Cutout
    size: float
    scale: float
    x: float
    y: float
    below: float = 0.0


def relative_sizes(
    ages: Mapping[str, str | None], pairs: Sequence[tuple[str, str, float]]
) -> dict[str, float]:
    """Height of everybody's head, an adult's being about 1.

    pairs: (a, b, height of a's head / b's) for every two people of one photo. Least squares of
    logarithms, with a child's `CHILD` counting as half a photo, so that it decides where there are
    no photos.
    """
    letters = sorted(ages)
    prior = np.log([CHILD if ages[x] == "child" else 1.0 for x in letters])
    matrix, values = 0.5 * np.eye(len(letters)), 0.5 * prior
    for a, b, ratio in pairs:
        i, j, difference = letters.index(a), letters.index(b), float(np.log(ratio))
        matrix[i, i] += 1
        matrix[j, j] += 1
        matrix[i, j] -= 1
        matrix[j, i] -= 1
        values[i] += difference
        values[j] -= difference
    sizes = np.exp(np.linalg.solve(matrix, values))
    return {letter: float(size) for letter, size in zip(letters, sizes, strict=True)}


def place_people(
    cutouts: Sequence[Cutout],
    sizes: Sequence[float],
    canvas: Size,
    rng: Random,
    close: bool = False,
) -> list[Placed]:
    """People from left to right, as large as the canvas lets them be; `close`: as large as their
    heads alone do.

    Who is cut off by a photo's lower edge is cut off by the canvas' too; children stand lower.
    """
    width, height = canvas
    slots = [_slot(cutout, close) * size for cutout, size in zip(cutouts, sizes, strict=True)]
    tall = max(sizes)
    unit = min(TALLEST * height / tall, FILLED * width / sum(slots)) * (0.92 + 0.08 * rng.random())
    gaps = [0.6 + 0.8 * rng.random() for _ in range(len(cutouts) + 1)]
    slack = max(0.0, width - unit * sum(slots)) / sum(gaps)
    top = rng.uniform(*HEADROOM) * height
    placed, edge = [], 0.0
    for cutout, size, slot, gap in zip(cutouts, sizes, slots, gaps[1:], strict=True):
        edge += slack * (gaps[0] if not placed else gap)
        scale = size * unit / cutout.head_height
        centre = edge + unit * slot / 2
        x = centre - scale * (cutout.head[0] + cutout.head[2]) / 2
        lower = unit * (tall - size) * (LOWER * 0.5 / (1 - CHILD) + 0.5)
        head = min(top + lower, CHIN * height - size * unit)
        placed.append(Placed(cutout, size, scale, x, head - scale * cutout.head[1]))
        edge += unit * slot
    return _grounded(placed, height)


def _grounded(placed: Sequence[Placed], height: int) -> list[Placed]:
    """Everybody down to the canvas' lower edge: a body that a photo cuts off is continued a little;
    where that is too little it is set lower, and the others follow most of the way, so that
    somebody cut out of a headshot does not stand in a hole."""
    short = [
        (height if one.cutout.cut else 0.97 * height) - one.y - one.scale * one.cutout.pixels.height
        for one in placed
    ]
    below = [
        min(max(0.0, gap), CONTINUED * one.scale * one.cutout.head_height * one.cutout.cut)
        for one, gap in zip(placed, short, strict=True)
    ]
    left = [gap - more for gap, more in zip(short, below, strict=True)]
    common = FOLLOWED * max(0.0, *left)
    return [
        replace(one, y=one.y + max(common, gap), below=more)
        for one, gap, more in zip(placed, left, below, strict=True)
    ]


def _slot(cutout: Cutout, close: bool) -> float:
    """Width that somebody needs, in heights of their head: bodies may overlap, heads may not."""
    head = (cutout.head[2] - cutout.head[0]) / cutout.head_height
    if close:
        return 1.05 * head
    return min(max(1.05 * head, 0.85 * cutout.pixels.width / cutout.head_height), 1.5 * head)


def composite_people(
    background: Image.Image, placed: Sequence[Placed]
) -> tuple[Image.Image, np.ndarray, list[Box]]:
    """The picture; its mask [H, W] uint8, k for the k-th of `placed`; and everybody's head. The
    smaller stand in front."""
    picture, mask = background.copy(), Image.new("L", background.size)
    heads: dict[int, Box] = {}
    for index in sorted(range(len(placed)), key=lambda k: (-placed[k].size, k)):
        one = placed[index]
        x, y = round(one.x), round(one.y)
        size = tuple(max(1, round(edge * one.scale)) for edge in one.cutout.pixels.size)
        person = one.cutout.pixels.resize(size, Image.Resampling.LANCZOS)
        if one.below > 0:
            person = continued(person, round(one.below) + 1)
        alpha = person.getchannel("X")
        picture.paste(person.convert("RGB"), (x, y), alpha)
        mask.paste(index + 1, (x, y), alpha.point(HALF))
        head = one.cutout.head
        heads[index] = tuple(
            round(v * one.scale + at, 1) for v, at in zip(head, (x, y, x, y), strict=True)
        )
    return picture, np.asarray(mask), [heads[index] for index in range(len(placed))]


def continued(person: Image.Image, rows: int) -> Image.Image:
    """Somebody's pixels with `rows` more below: the lowest row that is wholly theirs, again and
    again, which is what a plain piece of clothing would show."""
    width, height = person.size
    solid = np.flatnonzero(np.asarray(person.getchannel("X")).max(1) > 250)
    last = int(solid[-1]) + 1 if len(solid) else height
    longer = person.crop((0, 0, width, height + rows))
    row = person.crop((0, last - 1, width, last))
    longer.paste(row.resize((width, height + rows - last), Image.Resampling.NEAREST), (0, last))
    return longer


def extended(picture: Image.Image, canvas: Size) -> Image.Image:
    """A background in the canvas' size, in its whole height: mirrored at its sides where the canvas
    is wider, cut there where it is narrower. A part of it, enlarged, would be no place any more."""
    width, height = canvas
    scaled = picture.resize(
        (max(1, round(picture.width * height / picture.height)), height), Image.Resampling.LANCZOS
    )
    wider = max(0, width - scaled.width)
    sides = ((0, 0), (wider // 2, wider - wider // 2), (0, 0))
    pixels = np.pad(np.asarray(scaled), sides, mode="symmetric")
    left = (pixels.shape[1] - width) // 2
    return Image.fromarray(pixels[:, left : left + width])


def quiet_colour(rng: Random) -> tuple[int, ...]:
    """That of a plain wall."""
    return tuple(rng.randrange(170, 236) for _ in range(3))
