"""How much two whole pictures differ: by a model's vectors, or by small copies where there is none.

Knows vectors and distances; knows nothing of people or prompts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from kindred.judges.interface import Judge

EDGE = 24  # px of the small copies
COPIES, COSINE = "small copies", "cosine"


def kind_of(judge: Judge) -> str:
    """What distances are measured by."""
    blank = judge.whole([Image.new("RGB", (EDGE, EDGE))])
    return COPIES if blank is None else COSINE


def describe(judge: Judge, images: Sequence[Image.Image]) -> np.ndarray:
    """Vectors [N, W] of whole pictures: the judge's, else RGB of small copies in 0..1."""
    vectors = judge.whole(images)
    return small_copies(images) if vectors is None else np.asarray(vectors, np.float32)


def small_copies(images: Sequence[Image.Image]) -> np.ndarray:
    """[N, EDGE * EDGE * 3] in 0..1; other proportions are squeezed."""
    size = (EDGE, EDGE)
    small = [image.convert("RGB").resize(size, Image.Resampling.BOX) for image in images]
    rows = [np.asarray(image, np.float32).ravel() / 255 for image in small]
    return np.stack(rows) if rows else np.zeros((0, EDGE * EDGE * 3), np.float32)


def distances(a: np.ndarray, b: np.ndarray, kind: str) -> np.ndarray:
    """[M, W] and [N, W] -> [M, N]: 1 - cosine, or the root mean square difference of copies."""
    if kind == COSINE:
        return 1 - a @ b.T
    square = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    return np.sqrt(square.clip(0) / a.shape[1])
