"""Which face belongs to which body.

Knows boxes; knows no detector, and nothing of who anybody is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from kindred.judges.face_geometry import SMALLEST_READ, Face, area, common
from kindred.judges.interface import COVERED, TOO_SMALL, TURNED_AWAY, Box, DetectedPerson

INSIDE = 0.5  # share of a face that must lie in the person's box
HEADS_HIGH = 7.5  # a standing person's height in heads; the least, as others show less of the body
BEFORE = 0.5  # share of a head that must be behind somebody else to be covered


@dataclass(frozen=True)
class Person:
    """A person's whole box."""

    box: Box
    score: float


def match_faces_to_people(people: Sequence[Person], faces: Sequence[Face]) -> list[DetectedPerson]:
    """Everybody found, from left to right: people with their face, people without one (no
    embedding), and faces that no person's box holds.

    Each face goes to one person: the assignment under which most of the faces' areas lies high up
    in their people's boxes (Hungarian).
    """
    fit = np.array([[_fit(p, f) for f in faces] for p in people]).reshape(len(people), len(faces))
    rows, columns = linear_sum_assignment(-fit)
    face_of = {int(r): int(c) for r, c in zip(rows, columns, strict=True) if fit[r, c] > 0}
    seen = []
    for index, person in enumerate(people):
        face = faces[face_of[index]] if index in face_of else None
        head = face.box if face else person.box
        embedding = face.embedding if face else None
        unread = face.unread if face else faceless_because(person, people)
        seen.append(DetectedPerson(person.box, head, person.score, embedding, unread=unread))
    alone = set(range(len(faces))) - set(face_of.values())
    seen += [alone_face(faces[index]) for index in sorted(alone)]
    return sorted(seen, key=lambda one: one.head[0] + one.head[2])


def faceless_because(person: Person, people: Sequence[Person]) -> str:
    """Why no face is found of a person: the head would be too small, somebody nearer stands before
    it, or it is turned away. Whoever's box ends lower is taken to be nearer."""
    x0, y0, x1, y1 = person.box
    side = min((y1 - y0) / HEADS_HIGH, x1 - x0)
    if side < SMALLEST_READ:
        return TOO_SMALL
    middle = (x0 + x1) / 2
    head = (middle - side / 2, y0, middle + side / 2, y0 + side)
    for other in people:
        nearer = other is not person and other.box[3] > y1
        if nearer and area(common(head, other.box)) > BEFORE * area(head):
            return COVERED
    return TURNED_AWAY


def alone_face(face: Face) -> DetectedPerson:
    """Somebody of whom only the face was found."""
    return DetectedPerson(face.box, face.box, face.score, face.embedding, unread=face.unread)


def _fit(person: Person, face: Face) -> float:
    """Share of the face inside the person's box, more for a face near the box's upper edge; 0 when
    it does not belong."""
    inside = area(common(person.box, face.box)) / max(area(face.box), 1e-9)
    if inside < INSIDE:
        return 0.0
    top, bottom = person.box[1], person.box[3]
    depth = ((face.box[1] + face.box[3]) / 2 - top) / max(bottom - top, 1e-9)
    return inside * (1.5 - min(max(depth, 0.0), 1.0))
