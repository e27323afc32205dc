"""Families whose people and albums are drawn by seed: to develop on, and held out for claims.

Nobody looks at results on held-out families before what is claimed of them is written down. Knows
how people, and how many photos of whom, are drawn by seed; draws no picture.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from random import Random
from typing import Literal

from kindred.world.people import Person, alike, random_person
from kindred.world.vocabulary import KINDS, adult

Purpose = Literal["development", "held-out"]

ADULTS, CHILDREN = (
    tuple(kind for kind in KINDS if adult(kind) is grown) for grown in (True, False)
)
LOOK_ALIKE = 12  # traits that look-alikes share: the most that the judge learned to tell apart
# Hair that no drawing for pretraining shows on people of the kind.
UNSEEN_STYLES = {
    "man": ("bob", "ponytail", "bun"),
    "woman": ("spiky",),
    "boy": ("long", "bob", "ponytail"),
    "girl": ("short", "spiky", "bun"),
}


@dataclass(frozen=True)
class SeededFamily:
    """What decides a family: its surname, the seed of its people and of its album, how many people
    and photos, and whether the first two are look-alikes."""

    surname: str
    purpose: Purpose
    seed: int
    photos: int
    people: int = 3
    look_alikes: bool = False

    @property
    def name(self) -> str:
        """How experiments call it."""
        return self.surname.lower()

    def members(self) -> tuple[Person, ...]:
        """Two to four people, an adult first and, of three or more, a child last. One of them, and
        no look-alike, has hair that pretraining never shows on people of that kind."""
        rng = Random(f"{self.surname} {self.seed}")
        names = [x + self.surname for x in rng.sample(string.ascii_uppercase, self.people)]
        kinds = [rng.choice(ADULTS), *(rng.choice(KINDS) for _ in names[2:]), rng.choice(CHILDREN)]
        people = [random_person(rng, kind, name) for kind, name in zip(kinds, names, strict=True)]
        if self.look_alikes:
            first, second = people[:2]
            traits = alike(first, rng, LOOK_ALIKE).traits
            people[1] = replace(first, name=second.name, traits=traits)
        restyled = rng.randrange(2 if self.look_alikes else 0, self.people)
        one = people[restyled]
        people[restyled] = replace(one, hair_style=rng.choice(UNSEEN_STYLES[one.kind]))
        return tuple(people)

    def coverage(self) -> str:
        """The cells of its album with their photos, 'J: 4, A: 1, AJ: 3': everybody is alone in one
        at least, and the rest is dealt to all cells, with more for some than for others."""
        rng = Random(f"album {self.surname} {self.seed}")
        letters = sorted(person.name[0] for person in self.members() if person.name)
        cells = _cells(letters)
        weights = [rng.random() ** 4 for _ in cells]
        dealt = Counter(letters)
        dealt.update(rng.choices(cells, weights, k=self.photos - len(letters)))
        return ", ".join(f"{cell}: {dealt[cell]}" for cell in cells if dealt[cell])


def _cells(letters: Sequence[str]) -> list[str]:
    sizes = range(1, len(letters) + 1)
    return ["".join(cell) for size in sizes for cell in combinations(letters, size)]


# Each seed is the first with which its family is unlike everybody whom the shipped base knows by
# name; tests/unit/world/test_family_seeds.py says what that is.
_SEEDED = (
    SeededFamily("Ashford", "development", seed=111, photos=16),
    SeededFamily("Burton", "development", seed=201, photos=10, look_alikes=True),
    SeededFamily("Chandler", "development", seed=55, photos=24, people=4),
    SeededFamily("Draper", "development", seed=10, photos=7, people=2),
    SeededFamily("Granger", "held-out", seed=42, photos=6),
    SeededFamily("Hadley", "held-out", seed=41, photos=25),
    SeededFamily("Hollis", "held-out", seed=21, photos=15, people=2),
    SeededFamily("Ingram", "held-out", seed=84, photos=13, look_alikes=True),
    SeededFamily("Marsh", "held-out", seed=215, photos=9),
    SeededFamily("Penrose", "held-out", seed=162, photos=20, people=4),
    SeededFamily("Rowland", "held-out", seed=23, photos=11),
    SeededFamily("Sutton", "held-out", seed=84, photos=22, look_alikes=True),
    SeededFamily("Thornton", "held-out", seed=39, photos=8),
    SeededFamily("Wheeler", "held-out", seed=54, photos=17),
)
SEEDED = {one.name: one for one in _SEEDED}
# The coverage of every family's album, to be copied into an experiment's `lab: {coverage: ...}`.
ALBUMS = {name: one.coverage() for name, one in SEEDED.items()}
