"""A head in a picture: what around it is drawn again, and how that is blended in.

Knows boxes and pixels; knows nothing of names or of what draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from PIL import Image

Head = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels
Crop = tuple[int, int, int, int]
LEAST_MARGIN = 0.2  # which blending needs
SHARPNESS = 4  # of the border between two faces whose crops overlap


@dataclass(frozen=True)
class DrawnFace:
    """A face that was drawn again: the head, the crop around it, and that crop in any size."""

    head: Head
    crop: Crop
    image: Image.Image


def crop_of(head: Head, size: tuple[int, int], margin: float) -> Crop:
    """The square around a head, `margin` of its longer edge wider on each side; where that reaches
    beyond a picture of `size` (width, height), cut on both sides alike.

    The head stays in the middle, for the base draws one person there: a crop that was moved into
    the picture got the face between two people. Only a head at the picture's edge stands aside.
    """
    longer = max(head[2] - head[0], head[3] - head[1])
    (x0, x1), (y0, y1) = (_around(head[n], head[n + 2], longer, margin, size[n]) for n in range(2))
    return x0, y0, x1, y1


def _around(low: float, high: float, longer: float, margin: float, most: int) -> tuple[int, int]:
    centre, half = (low + high) / 2, longer * (0.5 + margin)
    least = (high - low) / 2 + longer * min(margin, LEAST_MARGIN)
    half = max(min(half, centre, most - centre), least)
    start = min(max(round(centre - half), 0), most - 1)
    return start, max(min(round(centre + half), most), start + 1)


def drawn_size(crop: Crop, edge: float, multiple: int) -> tuple[int, int]:
    """(width, height) that a crop is drawn in: as many pixels as a square of `edge`, in the crop's
    shape, both multiples of `multiple`."""
    width, height = crop[2] - crop[0], crop[3] - crop[1]
    shape = sqrt(width / height)
    wide, tall = (multiple * max(1, round(x / multiple)) for x in (edge * shape, edge / shape))
    return wide, tall


def weights(head: Head, crop: Crop) -> np.ndarray:
    """How much of a crop is taken, [height, width]: all inside the head, nothing at the border, and
    smoothly less between."""
    across = _ramp(crop[0], head[0], head[2], crop[2])
    return np.outer(_ramp(crop[1], head[1], head[3], crop[3]), across)


def _ramp(start: int, low: float, high: float, end: int) -> np.ndarray:
    """Of each pixel from `start` to `end`: 1 from `low` to `high`, falling to 0 at the ends. Where
    the head reaches the crop's end, as at the picture's edge, it does not fall."""
    at = np.arange(start, end) + 0.5
    rising, falling = (at - start) / max(low - start, 1e-6), (end - at) / max(end - high, 1e-6)
    share = np.minimum(np.minimum(rising, falling), 1.0)
    return share * share * (3 - 2 * share)


def blended(
    image: Image.Image, faces: Sequence[DrawnFace], kept: Sequence[tuple[Head, Crop]] = ()
) -> Image.Image:
    """The picture with the faces in it. Outside their crops, and inside the heads that are `kept`
    (each with the crop around it), its pixels stay as they are. Where crops of faces overlap, a
    pixel belongs to the face whose weight is larger."""
    plain = np.asarray(image.convert("RGB"), np.float64)
    masks = [_placed(face.head, face.crop, plain) for face in faces]
    free = np.ones(plain.shape[:2])
    for head, crop in kept:
        free *= 1 - _placed(head, crop, plain)
    total = sum((mask**SHARPNESS for mask in masks), np.zeros(plain.shape[:2]))
    total[total == 0] = 1
    result = plain.copy()
    for face, mask in zip(faces, masks, strict=True):
        x0, y0, x1, y1 = face.crop
        drawn = face.image.convert("RGB").resize((x1 - x0, y1 - y0), Image.Resampling.LANCZOS)
        part = (slice(y0, y1), slice(x0, x1))
        share = (mask * mask**SHARPNESS / total * free)[part][..., None]
        result[part] += share * (np.asarray(drawn, np.float64) - plain[part])
    limited = np.minimum(np.maximum(np.rint(result), 0), 255)
    return Image.fromarray(limited.astype(np.uint8))


def _placed(head: Head, crop: Crop, picture: np.ndarray) -> np.ndarray:
    """A head's weights as large as the picture, 0 outside the crop."""
    mask = np.zeros(picture.shape[:2])
    mask[crop[1] : crop[3], crop[0] : crop[2]] = weights(head, crop)
    return mask
