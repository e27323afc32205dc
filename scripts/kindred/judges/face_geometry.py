"""Faces in a picture: what every face engine answers, and the geometry of boxes.

Knows rectangles, quarter turns and which of two finds are the same face; knows no detector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from PIL import Image

from kindred.judges.interface import TOO_SMALL, TURNED_AWAY, Box, Calibration

# What can be read of a face, by benchmarks/real_faces.py: its longer side in px (faces of 24 px get
# boxes from 21 px on), and how far the nose lies beside the line from eyes to mouth, in lengths of
# that line.
SMALLEST_READ, MOST_TURNED = 21, 0.5
SAME_FACE = 0.5  # share of the smaller box that two finds of one face have in common
T = TypeVar("T")


@dataclass(frozen=True)
class Face:
    """A face found. `embedding` [D] has unit length; its cosine is likeness. It is None where the
    face can't be read, and `unread` says why. `turns` quarter turns (as numpy.rot90) bring it
    upright."""

    box: Box
    score: float
    embedding: np.ndarray | None
    unread: str = ""
    turns: int = 0


class FaceEngine(Protocol):
    """Finds faces and embeds them."""

    identity: str
    calibration: Calibration

    def faces(self, image: Image.Image) -> list[Face]:
        """The faces of one RGB picture, from left to right."""
        ...


def area(box: Box) -> float:
    """Square pixels; 0 for an empty box."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def common(one: Box, other: Box) -> Box:
    """Intersection of two boxes; it may be empty."""
    return (
        max(one[0], other[0]),
        max(one[1], other[1]),
        min(one[2], other[2]),
        min(one[3], other[3]),
    )


def overlap(one: Box, other: Box) -> float:
    """Common area over the smaller one's, 0..1: detectors draw boxes of different sizes."""
    smaller = min(area(one), area(other))
    return area(common(one, other)) / smaller if smaller else 0.0


def strongest(
    finds: Iterable[T],
    box: Callable[[T], Box],
    score: Callable[[T], float],
    same: float = SAME_FACE,
) -> list[T]:
    """One find a face: greedy non-maximum suppression, then from left to right. Two finds are the
    same when they have more than a share `same` of the smaller box in common."""
    kept: list[T] = []
    for find in sorted(finds, key=score, reverse=True):
        if all(overlap(box(find), box(other)) <= same for other in kept):
            kept.append(find)
    return sorted(kept, key=lambda find: box(find)[0] + box(find)[2])


def turned_back(box: Box, turns: int, size: tuple[int, int]) -> Box:
    """A box of a picture after `turns` quarter turns (as numpy.rot90) -> in the picture itself.

    `size` is (width, height) of the picture before it was turned.
    """
    x0, y0, x1, y1 = box
    width, height = size
    return (
        (x0, y0, x1, y1),
        (width - y1, x0, width - y0, x1),
        (width - x1, height - y1, width - x0, height - y0),
        (y0, height - x1, y1, height - x0),
    )[turns % 4]


def turned(box: Box, turns: int, size: tuple[int, int]) -> Box:
    """A box of a picture of (width, height) -> where it lies after `turns` quarter turns."""
    after = size if turns % 2 == 0 else size[::-1]
    return turned_back(box, -turns % 4, after)


def scaled(box: Box, factor: float) -> Box:
    """A box in a picture that was made `factor` times as large."""
    return (box[0] * factor, box[1] * factor, box[2] * factor, box[3] * factor)


def grown(box: Box, factor: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A box `factor` times as wide and high round its centre, whole pixels, inside the picture."""
    width, height = (box[2] - box[0]) * factor / 2, (box[3] - box[1]) * factor / 2
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return (
        max(0, round(x - width)),
        max(0, round(y - height)),
        min(size[0], round(x + width)),
        min(size[1], round(y + height)),
    )


def unread_because(box: Box, points: np.ndarray) -> str:
    """Why a face can't be read: TOO_SMALL, TURNED_AWAY, or '' for one that can. `points` [5, 2]:
    eyes, nose, corners of the mouth, x and y in pixels of the picture, each pair from the left."""
    if max(box[2] - box[0], box[3] - box[1]) < SMALLEST_READ:
        return TOO_SMALL
    return TURNED_AWAY if abs(turn_of(points)) > MOST_TURNED else ""


def turn_of(points: np.ndarray) -> float:
    """How far a head is turned to the side: the nose's distance from the line between the middles
    of eyes and mouth, in lengths of that line. 0 is frontal; the sign says the side."""
    eyes, nose, mouth = points[:2].mean(0), points[2], points[3:].mean(0)
    down, out = mouth - eyes, nose - eyes
    length = float(down @ down)
    return float(down[0] * out[1] - down[1] * out[0]) / length if length else float("inf")


def turns_of(points: np.ndarray) -> int:
    """Quarter turns (as numpy.rot90) after which a face stands nearest to upright, 0 to 3. `points`
    as `unread_because` takes them."""
    down = points[3:].mean(0) - points[:2].mean(0)
    return -round(float(np.arctan2(down[0], down[1])) / (np.pi / 2)) % 4


def unit(vector: Sequence[float] | np.ndarray) -> np.ndarray:
    """The vector [D] at length 1, float32. Raises ValueError for the zero vector."""
    array = np.asarray(vector, np.float64)
    length = float(np.linalg.norm(array))
    if not length:
        raise ValueError("an embedding of length zero")
    return (array / length).astype(np.float32)
