"""The families to develop on once more under other names: the same people in the same photos, so
that kinds of names can be compared.

Kinds and what tokenizers make of them: docs/reference/audit.md, "Names".
"""

from __future__ import annotations

from dataclasses import replace

from kindred.world.family_seeds import SEEDED
from kindred.world.people import Person

# Every name keeps its initial, the letter of its owner. No two of a family share two letters in a
# row, and a surname is nobody else's.
_SURNAMES_OF_ONES_OWN = (
    "JHarlock ABresnik CMolund NPudwick TSorgane EFlimby QDentol LCragson YBellum RHodnik "
    "UPalfrey KStovin WTabret"
)
_MADE_UP_WORDS = (
    "Jorvek Amitas Celbon Nubrak Temiso Elvando Quorbin Lomvik Yastel Rubdan Ustefo Kimral Wesoti"
)
# What follows a family's name -> initial -> name.
KINDS_OF_NAMES = {
    kind: {name[0]: name for name in names.split()}
    for kind, names in (("own", _SURNAMES_OF_ONES_OWN), ("words", _MADE_UP_WORDS))
}


def renamed(name: str, members: tuple[Person, ...]) -> dict[str, tuple[Person, ...]]:
    """A family's people under each other kind of names, by the name that the family then has
    (`russell-words`). None of a family that is held out, of which nothing may be compared."""
    if name in SEEDED and SEEDED[name].purpose == "held-out":
        return {}
    return {
        f"{name}-{kind}": tuple(
            replace(person, name=names[person.name[0]]) for person in members if person.name
        )
        for kind, names in KINDS_OF_NAMES.items()
    }


def first_name_of(family: str) -> str:
    """What a family is called without its kind of names."""
    head, _, kind = family.rpartition("-")
    return head if kind in KINDS_OF_NAMES else family
