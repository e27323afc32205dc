"""Who lives in the world: people with identity traits, and the 360 named strangers.

Knows names, traits and permanent looks; not clothes, scenes or drawing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import Random

from kindred.world.vocabulary import HAIR_COLOURS_OF_AGE, KINDS, STYLES_OF_KIND, TRAITS, adult

_SURNAMES = """
Adler Archer Baker Barlow Bishop Brook Carter Clark Cooper Dalton Dixon Doyle Ellis Evans
Fisher Fletcher Forster Garner Gibson Grant Harper Hobbs Hunter Irving Jarvis Jensen
Keller Kemp Lambert Larsen Lowell Mason Mercer Miller Nolan Norton Oakley Osborn Palmer
Parker Porter Quinn Ramsey Reeves Sawyer Shaw Spencer Tanner Taylor Turner Usher Vaughn
Vernon Walker Weaver Weston Wright Yates York Zeller
"""
SURNAMES = tuple(_SURNAMES.split())
_RARER_INITIALS = "BDEFGHIKLMNOPQRSTUVWXYZ"
_STRANGERS_SEED = 20_041


@dataclass(frozen=True)
class Person:
    """Permanent facts about one person. `traits` follow TRAITS, each in [-1, 1]."""

    name: str | None
    kind: str
    traits: tuple[float, ...]
    hair_style: str
    hair_colour: str
    beard: bool
    glasses: bool


def _trait(rng: Random) -> float:
    return round(rng.random() * 2 - 1, 3)


def _looks(kind: str, rng: Random) -> dict:
    return {
        "hair_style": rng.choice(STYLES_OF_KIND[kind]),
        "hair_colour": rng.choice(HAIR_COLOURS_OF_AGE[adult(kind)]),
        "beard": kind == "man" and rng.random() < 0.45,
        "glasses": rng.random() < (0.3 if adult(kind) else 0.18),
    }


def random_person(rng: Random, kind: str | None = None, name: str | None = None) -> Person:
    """A new person; traits are independent and uniform in [-1, 1]."""
    kind = kind or rng.choice(KINDS)
    return Person(name, kind, tuple(_trait(rng) for _ in TRAITS), **_looks(kind, rng))


def alike(person: Person, rng: Random, shared: int) -> Person:
    """An unnamed person of the same kind who shares exactly `shared` of the identity traits.

    The others are drawn again, at least 0.25 away, so that the dial counts what it says.
    """
    if not 0 <= shared <= len(TRAITS):
        raise ValueError(f"shared is {shared}; choose a number from 0 to {len(TRAITS)}")
    kept = set(rng.sample(range(len(TRAITS)), shared))
    traits = list(person.traits)
    for index, old in enumerate(person.traits):
        while index not in kept and abs(traits[index] - old) < 0.25:
            traits[index] = _trait(rng)
    return Person(None, person.kind, tuple(traits), **_looks(person.kind, rng))


def restyle(person: Person, rng: Random) -> Person:
    """The same face and name under other hair, beard and glasses."""
    return replace(person, **_looks(person.kind, rng))


@cache
def named_strangers() -> tuple[Person, ...]:
    """The 360 fixed named people: 60 surnames, six initials each, J, A and C in every surname."""
    rng = Random(_STRANGERS_SEED)
    people = []
    for row, surname in enumerate(SURNAMES):
        others = [_RARER_INITIALS[(row * 3 + k) % len(_RARER_INITIALS)] for k in range(3)]
        for initial in ("J", "A", "C", *others):
            people.append(random_person(rng, name=initial + surname))
    return tuple(people)


def surname(name: str) -> str:
    """`JRussell` -> `Russell`."""
    return name[1:]


def by_name(people: Sequence[Person]) -> dict[str, Person]:
    """Named people keyed by name."""
    return {person.name: person for person in people if person.name}
