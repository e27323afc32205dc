"""Crops of one person out of photos of several, the others painted over.

Knows photos, captions and masks; writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from PIL import Image

from kindred.data.aspect_buckets import Size, largest_buckets, nearest_bucket
from kindred.data.composites import captions
from kindred.data.composites.cutouts import without
from kindred.data.composites.generation import CompositeImage, Drawn
from kindred.data.composites.people import PersonSource, SourcePhoto, said_of, usable
from kindred.data.person_masks import Box
from kindred.specs.composites import CompositeSpec

MARGIN = 0.06  # around somebody who is cropped out, of their height
Area = tuple[int, int, int, int]  # left, upper, right, lower edge, px
SMALLEST = 0.35  # of a bucket's shorter edge: smaller crops are blurred faces


def crops(
    photos: Sequence[SourcePhoto], spec: CompositeSpec, note: Callable[[str], None]
) -> Iterator[CompositeImage]:
    """Everybody known in photos of several, alone, the others painted over; too small ones are
    noted and left out."""
    if spec.crop is None:
        return
    photos = usable(photos, spec)
    buckets = largest_buckets(spec.preprocess)
    opening = captions.frame([photo.caption for photo in photos])
    for photo in photos:
        if len(photo.masked.people) < 2:
            continue
        indices = photo.indices
        for index, one in enumerate(photo.masked.people):
            if one.letter:
                picture = _crop(photo, indices, index, buckets, opening, spec)
                if picture is None:
                    note(f"{photo.source}: {one.letter} is too small or hidden to be cropped out")
                else:
                    yield picture


def _crop(
    photo: SourcePhoto,
    indices: np.ndarray,
    index: int,
    buckets: list[Size],
    opening: str,
    spec: CompositeSpec,
) -> CompositeImage | None:
    one, outline = photo.masked.people[index], indices == index + 1
    box = _around(outline)
    if box is None:
        return None
    bucket = nearest_bucket((box[2] - box[0], box[3] - box[1]), buckets)
    box = _shaped(box, bucket, photo.size)
    if min(box[2] - box[0], box[3] - box[1]) < SMALLEST * min(bucket):
        return None
    said = said_of(PersonSource(one.letter, photo, index), spec)
    caption = captions.side_by_side_caption([said], captions.place(photo.caption), opening)
    head = one.head and tuple(v - at for v, at in zip(one.head, (box[0], box[1]) * 2, strict=True))
    stem = photo.source.rsplit(".", 1)[0].replace("/", "-")
    return CompositeImage(
        f"cropped/{stem}-{one.letter}.png",
        "cropped",
        one.letter,
        caption,
        (photo.source,),
        partial(_drawn, photo, index, box, head),
    )


def _drawn(photo: SourcePhoto, index: int, box: Area, head: Box | None) -> Drawn:
    image, indices = photo.image, photo.indices
    outline = indices == index + 1
    alone = without(image, (indices > 0) & ~outline)
    # What is painted over reaches a little beyond the others; the person stays whole.
    alone.paste(image, mask=Image.fromarray(outline))
    mask = outline[box[1] : box[3], box[0] : box[2]].astype(np.uint8)
    return Drawn(alone.crop(box), mask, ((photo.masked.people[index].letter, head),))


def _around(outline: np.ndarray) -> Area | None:
    """A person's box with a margin; None when nothing is seen of them."""
    rows, columns = np.flatnonzero(outline.any(1)), np.flatnonzero(outline.any(0))
    if not len(rows):
        return None
    margin = MARGIN * (rows[-1] - rows[0] + 1)
    x0, x1 = columns[0] - margin, columns[-1] + 1 + margin
    y0, y1 = rows[0] - margin, rows[-1] + 1 + margin
    height, width = outline.shape
    return round(max(0, x0)), round(max(0, y0)), round(min(width, x1)), round(min(height, y1))


def _shaped(box: Area, bucket: Size, size: Size) -> Area:
    """The smallest part of the photo around `box` with the bucket's shape; where the photo ends,
    less: from below or from both sides."""
    x0, y0, x1, y1 = box
    aspect = bucket[0] / bucket[1]
    width = min(max(x1 - x0, (y1 - y0) * aspect), size[0], size[1] * aspect)
    height = width / aspect
    left = min(max(0.0, (x0 + x1) / 2 - width / 2), size[0] - width)
    upper = min(float(y0), size[1] - height)
    return round(left), round(upper), round(left + width), round(upper + height)
