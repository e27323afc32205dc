"""What a judge says of pictures is checked once, where it is said: no score is made of numbers that
are none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kindred.common.errors import Problems
from kindred.judges.interface import DetectedPerson

HEADING = "the judge's answers contain values that are infinite or not a number"
CURE = "check the picture; then judge on the CPU (`device: {kind: cpu}`) or with another judge"


def check_people(found: Sequence[Sequence[DetectedPerson]], names: Sequence[Path | str]) -> None:
    """Raise ProblemsError naming every picture in which somebody's place, score or face's vector
    holds infinity or what is no number. `names`: of the pictures."""
    problems = Problems(HEADING)
    for people, name in zip(found, names, strict=True):
        for person in people:
            if not np.isfinite([*person.box, *person.head, person.score]).all():
                problems.add(str(name), "the position or score of a person is not a number", CURE)
            elif person.embedding is not None and not np.isfinite(person.embedding).all():
                problems.add(str(name), "the vector of a face is not a number", CURE)
    problems.raise_if_any()


def check_vectors(vectors: np.ndarray, names: Sequence[Path | str]) -> None:
    """Raise ProblemsError naming every picture whose vector [W] is not finite. `names`: of the rows
    of `vectors` [N, W]."""
    problems = Problems(HEADING)
    for row in np.flatnonzero(~np.isfinite(vectors).all(1)):
        problems.add(str(names[row]), "the vector of the whole picture is not a number", CURE)
    problems.raise_if_any()


def check_adherence(said: Sequence[float | None], names: Sequence[Path | str]) -> None:
    """Raise ProblemsError naming every picture of which it is no number how well it shows its
    prompt."""
    problems = Problems(HEADING)
    for value, name in zip(said, names, strict=True):
        if value is not None and not np.isfinite(value):
            problems.add(
                str(name), "the score for how well it shows its prompt is not a number", CURE
            )
    problems.raise_if_any()
