"""Folders named for kohya's tools, `<repeats>_<trigger> <class>` such as '10_ada woman'.

There the number says how often each photo counts. It is not followed here, and the class word is no
name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kindred.characters import trigger_words
from kindred.specs.character import Character

# A number without zeros in front, which sort, and no date behind it.
PATTERN = re.compile(r"(?P<repeats>[1-9]\d{0,3})_(?P<words>[^\W\d_].*)", re.DOTALL)
YEARS = range(1900, 2101)


@dataclass(frozen=True)
class FolderRepeats:
    """What a folder's name says: how often its photos are repeated, and who is in them."""

    repeats: int
    words: str


def repeats_of(folder: str) -> FolderRepeats | None:
    """Of a folder's name; None where it is no such name: '2024_summer' is a year, '01_beach' an
    order."""
    match = PATTERN.fullmatch(folder)
    if match is None or int(match["repeats"]) in YEARS:
        return None
    return FolderRepeats(int(match["repeats"]), match["words"])


def name_part(folder: str, characters: Mapping[str, Character]) -> str:
    """The part of a folder's name that may tell who is in its photos: without number of repeats and
    class word in such a name, the whole of any other."""
    found = repeats_of(folder)
    if found is None:
        return folder
    before, _, last = found.words.strip().replace("_", " ").rpartition(" ")
    return before if trigger_words.class_nouns(last, characters) else found.words
