"""Faces of one folder put into groups, a group being of one person, before anybody has a name.

Knows unit vectors of faces and which of them share a photo; knows no names and no pixels.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from kindred.characters.face_calibration import FEWEST

STRANGERS_JOIN = 0.002  # share of pairs of strangers that are as alike as what is joined
SAME_PHOTO = (
    0.9  # quantile of likeness of faces that share a photo; beyond it are mirrors, collages
)
# Of its own likeness (a stranger 0), what two groups of one person have between them.
AS_ALIKE = 0.85
FEWEST_PAIRS = 5  # pairs of one photo that say something


def joining_line(faces: np.ndarray, photos: Sequence[Hashable], strangers: np.ndarray) -> float:
    """Mean cosine from which two groups are one person's: what few pairs of strangers reach, and
    few pairs of this folder that share a photo and so are of two people (relatives, mostly).

    faces [N, D] and strangers [S, D]: unit vectors. photos: of each face, where it was found.
    """
    half = len(strangers) // 2
    pairs = (strangers[:half] @ strangers[half:].T).ravel()
    line = float(np.quantile(pairs, 1 - STRANGERS_JOIN))
    apart = (faces @ faces.T)[_of_one_photo(photos)] if len(faces) else np.zeros(0)
    if len(apart) >= 2 * FEWEST_PAIRS:  # each pair stands there twice
        line = max(line, float(np.quantile(apart, SAME_PHOTO)))
    return line


def face_groups(
    faces: np.ndarray, photos: Sequence[Hashable], line: float, stranger: float
) -> list[list[int]]:
    """Rows of faces [N, D] in groups, large ones first: the two groups with the highest mean cosine
    are joined until none reaches `line` (average linkage; Sokal and Michener 1958).

    Two faces of one photo are never of one group. Two groups of FEWEST faces or more, each more
    alike in itself than they are to each other, stay apart: brothers have such. stranger: mean
    cosine of two strangers.
    """
    groups = _Groups(faces, photos)
    while (pair := groups.nearest(line)) is not None:
        if groups.are_one(*pair, stranger):
            groups.join(*pair)
        else:
            groups.keep_apart(*pair)
    return sorted((sorted(own) for own in groups.members if own), key=lambda own: (-len(own), own))


class _Groups:
    """Groups of faces, and the sums and means of cosines between each two [N, N]."""

    def __init__(self, faces: np.ndarray, photos: Sequence[Hashable]) -> None:
        self.members: list[list[int]] = [[n] for n in range(len(faces))]
        self.sums = (faces @ faces.T).astype(np.float64)
        self.sums[_of_one_photo(photos)] = -np.inf
        self.sizes = np.ones(len(faces))
        self.means = self.sums.copy()
        np.fill_diagonal(self.means, -np.inf)

    def nearest(self, line: float) -> tuple[int, int] | None:
        """The two groups most alike; None where no two reach `line`."""
        if len(self.members) < 2:
            return None
        one, other = np.unravel_index(int(self.means.argmax()), self.means.shape)
        return (int(one), int(other)) if self.means[one, other] >= line else None

    def are_one(self, one: int, other: int, stranger: float) -> bool:
        """Whether two groups are about as alike as each is in itself."""
        if min(self.sizes[one], self.sizes[other]) < FEWEST:
            return True
        within = min(self._within(one), self._within(other))
        return bool(self.means[one, other] >= stranger + AS_ALIKE * (within - stranger))

    def _within(self, group: int) -> float:
        size = self.sizes[group]
        return float((self.sums[group, group] - size) / (size * (size - 1)))

    def keep_apart(self, one: int, other: int) -> None:
        """Don't look at this pair again until one of them has grown."""
        self.means[one, other] = self.means[other, one] = -np.inf

    def join(self, one: int, other: int) -> None:
        """Put the other group into the one."""
        self.members[one] += self.members[other]
        self.members[other] = []
        self.sizes[one] += self.sizes[other]
        self.sums[one] += self.sums[other]
        self.sums[:, one] += self.sums[:, other]
        self.means[one] = self.sums[one] / (self.sizes[one] * self.sizes)
        gone = [n for n, own in enumerate(self.members) if not own]
        self.means[one, [one, *gone]] = -np.inf
        self.means[:, one] = self.means[one]
        self.means[other] = self.means[:, other] = -np.inf


def _of_one_photo(photos: Sequence[Hashable]) -> np.ndarray:
    """[N, N]: whether two different faces share a photo."""
    numbers = {photo: n for n, photo in enumerate(dict.fromkeys(photos))}
    where = np.array([numbers[photo] for photo in photos], dtype=int)
    same = where[:, None] == where[None]
    np.fill_diagonal(same, False)
    return same
