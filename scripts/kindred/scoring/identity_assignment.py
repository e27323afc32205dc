"""Who in a picture stands for whom: likeness in, one-to-one assignment and mistakes out.

Knows likeness and names asked for; knows nothing of pictures or judges.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

UNREAD = -10.0  # stands for the likeness of a face that can't be read: worse than any other


@dataclass(frozen=True)
class IdentityScale:
    """Mean cosine of strangers, and of two photos of the same character, by letter."""

    stranger: float
    same: Mapping[str, float]
    cut: bool = False  # to 0..1, so that nobody is 1.6 of somebody

    def identity(self, similarity: np.ndarray, letters: Sequence[str]) -> np.ndarray:
        """Similarities [P, C] on the scale where 0 is a stranger and 1 another own photo."""
        own = np.array([self.same.get(letter, np.nan) for letter in letters])
        found = (similarity - self.stranger) / (own - self.stranger)
        return within_scale(found) if self.cut else found


@dataclass(frozen=True)
class IdentityAssignment:
    """A picture's people, in the order given, and what is wrong with them as a group."""

    assigned: tuple[str, ...]
    found: tuple[str, ...]
    missing: tuple[str, ...]
    duplicated: tuple[str, ...]
    unasked: tuple[str, ...]
    strangers: int
    count: bool | None
    success: bool | None
    identity: float | None
    cast_right: bool | None = None


def assign_identities(
    asked: Sequence[str],
    identity: np.ndarray,
    letters: Sequence[str],
    recognised: float | Sequence[float],
    known: Collection[str] | None = None,
    strangers: int | None = None,
    open_: Collection[int] = (),
    cut: bool = False,
) -> IdentityAssignment:
    """Compare who was found with who was asked for.

    identity [P, C]: of P people with the C characters of `letters`; NaN in the column of a
    character without reference photos and in the row of a face that can't be read. `known`: letters
    with reference photos (all when unset); for others success can't be said. `strangers`: how many
    people are asked for beside them, None where the prompt does not say; what is said, nobody
    asked for included, is right as a cast or is not (`cast_right`). A person is recognised as the
    most similar character if their identity reaches `recognised`, one for all or one a letter.
    `open_`: people of whom nobody can say who they are; while they could be whoever lacks, nobody
    is missing and nothing is said of success. `cut`: the mean identity is of values cut to
    0..1. The one-to-one assignment of people to those asked for has the largest sum of identity
    (Kuhn 1955, "The Hungarian method for the assignment problem").
    """
    people = len(identity)
    likeness = np.where(np.isnan(identity), UNREAD, identity)
    found = tuple(
        "" if person in open_ else _found(row, letters, recognised)
        for person, row in enumerate(likeness)
    )
    assigned = _assigned(asked, likeness, letters)
    seen = Counter(letter for letter in found if letter)
    judged = [known is None or letter in known for letter in asked]
    heads = len(asked) + (strangers or 0)
    count = people == heads if heads else None
    measurable = bool(asked) and all(judged)
    wanted = Counter([*asked, *[""] * (strangers or 0)])
    lacking, more = wanted - Counter(found), Counter(found) - wanted
    right = bool(count) and not lacking and not more
    cast_known = strangers is not None and bool(heads) and all(judged)
    missing = tuple(x for x, k in zip(asked, judged, strict=True) if k and x not in seen)
    if open_ and len(missing) <= len(open_):
        missing, more[""] = (), more[""] - len(open_)
        unsaid = bool(count) and not +more  # with the right names for the open ones it is right
        measurable, cast_known = measurable and not unsaid, cast_known and not unsaid
    shown = within_scale(identity) if cut else identity
    return IdentityAssignment(
        assigned=tuple(assigned),
        found=found,
        missing=missing,
        duplicated=tuple(sorted(letter for letter, times in seen.items() if times > 1)),
        unasked=tuple(sorted(set(seen) - set(asked))),
        strangers=sum(not letter for letter in found) - len(open_),
        count=count,
        success=right if measurable else None,
        identity=_mean_identity(asked, assigned, shown, letters) if measurable else None,
        cast_right=right if cast_known else None,
    )


def _assigned(asked: Sequence[str], likeness: np.ndarray, letters: Sequence[str]) -> list[str]:
    """For each person the letter asked for that they stand for, one to one, or ''."""
    # Here, because pages that show scores import this module, and scipy takes longer than they do.
    from scipy.optimize import linear_sum_assignment

    assigned = [""] * len(likeness)
    columns = [letters.index(letter) for letter in asked]
    if len(likeness) and columns:
        for person, column in zip(
            *linear_sum_assignment(likeness[:, columns], maximize=True), strict=True
        ):
            assigned[person] = asked[column]
    return assigned


def within_scale(identity: np.ndarray) -> np.ndarray:
    """Identities cut to 0..1; NaN stays."""
    return np.minimum(np.maximum(identity, 0.0), 1.0)


def _found(row: np.ndarray, letters: Sequence[str], recognised: float | Sequence[float]) -> str:
    least = np.broadcast_to(np.asarray(recognised, float), row.shape)
    passing = np.where(row >= least, row, -np.inf)
    return letters[int(passing.argmax())] if len(row) and passing.max() > -np.inf else ""


def too_near(row: np.ndarray, recognised: Sequence[float], lead: float) -> bool:
    """Whether somebody may be one character and the next is less than `lead` of identity behind."""
    known = np.where(np.isnan(row), UNREAD, row)
    passing = known[known >= np.asarray(recognised)]
    if not len(passing) or len(known) < 2:
        return False
    return bool(passing.max() - np.sort(known[known <= passing.max()])[-2] < lead)


def _mean_identity(
    asked: Sequence[str], assigned: Sequence[str], identity: np.ndarray, letters: Sequence[str]
) -> float:
    """Mean over those asked for; 0 for one who is missing or can't be read."""
    values = {
        letter: identity[person, letters.index(letter)]
        for person, letter in enumerate(assigned)
        if letter
    }
    return float(np.mean([np.nan_to_num(values.get(letter, 0.0)) for letter in asked]))


def identity_margin(row: np.ndarray, column: int) -> float | None:
    """Identity with one character minus the best with any other; None without another."""
    others = np.delete(row, column)
    if not len(others) or np.isnan(row[column]) or np.isnan(others).all():
        return None
    return float(row[column] - np.nanmax(others))
