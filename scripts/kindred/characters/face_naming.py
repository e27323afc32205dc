"""Who is who in a folder: every face named, from a few that are named already or from none.

Knows unit vectors of faces, which of them share a photo, and names; knows no pixels and no files.
An answer that is written has to be sure. What lies between is asked, a group of faces at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kindred.characters.face_calibration import (
    FEWEST,
    HALF_WAY,
    RELATIVES_PASS,
    STRANGER,
    STRANGERS_PASS,
    UNSURE,
    above,
    in_doubt,
)
from kindred.characters.face_groups import face_groups, joining_line
from kindred.specs.character import NOBODY

SURE = "sure"
NEW, DOUBT, OUT = "new", "doubt", "out"
MAYBE_STRANGERS = 0.05  # share of strangers above the line below which a face is a stranger's
SPREADS = 3.0  # how far below the usual likeness of a person's photos a sure one may lie
USUAL_SPREAD = 0.010  # of a photo's likeness to the others of its person, where few are known
SPREAD_WORTH = 8  # photos that the usual spread counts for
LEAD = 0.25  # how much more identity the best must have than the runner-up, on the scale 0..1
OFTEN = 3  # faces of somebody unknown from which it is asked who that is
ROUNDS = 12


@dataclass(frozen=True)
class PersonLines:
    """What was measured of one person in this folder, cosines with the person's mean: of strangers,
    of own photos, from where a face is sure, and below where it is a stranger's."""

    stranger: float
    own: float
    sure: float
    maybe: float
    photos: int

    def identity(self, cosine: float) -> float:
        """A cosine on the person's scale: 0 a stranger, 1 another own photo."""
        return (cosine - self.stranger) / (self.own - self.stranger)


@dataclass(frozen=True)
class Answer:
    """Of one face: SURE, UNSURE or STRANGER; `who` it is, or may be ('' for nobody known); its
    identity with them."""

    state: str
    who: str
    identity: float | None = None


@dataclass(frozen=True)
class Question:
    """Faces of one person, most likely, that a person should say the name of. `maybe`: who they may
    be, the likeliest first; `why`: NEW, UNSURE, DOUBT (of a folder's or a file's name) or OUT (a
    person took these out of groups, so they need not be of one person)."""

    faces: tuple[int, ...]
    maybe: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class FolderNaming:
    """answers: of every face. questions: what to ask, in this order. lines: what was measured of
    each person. joined: the cosine from which groups were joined. doubted: faces whose hint names
    somebody whose other faces they don't look like."""

    answers: list[Answer]
    questions: list[Question]
    lines: dict[str, PersonLines]
    joined: float
    doubted: list[int] = field(default_factory=list)


def name_folder(
    faces: np.ndarray,
    photos: Sequence[Hashable],
    decided: Mapping[int, str],
    hinted: Mapping[int, str],
    strangers: np.ndarray,
    usual: float,
    taken_out: Collection[int] = (),
) -> FolderNaming:
    """Names for the faces [N, D] (unit vectors), found in `photos` [N].

    decided: row -> the name that a person gave, or NOBODY; it stays. hinted: row -> the name that a
    folder or a file has; it is believed where the face looks like the others of the name.
    strangers: [S, D]. usual: cosine of two photos of one person, where the folder shows none.
    taken_out: rows that a person took out of a group: no name is given to them but a person's.
    """
    told = {row: who for row, who in {**hinted, **decided}.items() if row not in taken_out}
    joined = joining_line(faces, photos, strangers)
    stranger = float(np.square(strangers.mean(0)).sum())
    groups = face_groups(faces, photos, joined, stranger)
    doubted = _doubted(faces, told, groups, strangers, usual) - set(decided)
    told = {row: who for row, who in told.items() if row not in doubted}
    held, groups = doubted | set(taken_out), _undivided(groups, told)
    namer = _Namer(faces, photos, told, held, groups, strangers, usual)
    namer.run()
    answers = namer.answers()
    hints = {row: hinted[row] for row in sorted(doubted)}
    questions = _questions(answers, namer, hints, sorted(taken_out))
    return FolderNaming(answers, questions, namer.lines, joined, sorted(doubted))


def _doubted(
    faces: np.ndarray,
    told: Mapping[int, str],
    groups: Sequence[Sequence[int]],
    strangers: np.ndarray,
    usual: float,
) -> set[int]:
    """Rows that don't look like the others of their name, or that are in a group in which another
    name stands more often. Of two that are unlike nobody can say which is wrong: both."""
    found: set[int] = set()
    for who in sorted(set(told.values()) - {NOBODY}):
        rows = [row for row, name in sorted(told.items()) if name == who]
        own = faces[rows]
        stranger = float((strangers @ own.mean(0)).mean())
        if len(rows) == 2 and own[0] @ own[1] < stranger + HALF_WAY * (usual - stranger):
            found.update(rows)
        found |= {rows[n] for n in in_doubt(own, stranger)}
    for group in groups:
        names = Counter(told[row] for row in group if row in told)
        most = max(names.values(), default=0)
        found |= {row for row in group if row in told and names[told[row]] < most}
    return found


