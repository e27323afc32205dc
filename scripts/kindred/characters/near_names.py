"""Words of a prompt that are nearly a trigger name: whoever is meant by them would not be drawn.

Knows trigger names and how people mistype them; knows nothing of files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from functools import lru_cache

from kindred.characters.trigger_words import ADULT_NOUNS, CHILD_NOUNS, LINKS, SAYS
from kindred.specs.character import Character

FAR = 3  # edits that are too many for a misspelling
WORD = re.compile(r"\w[\w-]*")
# Words of prompts that a made-up or a given name may be an edit or two away from.
COMMON = frozenset(
    """
    around beach behind birthday black blonde bright brown camera candle card carrying centre chair
    christmas close coffee colour cooking couple dancing dinner dress early evening family flower
    forest friend front garden grass green group hair happy headshot holding house hugging indoors
    jacket kitchen lake large laughing light little living looking lunch market middle mirror
    morning mountain night ocean outdoors outside painting park party people person photo picnic
    picture playing porch portrait reading river running shirt sitting sleeping small smiling snow
    sofa standing street summer sunny sunset table talking three tree under walking waving wearing
    white winter with wood work yellow young carter barber baker hunter miller porter butcher
    """.split()  # noqa: SIM905
)


def near_names(
    text: str, characters: Mapping[str, Character], known: Iterable[str] = ()
) -> list[tuple[str, str]]:
    """(word, the trigger name that it nearly is), each word once, in the order written. known:
    other words that are names."""
    names = tuple(who.name for who in characters.values())
    near = {word: name for word in WORD.findall(text) if (name := _near(word, names))}
    if not near:
        return []
    nouns, left = {who.plain_noun for who in characters.values()}, {*known}
    return [one for one in near.items() if one[0].casefold() not in nouns and one[0] not in left]


@lru_cache(maxsize=65536)  # prompts repeat words
def _near(word: str, names: tuple[str, ...]) -> str:
    """The name of which a word is another spelling; '' for a name itself, or none."""
    small = word.casefold()
    if word in names:
        return ""
    for name in names:
        if small == name.casefold():
            return name
    if small in _ordinary():
        return ""
    near = []
    for name in names:
        edits = _edits(small, name)
        if edits <= _most(name, capital=word != small):
            near.append((edits, name))
    return min(near)[1] if near else ""


def _most(name: str, capital: bool) -> int:
    """How many edits still make a misspelling of a name: of short names many words are near, and
    of all names more words in small letters than with a capital."""
    return (len(name) >= 4) + (len(name) >= 6) - (0 if capital or not name[0].isupper() else 1)


def _edits(word: str, name: str) -> int:
    """Letters that are to be changed, added or removed to get from one to the other."""
    small = name.casefold()
    third = -(-len(small) // 3)
    parts = [small[n : n + third] for n in range(0, len(small), third)]
    # Two edits leave one of three parts whole.
    if abs(len(word) - len(small)) > 2 or not any(part in word for part in parts):
        return FAR
    steps = SequenceMatcher(None, word, small, autojunk=False).get_opcodes()
    return sum(max(b - a, d - c) for kind, a, b, c, d in steps if kind != "equal")


@lru_cache(maxsize=1)
def _ordinary() -> frozenset[str]:
    """Words that are nobody's name, in small letters."""
    nouns = " ".join([*SAYS, *SAYS.values(), LINKS]).split()
    return COMMON | frozenset([*nouns, *ADULT_NOUNS, *CHILD_NOUNS])
