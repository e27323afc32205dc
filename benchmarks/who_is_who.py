"""How well the faces of a folder are named, from few names or from none, and how much is asked.

FOLDER holds a folder of photos for each person, most photos with that person alone. Folders of up
to sixty photos of three people are drawn from it, every second one with other people too; those who
look most alike stand in for relatives. Whoever answers says the name that most faces of a question
have, and never notices that one is somebody else's: what is mixed up counts.

    python benchmarks/who_is_who.py FOLDER [--folders 100]
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from real_faces import FAMILY, FEWEST, photos_of

from kindred.characters.face_calibration import bounds
from kindred.characters.face_naming import SURE, FolderNaming, name_folder
from kindred.common.errors import run_main
from kindred.judges.dlib_faces import DlibFaces
from kindred.specs.character import NOBODY

PHOTOS_EACH = 20
OTHERS = 10  # faces of people who are nobody's, in every second folder
NAMED = (0, 1, 2, 3)  # photos of each person that have a name before
ROUNDS = 6
MOST_ASKED, MOST_UNSURE = 25, 0.15  # what is to be reached


@dataclass
class Tally:
    """What came of folders: questions and their rounds, a number a folder; the share of the three
    people's faces without a name before questions about single faces, and at the end; people who
    were in a folder, and those of whom a face got another's name."""

    asked: list[int] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)
    unsure: list[float] = field(default_factory=list)
    left: list[float] = field(default_factory=list)
    people: set[str] = field(default_factory=set)
    mistaken: set[str] = field(default_factory=set)

    def row(self, kind: str, named: int) -> str:
        """A row of the table."""
        high = bounds(len(self.mistaken), len(self.people))[1]
        return (
            f"| {kind}, {len(self.asked)} | {named or 'none'} | {np.mean(self.asked):.1f} "
            f"({max(self.asked)}) | {max(self.rounds)} | {np.mean(self.unsure):.1%} | "
            f"{np.mean(self.left):.1%} ({max(self.left):.1%}) | {len(self.mistaken)} of "
            f"{len(self.people)} (below {high:.0%}) |"
        )


def try_folder(
    people: Mapping[str, np.ndarray],
    family: Sequence[str],
    others: int,
    named: int,
    engine: DlibFaces,
    rng: np.random.Generator,
    tally: Tally,
) -> None:
    """One folder: name, ask, name again until nothing is asked."""
    faces, truth = _folder(people, family, others, rng)
    hinted = {
        row: name
        for name in family
        for row in [n for n, who in enumerate(truth) if who == name][:named]
    }
    decided: dict[int, str] = {}
    asked, rounds, before = 0, 0, None
    for _ in range(ROUNDS):
        known = engine.calibration
        found = name_folder(faces, range(len(faces)), decided, hinted, known.population, known.same)
        _note_mistakes(found, truth, tally)
        if before is None and found.lines:
            before = _unsure(found, truth, family)
        if not found.questions:
            break
        rounds += 1
        for question in found.questions:
            asked += 1
            name = Counter(truth[row] for row in question.faces).most_common(1)[0][0]
            decided |= dict.fromkeys(question.faces, name if name in family else NOBODY)
    tally.asked.append(asked)
    tally.rounds.append(rounds)
    tally.unsure.append(before if before is not None else 1.0)
    tally.left.append(_unsure(found, truth, family))
    tally.people.update(truth)


def _folder(
    people: Mapping[str, np.ndarray], family: Sequence[str], others: int, rng: np.random.Generator
) -> tuple[np.ndarray, list[str]]:
    rows = [(x, n) for x in family for n in rng.permutation(len(people[x]))[:PHOTOS_EACH]]
    far = [(x, n) for x in people if x not in family for n in range(len(people[x]))]
    rows += [far[n] for n in rng.permutation(len(far))[:others]]
    return np.stack([people[x][n] for x, n in rows]), [x for x, _ in rows]


def _note_mistakes(found: FolderNaming, truth: Sequence[str], tally: Tally) -> None:
    for answer, who in zip(found.answers, truth, strict=True):
        if answer.state == SURE and answer.who != who:
            tally.mistaken.add(who)


def _unsure(found: FolderNaming, truth: Sequence[str], family: Sequence[str]) -> float:
    own = [a.state for a, who in zip(found.answers, truth, strict=True) if who in family]
    return sum(state != SURE for state in own) / len(own)


def main(argv: list[str] | None = None) -> int:
    """Measure and print; status 1 where what is to be reached is not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--folders", type=int, default=100, help="drawn for each row")
    options = parser.parse_args(argv)
    engine, rng = DlibFaces.open(["mtcnn"]), np.random.default_rng(0)
    photos = photos_of(options.folder, engine)
    people = {
        x: np.stack([p.face.embedding for p in photos if p.person == x])
        for x in sorted({p.person for p in photos})
    }
    large = [x for x, rows in people.items() if len(rows) >= FEWEST]
    means = {x: rows.mean(0) for x, rows in people.items()}
    drawn = [list(rng.choice(large, FAMILY, replace=False)) for _ in range(options.folders)]
    alike = [sorted(large, key=lambda y, x=x: -(means[x] @ means[y]))[:FAMILY] for x in large]
    print(f"{len(photos)} photos of {len(people)} people, {len(large)} with {FEWEST} or more\n")
    print(
        "| folders | named photos each | questions (most) | rounds | unsure before single ones | "
        "without a name at the end (most) | people with a wrong name |"
    )
    print("|---|---|---|---|---|---|---|")
    reached = True
    for kind, families in (("drawn", drawn), ("most alike", alike)):
        for named in NAMED:
            tally = Tally()
            for number, family in enumerate(families):
                others = OTHERS * (number % 2)
                try_folder(people, family, others, named, engine, rng, tally)
            print(tally.row(kind, named))
            reached &= max(tally.asked) <= MOST_ASKED and max(tally.left) <= MOST_UNSURE
            reached &= not tally.mistaken
    print(f"\nat most {MOST_ASKED} questions, {MOST_UNSURE:.0%} unsure, no wrong name: {reached}")
    return 0 if reached else 1


if __name__ == "__main__":
    run_main(main)
