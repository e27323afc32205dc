"""The lab's families: fixed people whom pretraining never sees, and what an album shows of them.

Knows coverage notation and the names of an album's photos before they are drawn (albums.py draws
them): planning reads this module, so it imports nothing that draws.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kindred.common.errors import KindredError, Problems
from kindred.world.family_seeds import SEEDED, Purpose
from kindred.world.people import Person
from kindred.world.renamed_families import first_name_of, renamed
from kindred.world.vocabulary import KINDS, TRAITS

SHARED_TRAITS = 3
# What runs in a family, first to last: the dial copies this many traits from the first member.
KINSHIP = (
    "skin_tone",
    "eye_colour",
    "ear_size",
    "nose_shape",
    "freckles",
    "face_width",
    "eye_tilt",
    "mouth_width",
    "brow_thickness",
    "jaw_shape",
    "nose_size",
    "eye_spacing",
    "lip_fullness",
    "brow_angle",
    "eye_size",
    "mole_position",
)


@dataclass(frozen=True)
class Family:
    """Characters by their letter, the initial of their trigger name. Nobody looks at results on
    families held out before the claims are written down that they are to decide."""

    name: str
    members: tuple[Person, ...]
    purpose: Purpose = "development"

    @property
    def drawn_as(self) -> str:
        """What decides its photos: under other names, the same people are drawn the same."""
        return first_name_of(self.name)

    @property
    def letters(self) -> str:
        return "".join(person.name[0] for person in self.members)

    def member(self, letter: str) -> Person:
        """The member whose trigger name starts with `letter`."""
        return next(person for person in self.members if person.name[0] == letter)


# Traits follow TRAITS: face width, jaw; eye spacing, size, colour, tilt; brow thickness, angle;
# nose size, shape; mouth width, lips; freckles, mole, ears, skin.
_RUSSELLS = (
    Person(
        "JRussell",
        "man",
        (0.7, 0.9, 0.5, -0.3, 0.35, -0.5, 0.9, -0.4, 0.8, 0.8, 0.5, -0.4, -0.95, -0.95, 0.6, -0.5),
        "short",
        "brown",
        True,
        False,
    ),
    Person(
        "ARussell",
        "woman",
        (-0.5, -0.7, -0.6, 0.6, -0.4, 0.7, -0.5, 0.3, -0.5, -0.3, -0.3, 0.8, -0.2, 0.7, -0.6, -0.8),
        "long",
        "red",
        False,
        True,
    ),
    Person(
        "CRussell",
        "girl",
        (0.3, -0.2, 0.1, 0.9, 0.35, -0.1, 0.0, 0.7, -0.8, -0.9, -0.7, -0.1, 0.9, -0.15, 0.1, -0.65),
        "pigtails",
        "blonde",
        False,
        False,
    ),
)
_OKORIES = (
    Person(
        "NOkorie",
        "woman",
        (0.2, 0.3, 0.7, 0.3, -0.9, 0.4, 0.3, -0.6, 0.2, -0.7, 0.8, 0.9, -0.95, 0.8, -0.5, 0.7),
        "bun",
        "black",
        False,
        False,
    ),
    Person(
        "TOkorie",
        "man",
        (-0.7, -0.4, -0.3, -0.7, -0.3, -0.6, 0.8, 0.5, 0.9, 0.5, -0.2, 0.2, -0.5, -0.92, 0.9, 0.9),
        "bald",
        "grey",
        True,
        True,
    ),
    Person(
        "EOkorie",
        "boy",
        (0.6, -0.8, -0.7, 0.8, -0.7, 0.1, -0.7, 0.0, -0.6, 0.1, 0.4, -0.6, 0.6, 0.35, 0.2, 0.35),
        "curly",
        "brown",
        False,
        False,
    ),
)
_FIRST_NAMED = {
    "russell": _RUSSELLS,
    "okorie": _OKORIES,
    **{name: one.members() for name, one in SEEDED.items()},
}
_OWN_LOOKS = {
    **_FIRST_NAMED,
    **{
        new: people
        for name, one in _FIRST_NAMED.items()
        for new, people in renamed(name, one).items()
    },
}


def family(name: str, shared: int = SHARED_TRAITS) -> Family:
    """A family in which everyone has `shared` traits of the first member, in KINSHIP order.

    Raises KindredError for an unknown family or a dial beyond the number of traits.
    """
    if name not in _OWN_LOOKS:
        raise KindredError(f"no family {name!r}", cure=f"choose one of: {', '.join(_OWN_LOOKS)}")
    if not 0 <= shared <= len(TRAITS):
        cure = f"choose a number from 0 to {len(TRAITS)}"
        raise KindredError(f"{shared}", "shared traits", cure)
    purpose = SEEDED[name].purpose if name in SEEDED else "development"
    return Family(name, share_traits(_OWN_LOOKS[name], shared), purpose)


def share_traits(members: Sequence[Person], shared: int) -> tuple[Person, ...]:
    """The same people, but everybody with `shared` traits of the first, in KINSHIP order."""
    first, *others = members
    common = KINSHIP[:shared]

    def kin(person: Person) -> Person:
        traits = zip(TRAITS, first.traits, person.traits, strict=True)
        return replace(person, traits=tuple(a if key in common else b for key, a, b in traits))

    return (first, *map(kin, others))


FAMILIES = {name: family(name) for name in _OWN_LOOKS}


def parse_coverage(text: str, letters: str | None = None) -> dict[str, int]:
    """`J: 4, C+A: 3` -> {"J": 4, "AC": 3}: letters of a cell sorted, cells in the order given.

    letters: those of the family, if known. Raises ProblemsError that names every mistake.
    """
    coverage: dict[str, int] = {}
    problems = Problems("coverage can't be read; write it like 'J: 4, A: 3, AC: 2'")
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = re.fullmatch(r"([A-Za-z][A-Za-z+]*)\s*[:=]\s*(\d+)", part)
        if not match:
            problems.add(
                part,
                "is not a cell with a number of photos",
                "write letters, a colon and a number, such as AC: 3",
            )
            continue
        cell, count = "".join(sorted(match[1].upper().replace("+", ""))), int(match[2])
        unknown = "".join(x for x in cell if letters is not None and x not in letters)
        if len(set(cell)) < len(cell):
            problems.add(part, "names somebody twice", "use every letter once")
        elif len(cell) > 4:
            problems.add(part, "has more than four people", "leave some out")
        elif unknown:
            problems.add(part, f"no member has the letter {unknown}", f"use {', '.join(letters)}")
        elif cell in coverage:
            problems.add(part, f"cell {cell} is given twice", "give it once, with the sum")
        else:
            coverage[cell] = count
    if not coverage and not problems:
        problems.add(repr(text), "contains no cell", "give at least one")
    problems.raise_if_any()
    return coverage


def stranger_names(count: int) -> list[str]:
    """File names of an album of strangers: `man-01.jpg`, `woman-01.jpg`, ..., kinds in turn."""
    kinds = [KINDS[k % len(KINDS)] for k in range(count)]
    return [f"{kind}-{k // len(KINDS) + 1:02d}.jpg" for k, kind in enumerate(kinds)]


def photo_names(coverage: Mapping[str, int] | str) -> list[str]:
    """File names of an album, known before it is drawn: `AC-01.jpg`, ..."""
    cells = parse_coverage(coverage) if isinstance(coverage, str) else coverage
    return [f"{cell}-{k + 1:02d}.jpg" for cell, count in cells.items() for k in range(count)]
