"""Whose the faces in scored pictures are to be: a table of scores in, heads with letters out.

The judge's own assignment decides. Knows tables and prompts; knows nothing of how faces are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kindred.characters.trigger_words import find_trigger_words
from kindred.common.errors import KindredError
from kindred.rendering.face_detail import FoundFace
from kindred.rendering.manifest import Manifest
from kindred.scoring.score_table import ADVICE, Scored, read_scores
from kindred.specs.character import Character


def found_faces(
    table: Path, pictures: Manifest, characters: Mapping[str, Character]
) -> dict[tuple[str, int], list[FoundFace]]:
    """(prompt's name, seed) -> the heads of a picture from left to right. Raises KindredError for
    a table that does not tell of these pictures."""
    rows: dict[tuple[str, int], list[Scored]] = {}
    for row in read_scores(table):
        rows.setdefault((row["prompt"], int(row["seed"])), []).append(row)
    found = {}
    for picture in pictures.rows:
        place = picture.name, picture.seed
        if {row["key"] for row in rows.get(place, ())} != {picture.key}:
            what = f"describes other pictures than {pictures.file} lists"
            raise KindredError(what, str(table), ADVICE)
        said = find_trigger_words(picture.prompt, characters)
        asked = list(dict.fromkeys(one.letter for one in said))
        people = [row for row in rows[place] if row["kind"] == "person"]
        letters = dealt([row["assigned"] for row in people], asked)
        heads = [tuple(map(float, row["head"].split())) for row in people]
        found[place] = [FoundFace(*one) for one in zip(heads, letters, strict=True)]
    return found


def dealt(assigned: Sequence[str], asked: Sequence[str]) -> list[str]:
    """For each face the letter that it was assigned to, or the next of those asked for and assigned
    to nobody; '' when there are none left."""
    left = iter([letter for letter in asked if letter not in assigned])
    return [letter or next(left, "") for letter in assigned]
