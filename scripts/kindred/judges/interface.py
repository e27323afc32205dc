"""What every judge does, and the words in which it answers.

Knows the interface; knows no judge. Importing this module imports no deep-learning library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from PIL import Image

Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels of the picture
# Why a face can't be read.
TOO_SMALL, TURNED_AWAY, COVERED = "too small to see", "turned away", "covered"


@dataclass(frozen=True)
class DetectedPerson:
    """One person found. `head` is the head or face; `embedding` [D] has unit length, or is None
    for somebody whose face can't be read; `attributes` may be empty. `unread` says why it can't
    be read, '' where it can or where the judge does not know."""

    box: Box
    head: Box
    score: float
    embedding: np.ndarray | None
    attributes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    unread: str = ""


@dataclass(frozen=True)
class Calibration:
    """The two ends of the identity scale, as mean cosine: two strangers, and two pictures of one
    person. An end that the judge can't know is None: it is then estimated from the photos.
    `population` [S, D]: unit vectors of strangers' faces, by which thresholds of each person are
    found; None for a judge without one, whose people are recognised half way."""

    stranger: float | None = None
    same: float | None = None
    source: str = ""
    population: np.ndarray | None = None


@dataclass(frozen=True)
class Acceptance:
    """What is known about how good a judge is: figures, and those below their gate in words.
    `measured` is False for a judge that nobody has tested against truth; `failures` may say why."""

    measured: bool = False
    figures: Mapping[str, float] = field(default_factory=dict)
    failures: Sequence[str] = ()


class Judge(Protocol):
    """Finds people and embeds them. All methods keep the order of the pictures given."""

    identity: str  # id@revision and what else its answers depend on
    counts: str  # what it counts: 'people', or 'faces' when it sees only those
    calibration: Calibration
    gates: Acceptance

    def find(self, images: Sequence[Image.Image]) -> list[list[DetectedPerson]]:
        """The people of every picture, from left to right."""
        ...

    def adherence(
        self, images: Sequence[Image.Image], prompts: Sequence[str]
    ) -> list[float | None]:
        """How well each picture shows its prompt beyond who is in it, 0..1 or a cosine; None where
        the judge can't tell."""
        ...

    def wears(
        self,
        images: Sequence[Image.Image],
        people: Sequence[Sequence[DetectedPerson]],
        garments: Sequence[Sequence[str]],
    ) -> list[list[str]]:
        """For each of the people that `find` gave of each picture, which of the picture's garments
        ('red sweater') it wears best, or '' for none, or where the judge can't tell."""
        ...

    def whole(self, images: Sequence[Image.Image]) -> np.ndarray | None:
        """Unit vectors [N, D] of whole pictures, or None: then small copies are compared."""
        ...
