"""Of what tokenizers are made: the words of captions, and pieces of names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
NAME = re.compile(r"\b([A-Z])([A-Z][a-z]+)\b")


def words_of(captions: Iterable[str], least: int = 3) -> list[str]:
    """Words, names apart, that occur at least `least` times, most frequent first."""
    counts: Counter[str] = Counter()
    for caption in captions:
        counts.update(re.findall(r"[A-Za-z]+", NAME.sub(" ", caption)))
    return [word for word, count in counts.most_common() if count >= least]


def name_pieces(surnames: Iterable[str]) -> list[str]:
    """Two- and three-letter pieces that occur in surnames: never a whole surname."""
    pieces: Counter[str] = Counter()
    for surname in surnames:
        for width in (2, 3):
            cuts = range(len(surname) - width + 1)
            pieces.update(surname[i : i + width] for i in cuts if width < len(surname))
    return sorted(pieces)
