"""Datasets that an audit warns of, each as it is and as its finding asks for: captions, each with
whom it names. Knows nothing of pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from kindred.characters import trigger_words
from kindred.common.hashing import caption_hash
from kindred.data.audit import coverage, report
from kindred.specs.character import Character
from kindred.specs.dataset import AuditSpec

WHO = {
    "J": Character(name="JRussell", noun="man"),
    "A": Character(name="ARussell", noun="woman"),
}
NAMED = {letter: f"the {who.noun} {who.name}" for letter, who in WHO.items()}


class Mistake(NamedTuple):
    """What a finding says, the captions that it is about, and these as it asks for."""

    said: str
    wrong: Sequence[str]
    cured: Sequence[str]


def captions(more: str = "", **cells: int) -> list[str]:
    """So many captions of each cell, its letters joined; every one differs."""
    return [
        f"{' and '.join(map(NAMED.get, cell))} at place{chr(97 + n)}{cell.lower()}{more}"
        for cell, count in cells.items()
        for n in range(count)
    ]


def found(texts: Sequence[str], author: str = "file") -> list[str]:
    """What the audit finds of photos with these captions."""
    images: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for number, text in enumerate(texts):
        name = f"p{number}"
        source = f"{name}.jpg"
        edge = {"width": 512, "height": 512}
        images.append({"image_id": name, "photo": name, "source": source, "warnings": [], **edge})
        rows.append(
            {
                "id": name,
                "caption": text,
                "author": author,
                "characters": trigger_words.letters_in(text, WHO),
                "caption_hash": caption_hash(text),
                "warnings": [],
            }
        )
    photos = coverage.photos_of(images, rows)
    result = report.examine(photos, AuditSpec(characters=WHO))
    return [finding["what"] for finding in result["findings"]]


RIGHT = captions(J=10, A=10, AJ=10)
MISTAKES = [
    Mistake("no photo shows ARussell", captions(J=10), RIGHT),
    Mistake("JRussell is in 5 photos, fewer than 8", captions(J=5, A=5), RIGHT),
    Mistake("JRussell is alone in 1 photo", captions(J=1, A=4, AJ=10), captions(J=4, A=4, AJ=10)),
    Mistake("are in no photo together", captions(J=10, A=10), RIGHT),
    Mistake("times as many photos as", captions(J=30, A=8, AJ=1), RIGHT),
    Mistake(
        "nearly all captions with JRussell say",
        [*captions(" on the beach", J=10), *captions(A=20, AJ=2)],
        [*captions(" on the beach", J=5), *captions(J=9, A=14, AJ=4)],
    ),
    Mistake("nearly all captions say", captions(" on the beach", J=10, A=10, AJ=10), RIGHT),
    Mistake(
        "of the captions with JRussell say 'man'",
        [text.replace("the man ", "") for text in RIGHT],
        RIGHT,
    ),
    Mistake("1 photo names no character", [*RIGHT, "a dog"], RIGHT),
    Mistake("photos have the same caption", [*RIGHT, RIGHT[0]], RIGHT),
]
