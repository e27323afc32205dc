"""A face engine for tests: coloured squares are faces, and a colour is a person."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from kindred.judges.face_geometry import Face
from kindred.judges.interface import TOO_SMALL, Calibration

SIZE, DIMENSIONS = (240, 160), 64
PEOPLE = {"J": (220, 40, 40), "A": (40, 200, 40), "C": (40, 40, 220)}
SPREAD = 0.25


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


class DrawnFaces:
    """Finds squares by their colour; brighter or darker ones are other photos of one person."""

    identity = "drawn faces"

    def __init__(self) -> None:
        rng = np.random.default_rng(5)
        self.mean = rng.standard_normal(DIMENSIONS) * 1.6
        self.looked, self.turns = 0, 0
        strangers = _unit(self.mean + rng.standard_normal((400, DIMENSIONS)) * 0.7)
        self.calibration = Calibration(0.85, 0.95, "drawn", strangers)

    def faces(self, image: Image.Image) -> list[Face]:
        """The squares, from the left."""
        self.looked += 1
        pixels = np.asarray(image.convert("RGB")).astype(int)
        found = []
        for n, colour in enumerate(PEOPLE.values()):
            hue = np.argmax(colour)
            others = [k for k in range(3) if k != hue]
            mask = (pixels[..., hue] > 150) & (pixels[..., others].max(-1) < 100)
            columns = np.flatnonzero(mask.any(0))
            if len(columns):
                rows = np.flatnonzero(mask.any(1))
                box = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
                shade = int(pixels[rows[len(rows) // 2], columns[len(columns) // 2]].sum())
                found.append(self._face(n, tuple(float(x) for x in box), shade))
        return sorted(found, key=lambda face: face.box[0])

    def _face(self, person: int, box: tuple[float, ...], shade: int) -> Face:
        if box[2] - box[0] < 12:
            return Face(box, 1.0, None, TOO_SMALL)
        centre = self.mean + np.random.default_rng(person).standard_normal(DIMENSIONS) * 0.7
        noise = np.random.default_rng([person, shade]).standard_normal(DIMENSIONS) * SPREAD
        vector = _unit(centre + noise).astype(np.float32)
        return Face(box, 1.0, vector, turns=self.turns)


def draw(path: Path, who: Sequence[str], shade: int, side: int = 40) -> Path:
    """A photo with these people from the left; another shade, another photo."""
    grain = np.random.default_rng(shade).normal(120, 12, (*SIZE[::-1], 1)).astype(np.uint8)
    image = Image.fromarray(grain[..., 0]).convert("RGB")
    for n, letter in enumerate(who):
        colour = tuple(max(0, c - shade) if c > 150 else c for c in PEOPLE[letter])
        image.paste(colour, (15 + 75 * n, 50, 15 + 75 * n + side, 50 + side))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return path


def folder(root: Path, each: int = 4) -> Path:
    """Photos of J, A and C alone, and two of J and A, that nothing tells the names of."""
    for n in range(each):
        for k, letter in enumerate(PEOPLE):
            draw(root / f"IMG_{10 * n + k}.png", letter, 3 * n)
    draw(root / "IMG_90.png", "JA", 1)
    draw(root / "IMG_91.png", "AJ", 2)
    return root