def _undivided(groups: Sequence[Sequence[int]], told: Mapping[int, str]) -> list[list[int]]:
    """The groups, those with two names taken apart into single faces."""
    result: list[list[int]] = []
    for group in groups:
        names = {told[row] for row in group if row in told}
        result += [list(group)] if len(names) < 2 else [[row] for row in group]
    return result


class _Namer:
    """Gives names to groups until no more can be given."""

    def __init__(
        self,
        faces: np.ndarray,
        photos: Sequence[Hashable],
        told: Mapping[int, str],
        doubted: set[int],
        groups: Sequence[Sequence[int]],
        strangers: np.ndarray,
        usual: float,
    ) -> None:
        self.faces, self.photos, self.told, self.groups = faces, photos, told, groups
        self.doubted = doubted
        self.strangers, self.usual = strangers, self._usual(usual)
        self.people = sorted(set(told.values()) - {NOBODY})
        self.named = dict(told)
        self.lines: dict[str, PersonLines] = {}

    def _usual(self, usual: float) -> float:
        """Likeness of a person's photos: the median of this folder's groups, where it has some."""
        own = [
            (float(np.square(rows.sum(0)).sum()) - len(rows)) / (len(rows) * (len(rows) - 1))
            for rows in (self.faces[list(group)] for group in self.groups if len(group) >= FEWEST)
        ]
        return float(np.median(own)) if own else usual

    def run(self) -> None:
        """Name groups by what is named, measure anew, and again."""
        for _ in range(ROUNDS):
            before, self.lines = dict(self.named), self._measure(self.named)
            self.named = dict(self.told)
            there = {(self.photos[row], who) for row, who in self.told.items()}
            for _, row, who in sorted(self._candidates(before), reverse=True):
                if (self.photos[row], who) not in there:  # nobody is in a photo twice
                    there.add((self.photos[row], who))
                    self.named[row] = who
            if self.named == before:
                break
        self.lines = self._measure(self.named)

    def _candidates(self, named: Mapping[int, str]) -> Iterator[tuple[float, int, str]]:
        """Identity, row and name of the faces that surely have the name of their group."""
        for group in self.groups:
            who = self._group_name(group, named)
            open_ = [row for row in group if row not in self.told and row not in self.doubted]
            for row in open_ if who else ():
                state, found, identity = self.state([row], named)
                if (state, found) == (SURE, who):
                    yield identity, row, who

    def _rows(self, who: str, named: Mapping[int, str]) -> list[int]:
        return [row for row, name in named.items() if name == who]

    def _measure(self, named: Mapping[int, str]) -> dict[str, PersonLines]:
        """The lines of everybody by who is named so far."""
        left_out = {who: self._left_out(self._rows(who, named)) for who in self.people}
        deviations = np.concatenate(
            [own - own.mean() for own in left_out.values() if len(own) >= FEWEST] or [np.zeros(0)]
        )
        spread = _spread(deviations)
        return {who: self._lines_of(who, named, left_out[who], spread) for who in self.people}

    def _left_out(self, rows: Sequence[int]) -> np.ndarray:
        """Mean cosine of each face with the others of its name; empty for one alone."""
        own = self.faces[list(rows)]
        return ((own @ own.T).sum(1) - 1) / (len(own) - 1) if len(own) > 1 else np.zeros(0)

    def _lines_of(
        self, who: str, named: Mapping[int, str], own: np.ndarray, spread: float
    ) -> PersonLines:
        rows = self._rows(who, named)
        mean = self.faces[rows].mean(0)
        far = self.strangers @ mean
        stranger = float(far.mean())
        # One's own mean is pulled towards what is usual while few photos are known.
        usual = float((own.sum() + self.usual * FEWEST) / (len(own) + FEWEST))
        others = self._others(who, rows, named)
        relatives = above(self.faces[others] @ mean, RELATIVES_PASS) if others else -1.0
        half = stranger + HALF_WAY * (usual - stranger)
        # Of few known photos each one's own likeness counts too: with one the variance is double.
        spread *= (1 + 1 / len(rows)) ** 0.5
        sure = max(above(far, STRANGERS_PASS), half, usual - SPREADS * spread, relatives)
        maybe = max(above(far, MAYBE_STRANGERS), half)
        return PersonLines(stranger, usual, sure, min(maybe, sure), len(rows))

    def _others(self, who: str, rows: Sequence[int], named: Mapping[int, str]) -> list[int]:
        """Faces that a person told to be somebody else's, and those who share a photo with a face
        that was told to be of this person."""
        told = [row for row in rows if self.told.get(row) == who]
        beside = {self.photos[row] for row in told}
        return [
            row
            for row in range(len(self.faces))
            if named.get(row) != who
            and (self.told.get(row, who) != who or self.photos[row] in beside)
        ]

    def _cosine(self, rows: Sequence[int], who: str, named: Mapping[int, str]) -> float:
        """Mean cosine of faces with those of a name, none with itself."""
        own = self._rows(who, named)
        table = self.faces[list(rows)] @ self.faces[own].T
        same = np.equal.outer(np.asarray(rows), np.asarray(own))
        kept = ~same
        return float((table * kept).sum() / kept.sum()) if kept.any() else 1.0

    def ranked(self, rows: Sequence[int], named: Mapping[int, str]) -> list[tuple[float, str]]:
        """Identity with everybody, the likeliest first."""
        return sorted(
            ((self.lines[x].identity(self._cosine(rows, x, named)), x) for x in self.people),
            reverse=True,
        )

    def likeliest(self, rows: Sequence[int], first: str = "") -> tuple[str, ...]:
        """Everybody's names, the likeliest first, but for a name that goes before."""
        ranked = [who for _, who in self.ranked(rows, self.named)]
        return tuple(dict.fromkeys([first, *ranked] if first else ranked))

    def state(self, rows: Sequence[int], named: Mapping[int, str]) -> tuple[str, str, float]:
        """SURE, UNSURE or STRANGER, who, and the identity, of one face or of several as one."""
        ranked = self.ranked(rows, named)
        if not ranked:
            return STRANGER, "", 0.0
        identity, who = ranked[0]
        cosine, lines = self._cosine(rows, who, named), self.lines[who]
        if cosine < lines.maybe:
            return STRANGER, "", identity
        ahead = len(ranked) < 2 or identity - ranked[1][0] >= LEAD
        return (SURE if cosine >= lines.sure and ahead else UNSURE), who, identity

    def _group_name(self, group: Sequence[int], named: Mapping[int, str]) -> str:
        """The name of a group: the one told in it, else the one it surely has; '' for none."""
        names = {self.told[row] for row in group if row in self.told}
        if names:
            name = next(iter(names))
            return "" if name == NOBODY else name
        if len(group) >= OFTEN:
            return ""  # faces that are this alike, and joined with nobody's, may be a look-alike's
        state, who, _ = self.state(group, named)
        return who if state == SURE else ""

    def answers(self) -> list[Answer]:
        """Of every face."""
        result: dict[int, Answer] = {}
        for group in self.groups:
            names = {self.told[row] for row in group if row in self.told}
            for row in group:
                result[row] = self._told(row) or self._answer(row, group, NOBODY in names)
        return [result[row] for row in range(len(self.faces))]

    def _told(self, row: int) -> Answer | None:
        """What was told, which is sure."""
        if row not in self.told:
            return None
        who = self.told[row]
        return Answer(STRANGER, "") if who == NOBODY else Answer(SURE, who)

    def _answer(self, row: int, group: Sequence[int], nobody: bool) -> Answer:
        """Of a face nothing was told of. nobody: whether its group is of somebody not to be
        learned."""
        state, who, identity = self.state([row], self.named)
        if row in self.doubted or (state == SURE and row not in self.named):
            state = UNSURE  # its folder, its group or another face of its photo says something else
        elif state == UNSURE and nobody:
            state, who = STRANGER, ""
        elif state == STRANGER:
            who = next((self.named[one] for one in group if one in self.named), "")
            state = UNSURE if who else STRANGER
        return Answer(state, who, round(identity, 3) if self.people else None)


