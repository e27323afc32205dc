"""Faces against captions: somebody in the photo whom the caption doesn't name, and the reverse.

Knows what people.yaml says of a photo's faces and whom its caption names; finds no faces itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kindred.common.errors import Problems
from kindred.common.sentences import listing
from kindred.common.written_text import nfc
from kindred.data import people_file
from kindred.data.audit.findings import FACE_WITHOUT_NAME, Characters, Finding
from kindred.data.people_file import PhotoEntry

Row = dict[str, Any]


def read_faces(folders: Sequence[Path], who: Characters) -> dict[str, PhotoEntry]:
    """What the people.yaml in the first of these folders that has one says of each photo, with the
    letters of `who`; nothing where none has. Raises ProblemsError for mistakes in it."""
    for file in (folder / people_file.NAME for folder in folders):
        if file.is_file():
            problems = Problems(f"{file}")
            read = people_file.read_people(file)
            found = people_file.in_characters(read, who, str(file), problems)
            problems.raise_if_any()
            return found.photos
    return {}


def compare(photos: Sequence[Row], faces: Mapping[str, PhotoEntry]) -> list[Row]:
    """A row a photo whose faces were looked for: source, letters of its faces and of its caption,
    without_name and without_face (letters of one alone), open (faces that are undecided or can't be
    read).

    As many names as faces are open may be those people, so such a photo lacks nobody's face.
    """
    rows = []
    for photo in photos:
        entry = faces.get(nfc(photo["image"]["source"]))
        if entry is None or "made" in photo["image"]:
            continue
        seen, said = entry.letters, sorted(photo["caption"]["characters"])
        unread = sum(face.who in people_file.UNREAD for face in entry.faces)
        open_ = unread + sum(face.unsure for face in entry.faces)
        lacking = [letter for letter in said if letter not in seen]
        rows.append(
            {
                "source": photo["image"]["source"],
                "faces": seen,
                "caption": said,
                "without_name": [letter for letter in seen if letter not in said],
                "without_face": lacking if len(lacking) > open_ else [],
                "open": open_,
            }
        )
    return rows


def lying_findings(photos: Sequence[Row], faces: Mapping[str, PhotoEntry]) -> list[Finding]:
    """Photos in which no face stands upright, as `make who` found them."""
    sources = {x["image"]["source"] for x in photos if "made" not in x["image"]}
    lying = {x: faces[nfc(x)].lies for x in sorted(sources) if nfc(x) in faces}
    items = [f"{source}: lies {how}" for source, how in lying.items() if how]
    if not items:
        return []
    return [
        Finding(
            "lying",
            "warning",
            f"photos seem to lie on their side ({len(items)})",
            "the model learns to draw people lying or upside down",
            "turn the photos, save them and run `make who` again; where only somebody's head "
            "lies, ignore this",
            items,
        )
    ]


def by_person(rows: Sequence[Row], who: Characters) -> dict[str, dict[str, int]]:
    """Letter -> photos whose caption names them, that show their face, that do both, and that do
    one alone; of the captions' rest a face is open that may be theirs."""
    return {
        x: {
            "caption": sum(x in row["caption"] for row in rows),
            "faces": sum(x in row["faces"] for row in rows),
            "both": sum(x in row["caption"] and x in row["faces"] for row in rows),
            "without_name": sum(x in row["without_name"] for row in rows),
            "without_face": sum(x in row["without_face"] for row in rows),
        }
        for x in sorted(who)
    }


def face_findings(rows: Sequence[Row], who: Characters) -> list[Finding]:
    """Faces without a name in the caption, names without a face in the photo."""

    def items(key: str, words: str) -> list[str]:
        return [
            f"{row['source']}: {listing([who[x].name for x in row[key]])} {words}"
            for row in rows
            if row[key]
        ]

    unnamed = items("without_name", "can be seen, but the caption doesn't say so")
    unfound = items("without_face", "is in the caption, but no face is theirs")
    result = []
    if unnamed:
        result.append(
            Finding(
                FACE_WITHOUT_NAME,
                "warning",
                f"somebody is in the photo but not in its caption ({len(unnamed)})",
                "the model learns the face as somebody else's, or as everybody's",
                "write the name into the caption, or correct who it is with `make who`",
                unnamed,
            )
        )
    if unfound:
        result.append(
            Finding(
                "name-without-face",
                "warning",
                f"somebody is in the caption but was not found in the photo ({len(unfound)})",
                "if they are not there, the model learns the name with other people's looks",
                "look at the photos: if they are there, seen from behind or far away, ignore "
                "this; otherwise remove the name from the caption, or correct who it is with "
                "`make who`",
                unfound,
            )
        )
    return result
