"""Made-up names for strangers in composites, so that a name nobody knows doesn't mean the family.

Knows how trigger names are written; knows nothing of pictures.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from kindred.characters.near_names import near_names
from kindred.data.composites.captions import Characters
from kindred.specs.casts import UNTRAINED

CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"


def stranger_names(sources: Iterable[str], characters: Characters, seed: int) -> dict[str, str]:
    """A name of its own for the stranger of each photo, written as the characters' names are; never
    one that is nearly a character's, or that prompts of casts call strangers by."""
    names = [who.name for who in characters.values()]
    initial = any(name[:2].isupper() for name in names)  # as in 'JRussell'
    capital = any(name[:1].isupper() for name in names)
    taken = {name.casefold()[1:] for name in UNTRAINED} | {name.casefold() for name in UNTRAINED}
    found: dict[str, str] = {}
    for source in sorted(sources):
        rng = Random(f"{seed} {source} name")
        while source not in found:
            word = _word(rng)
            name = word.capitalize() if capital else word
            name = rng.choice(CONSONANTS).upper() + name if initial else name
            if word not in taken and not near_names(f"{name} {word}", characters):
                found[source] = name
                taken.add(word)
    return found


def _word(rng: Random) -> str:
    """Two syllables, 'renol'."""
    return "".join(rng.choice(CONSONANTS if n % 2 == 0 else VOWELS) for n in range(5))
