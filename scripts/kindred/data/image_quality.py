"""Numbers about a prepared image: how sharp it is, and a hash by which near-copies are found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image


def sharpness(image: Image.Image) -> float:
    """Variance of the 4-neighbour Laplacian of the grey image (0..255), one decimal.

    Pech-Pacheco et al. 2000, 'Diatom autofocusing in brightfield microscopy'. Depends on the
    size, so it is measured on the prepared image. Blurred photos of 512 px are below about 25.
    """
    grey = np.asarray(image.convert("L")).astype(np.int32)
    inner = 4 * grey[1:-1, 1:-1]
    laplacian = inner - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    return round(float(laplacian.var()), 1)


def difference_hash(image: Image.Image) -> str:
    """128 bits as 32 hex digits: is each cell of an 8x8 grid brighter than its right and its
    lower neighbour? Survives scaling, re-compression and small changes of exposure."""
    grid = np.asarray(image.convert("L").resize((9, 9), Image.Resampling.BOX)).astype(np.int32)
    right = grid[:8, 1:] > grid[:8, :8]
    lower = grid[1:, :8] > grid[:8, :8]
    return np.packbits(np.concatenate([right.ravel(), lower.ravel()])).tobytes().hex()


def near_copies(hashes: Sequence[str], most: int) -> list[tuple[int, int, int]]:
    """Pairs (i, j, differing bits) with at most `most` differing bits, i < j."""
    values = [int(text, 16) for text in hashes]
    pairs = []
    for i, first in enumerate(values):
        for j in range(i + 1, len(values)):
            bits = (first ^ values[j]).bit_count()
            if bits <= most:
                pairs.append((i, j, bits))
    return pairs
