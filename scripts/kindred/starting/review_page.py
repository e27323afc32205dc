"""The review page of who is who: what it shows, and what a person's decisions on it change.

Knows the page's data and `WhoIsWho`; knows no server.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from kindred.common.errors import KindredError
from kindred.common.hashing import spec_hash
from kindred.common.written_text import check_text, nfc
from kindred.data import people_file
from kindred.data.people_file import PhotoEntry
from kindred.report.templates import fill
from kindred.specs.character import NOBODY, Character
from kindred.starting.folder_survey import NAME
from kindred.starting.who_is_who import WhoIsWho

LONGEST = 2000  # characters of a caption
AGAIN = "reload the page"
Json = dict[str, Any]


def page(found: WhoIsWho, address: str = "") -> str:
    """The page as HTML. address: of the server that saves; '' for a plain file."""
    pictures = {}
    for n, photo in enumerate(found.photos):
        pictures[f"s{n}"] = _base64(photo.shown)
        pictures |= {f"f{n}-{k}": _base64(crop) for k, crop in enumerate(photo.crops)}
    values = {"title": found.folder.name, "address": address, "pictures": pictures}
    return fill("review.html", values | {"state": state_of(found)})


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def state_of(found: WhoIsWho) -> Json:
    """What the page shows and changes, without pictures."""
    there = [nfc(photo.name) for photo in found.photos]
    photos = []
    for photo, name in zip(found.photos, there, strict=True):
        entry = found.file.photos[name]
        row = _entry(name, entry) | {
            "suggest": found.suggested.get(name, ""),
            "written": found.captions.get(photo.name, ""),
        }
        for face, box in zip(row["faces"], photo.boxes, strict=True):
            face["box"] = [round(edge, 4) for edge in box]
        photos.append(row)
    gone = [_entry(x, entry) for x, entry in found.file.photos.items() if x not in set(there)]
    files = [photo.sha256 for photo in found.photos]
    return {
        "id": "kindred-review:" + spec_hash({"files": files, "text": _text(found)})[:16],
        "folder": str(found.folder),
        "head": people_file.HEAD,
        "people": {x: who.model_dump(by_alias=True) for x, who in found.file.people.items()},
        "photos": photos,
        "gone": gone,
        "questions": [
            {
                "faces": [list(found.rows[row]) for row in one.faces],
                "maybe": list(one.maybe),
                "why": one.why,
            }
            for one in found.questions
        ],
    }


def _text(found: WhoIsWho) -> str:
    return people_file.people_text(found.file)


def _entry(name: str, entry: PhotoEntry) -> Json:
    faces = [{"who": face.who, "at": list(face.at)} for face in entry.faces]
    told = {"name": name, "file": entry.file, "left_out": entry.left_out}
    return told | {"caption": entry.caption, "lies": entry.lies, "faces": faces}


def decide(found: WhoIsWho, change: Mapping[str, Any]) -> None:
    """Do what was decided on the page, name all faces again, and save.

    change: people {letter: {name, class} or None}, faces [[photo, face, word]], left_out [[photo,
    why]], captions [[photo, text]]. Raises KindredError for what the page can't have sent, and then
    changes nothing.
    """
    people, photos = dict(found.file.people), dict(found.file.photos)
    try:
        for letter, who in change.get("people", {}).items():
            _set_person(people, letter, who)
        for number, face, word in change.get("faces", []):
            name, entry = _entry_of(found, photos, number)
            photos[name] = _with_face(entry, face, word, people)
        for number, why in change.get("left_out", []):
            name, entry = _entry_of(found, photos, number)
            photos[name] = replace(entry, left_out=_text_of(why))
        for number, text in change.get("captions", []):
            name, entry = _entry_of(found, photos, number)
            photos[name] = replace(entry, caption=_text_of(text))
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise KindredError("this decision does not come from the page", "review", AGAIN) from error
    in_use = {face.letter for entry in photos.values() for face in entry.faces if face.decided}
    if lost := in_use - {"", *people}:
        raise KindredError(
            f"the page names unknown faces: {', '.join(sorted(lost))}", "review", AGAIN
        )
    found.file.people, found.file.photos = people, photos
    found.name()
    found.save()


def answer(found: WhoIsWho, change: Mapping[str, Any]) -> Json:
    """Do what was decided, on top of what was written into people.yaml meanwhile; what the page
    shows then. Raises KindredError or ProblemsError as `decide` and `WhoIsWho.reload` do."""
    if not isinstance(change, Mapping):
        raise KindredError("this decision does not come from the page", "review", AGAIN)
    found.reload()
    decide(found, change)
    return state_of(found)


def _entry_of(
    found: WhoIsWho, photos: Mapping[str, PhotoEntry], number: int
) -> tuple[str, PhotoEntry]:
    if not isinstance(number, int) or number < 0:
        raise ValueError(number)
    name = nfc(found.photos[number].name)
    return name, photos[name]


def _with_face(
    entry: PhotoEntry, face: int, word: str, people: Mapping[str, Character]
) -> PhotoEntry:
    words = ("", NOBODY, people_file.LATER, *people)
    if word not in words or not isinstance(face, int) or face < 0:
        raise ValueError(word)
    faces = list(entry.faces)
    faces[face] = replace(faces[face], who=word or people_file.UNDECIDED)
    return replace(entry, faces=tuple(faces))


def _set_person(people: dict[str, Character], letter: str, who: Mapping[str, str] | None) -> None:
    if len(letter) != 1 or not "A" <= letter <= "Z":
        raise ValueError(letter)
    if who is None:
        people.pop(letter, None)
        return
    name = nfc(str(who.get("name", "")))
    taken = {other.name for x, other in people.items() if x != letter}
    if not NAME.fullmatch(name) or name in taken:
        cure = "write one word of letters and digits that is nobody else's name"
        raise KindredError(f"'{name}' can't be a person's name", "review", cure)
    try:
        people[letter] = Character.model_validate({**who, "name": name})
    except ValidationError as error:
        raise ValueError(letter) from error


def _text_of(value: str) -> str:
    text = nfc(" ".join(value.split()))
    check_text(text, "review")
    if len(text) > LONGEST:
        cure = "shorten it; text encoders read less than that anyway"
        raise KindredError(f"the text has more than {LONGEST} characters", "review", cure)
    return text
