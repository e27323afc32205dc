"""How many people a caption speaks of whom it doesn't name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from kindred.characters.trigger_words import ADULT_NOUNS, CHILD_NOUNS, Characters

ARTICLES = ("a", "an", "one", "another", "some")


def unnamed_people(
    text: str,
    characters: Characters | None = None,
    others: Iterable[str] = (),
    the: bool = False,
) -> int:
    """People whom a text says by a class noun and an article, and who have no name: two in 'a man,
    JRussell and a woman', none in 'the man JRussell', 'a man JRussell' or 'a black jacket and adult
    woman ARussell'.

    characters: those who have names, with their nouns; None: every capitalised word is a name.
    others: names of further people, in whatever case.
    the: whether 'the woman' is somebody else too, and not one who was named before.
    """
    articles = (*ARTICLES, "the") if the else ARTICLES
    if characters is None:
        return len(_pattern(articles, (), tuple(others), capitals=True).findall(text))
    nouns = tuple(sorted({who.noun.casefold() for who in characters.values()}))
    names = (*(who.name for who in characters.values()), *others)
    return len(_pattern(articles, nouns, names).findall(text))


@cache
def _pattern(
    articles: tuple[str, ...],
    nouns: tuple[str, ...],
    names: tuple[str, ...],
    capitals: bool = False,
) -> re.Pattern[str]:
    """Of one unnamed person. What stands between may hold other people's clothes, so a noun or a
    name right behind the noun says that this is no person of its own, or one who has a name."""
    noun = rf"(?i:{_any({*ADULT_NOUNS, *CHILD_NOUNS, *nouns})})\b"
    name = rf"(?i:{_any(names)})(?!\w)" + ("|[A-Z]" if capitals else "")
    words = r"(?:[\w-]+ ){0,3}?"
    return re.compile(rf"\b(?i:{_any(articles)}) {words}{noun}(?! (?:{noun}|{name}))")


def _any(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words))) or "(?!)"
