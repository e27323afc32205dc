"""Pictures that are broken: of one colour, as after values that are no numbers, or noise alone.

Knows files and pixels. Both kinds show in how well a PNG could be packed, so only the suspicious
ones of thousands are opened. Noise is where pixels as far apart as the autoencoder's latents (8 px)
have nothing in common: of the lab's pictures, 128 px wide, the least alike correlate by .19 there,
decoded noise of any strength by at most .06.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from kindred.common.errors import KindredError
from kindred.common.made_pictures import read_picture
from kindred.rendering.manifest import Row

PACKED = (0.15, 2.0)  # bytes a pixel of a PNG that is looked into, below and above
FLAT = 2.0  # of 255: the spread of grey values below which there is nothing to see
DARK, LIGHT = 16, 239
LATENT = 8  # px
ALIKE = 0.12  # correlation of pixels so far apart below which a picture is noise
BLACK, WHITE, ONE_COLOUR, NOISE = "black", "white", "of one colour", "noise"


def broken_pictures(rows: Mapping[str, Row]) -> dict[str, str]:
    """Key -> what is the matter, of those that are broken; a file that can't be read is left to
    whoever shows it."""
    doubtful = [row for row in rows.values() if _doubtful(row)]
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        found = pool.map(lambda row: fault_of(row.path), doubtful)
    return {row.key: fault for row, fault in zip(doubtful, found, strict=True) if fault}


def _doubtful(row: Row) -> bool:
    try:
        packed = row.path.stat().st_size / max(1, row.width * row.height)
    except OSError:
        return False
    return row.path.suffix != ".png" or not PACKED[0] < packed < PACKED[1]


def fault_of(path: Path) -> str:
    """'black', 'white', 'of one colour', 'noise' or ''."""
    try:
        grey = np.asarray(read_picture(path, "L"), dtype=np.float32)
    except KindredError:
        return ""
    if grey.std() < FLAT:
        mean = float(grey.mean())
        return BLACK if mean < DARK else WHITE if mean > LIGHT else ONE_COLOUR
    if min(grey.shape) <= 2 * LATENT:
        return ""
    across = _correlation(grey[:, LATENT:], grey[:, :-LATENT])
    down = _correlation(grey[LATENT:], grey[:-LATENT])
    return NOISE if max(across, down) < ALIKE else ""


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Of two pieces of a picture; 1 where one of them has no spread."""
    x, y = a - a.mean(), b - b.mean()
    spread = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return float((x * y).sum()) / spread if spread else 1.0