def _spread(deviations: np.ndarray) -> float:
    """Standard deviation of a photo's likeness to the others of its person, of all together, the
    usual one counting for SPREAD_WORTH photos."""
    squares = float(np.square(deviations).sum()) + SPREAD_WORTH * USUAL_SPREAD**2
    return float(np.sqrt(squares / (len(deviations) + SPREAD_WORTH)))


def _questions(
    answers: Sequence[Answer],
    namer: _Namer,
    doubted: Mapping[int, str],
    taken_out: Sequence[int],
) -> list[Question]:
    """What to ask: what was taken out of groups first, then names in doubt, faces between two
    names, and who is often there. While nobody has a name, every group of two or more is asked, or
    else every face."""
    held = {*doubted, *taken_out}
    asked = [Question(tuple(taken_out), (), OUT)] if taken_out else []
    asked += [
        Question((row,), namer.likeliest([row], hint), DOUBT) for row, hint in doubted.items()
    ]
    for group in namer.groups:
        unsure = [row for row in group if answers[row].state == UNSURE and row not in held]
        if unsure:
            asked.append(Question(tuple(unsure), namer.likeliest(unsure), UNSURE))
    new = [
        [row for row in group if answers[row].state == STRANGER and row not in held]
        for group in namer.groups
        if not any(row in namer.told for row in group)
    ]
    largest = max((len(group) for group in new), default=0)
    fewest = OFTEN if namer.people else max(1, min(2, largest))
    return asked + [
        Question(tuple(group), namer.likeliest(group), NEW) for group in new if len(group) >= fewest
    ]
