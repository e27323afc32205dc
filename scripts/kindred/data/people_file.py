"""people.yaml beside the photos: who is who, which photos are left out, captions that were edited.

A person may edit it by hand, and a program adds to it: what it says of its own is marked ('J sure',
'maybe J', 'stranger'), what a person decided is not ('J', 'nobody'). Knows no faces.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from kindred.common.errors import Problems, did_you_mean, first_line_of
from kindred.common.files import write_text
from kindred.common.written_text import check_text, nfc, read_written_text
from kindred.judges.interface import COVERED, TOO_SMALL, TURNED_AWAY
from kindred.specs.character import NOBODY, Character
from kindred.specs.spec_model import problems_of

NAME = "people.yaml"
SURE, MAYBE = " sure", "maybe "
UNDECIDED, STRANGER = "undecided", "stranger"
LATER = "later"  # a person's word: nobody of this group; who it is, they will say
UNREAD = (TOO_SMALL, TURNED_AWAY, COVERED)
PLAIN = re.compile(r"[A-Za-z][\w ]*")
HEAD = """\
# Who is who in these photos. Written by scripts/who_is_who.py; you may edit it, and it stays when
# photos come or go. Snakemake reads it: names in captions follow it.
#   who: J          you said so (a letter or a name)   who: nobody     somebody who is not learned
#   who: J sure     the judge of faces is sure         who: stranger   so says the judge
#   who: maybe J    it can't decide: write a letter    who: too small to see, turned away, covered
#   who: later      you took it out of a group, and the page asks you again
# Words of the judge are renewed at its next run; yours stay. `at` is where the face is, in percent
# from the left and from the top. `left_out: why` leaves a photo out. `caption:` replaces any other.
"""


@dataclass(frozen=True)
class PlacedFace:
    """A face of a photo: the word for who it is, and its middle in percent of width and height."""

    who: str
    at: tuple[int, int]

    @property
    def decided(self) -> bool:
        """Whether a person said it, so that it stays."""
        return self.who in (NOBODY, LATER) or not (
            self.unsure or self.who.endswith(SURE) or self.who in (STRANGER, *UNREAD)
        )

    @property
    def unsure(self) -> bool:
        """Whether it is still to be decided."""
        return self.who in (UNDECIDED, LATER) or self.who.startswith(MAYBE)

    @property
    def letter(self) -> str:
        """Of the person it is, decided or sure; '' for none."""
        if self.who == NOBODY or self.who in (STRANGER, *UNREAD) or self.unsure:
            return ""
        return self.who.removesuffix(SURE)


@dataclass(frozen=True)
class PhotoEntry:
    """What is known of a photo. file: the first digits of its SHA-256. faces: from the left.
    left_out: why, '' for a photo that is used. caption: '' for none of its own. lies: how a photo
    lies whose faces don't stand upright, in the judge's words."""

    file: str = ""
    faces: tuple[PlacedFace, ...] = ()
    left_out: str = ""
    caption: str = ""
    lies: str = ""

    @property
    def letters(self) -> list[str]:
        """Of everybody known in it, sorted."""
        return sorted({face.letter for face in self.faces if face.letter})

    @property
    def by_hand(self) -> bool:
        """Whether a person decided anything about it."""
        return bool(self.left_out or self.caption or any(face.decided for face in self.faces))


@dataclass
class PeopleFile:
    """Letter -> person, and photo's path in the folder -> what is known of it."""

    people: dict[str, Character] = field(default_factory=dict)
    photos: dict[str, PhotoEntry] = field(default_factory=dict)

    def letter(self, written: str) -> str:
        """Of a letter or a name; '' for nobody's."""
        names = {who.name: letter for letter, who in self.people.items()}
        return written if written in self.people else names.get(written, "")


class _OnceEach:
    """Of a loader: a key that stands twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping, with its line where a key stands twice."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for number, key in enumerate(keys):
            if isinstance(key, str) and key in keys[:number]:
                mark = node.value[number][0].start_mark
                raise yaml.constructor.ConstructorError(None, None, f"'{key}' stands twice", mark)
        return super().construct_mapping(node, deep)


class _Loader(_OnceEach, yaml.BaseLoader):
    """All values as texts."""


class _FastLoader(_OnceEach, getattr(yaml, "CBaseLoader", yaml.BaseLoader)):
    """The same in C where PyYAML has it; knows less of where a mistake stands."""


@lru_cache(maxsize=8)
def _parsed(text: str) -> Any:
    """What a text holds, not to be changed. Every planning reads the file, and not in one place, so
    it is read fast where nothing is wrong, and one text once. Raises yaml.YAMLError."""
    try:
        return yaml.load(text, _FastLoader)
    except yaml.YAMLError:
        return yaml.load(text, _Loader)


def read_people(path: Path) -> PeopleFile:
    """The file. Raises ProblemsError with everything that is wrong in it."""
    problems = Problems(f"{path}")
    text = read_written_text(path, str(path))
    try:
        data = _parsed(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path.name}:{mark.line + 1}" if mark else path.name
        what = getattr(error, "problem", None) or first_line_of(error)
        problems.add(where, f"can't be read as YAML ({what})", "correct this line")
        problems.raise_if_any()
    found = PeopleFile()
    data = _mapping(data or {}, path.name, ("people", "photos"), problems)
    for letter, person in _mapping(data.get("people"), "people", None, problems).items():
        _add_person(found, letter, person, problems)
    for name, entry in _mapping(data.get("photos"), "photos", None, problems).items():
        found.photos[nfc(name)] = _entry(found, name, entry, problems)
    problems.raise_if_any()
    return found


def _mapping(
    value: Any, where: str, known: tuple[str, ...] | None, problems: Problems
) -> dict[str, Any]:
    """The value where it is a mapping of known keys; what is not is a problem."""
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        problems.add(where, "must be keys with values", "write it like the lines around it")
        return {}
    for key in value if known else ():
        if key not in known:
            problems.add(
                f"{where}: {key}", "is not a key that belongs here", did_you_mean(key, known)
            )
    return value


def _add_person(found: PeopleFile, letter: str, value: Any, problems: Problems) -> None:
    where = f"people.{letter}"
    if not re.fullmatch("[A-Z]", letter):
        problems.add(
            where, "the key of a person must be one capital letter", "use a letter from A to Z"
        )
    try:
        found.people[letter] = Character.model_validate(_mapping(value, where, None, problems))
    except ValidationError as error:
        problems.found += problems_of(error, where, Character)


def _entry(found: PeopleFile, name: str, value: Any, problems: Problems) -> PhotoEntry:
    keys = ("file", "faces", "left_out", "caption", "lies")
    entry = _mapping(value, name, keys, problems)
    faces = entry.get("faces") or []
    if not isinstance(faces, list):
        problems.add(f"{name}: faces", "must be a list", "begin each face with '- '")
        faces = []
    texts = {key: entry.get(key, "") for key in ("file", "left_out", "caption", "lies")}
    for key, text in texts.items():
        if not isinstance(text, str):
            problems.add(f"{name}: {key}", "is not a text", "write the text after the colon")
            texts[key] = ""
    read = [_face(found, name, number, one, problems) for number, one in enumerate(faces, 1)]
    caption = nfc(" ".join(texts["caption"].split()))
    check_text(caption, f"{NAME}: {name}")
    placed = tuple(face for face in read if face)
    left_out, lies = texts["left_out"].strip(), texts["lies"].strip()
    return PhotoEntry(texts["file"], placed, left_out, caption, lies)


def _face(
    found: PeopleFile, name: str, number: int, value: Any, problems: Problems
) -> PlacedFace | None:
    where = f"{name}: face {number}"
    face = _mapping(value, where, ("who", "at"), problems)
    at, who = face.get("at"), face.get("who", "")
    if not isinstance(at, list) or len(at) != 2 or not all(_is_percent(one) for one in at):
        cure = "write `at: [percent from the left, percent from the top]`"
        problems.add(where, "does not say where the face is", cure)
        return None
    word = _word(found, str(who).strip())
    if word is None:
        known = [*found.people, *(one.name for one in found.people.values()), NOBODY]
        problems.add(where, f"'{who}' is not listed under `people`", did_you_mean(str(who), known))
        return None
    return PlacedFace(word, (int(at[0]), int(at[1])))


def _is_percent(text: Any) -> bool:
    return isinstance(text, str) and text.isdecimal() and int(text) <= 100


def _word(found: PeopleFile, who: str) -> str | None:
    """The word with a letter in the place of a name; None where it says nobody known."""
    if who in (NOBODY, STRANGER, UNDECIDED, LATER, *UNREAD):
        return who
    letter = found.letter(nfc(who.removeprefix(MAYBE).removesuffix(SURE).strip()))
    before, behind = MAYBE * who.startswith(MAYBE), SURE * who.endswith(SURE)
    return before + letter + behind if letter else None


def people_text(found: PeopleFile) -> str:
    """The file's text."""
    lines = [HEAD + "people:" + (" {}" if not found.people else "")]
    for letter, who in found.people.items():
        fields = {"name": who.name, "class": who.noun} | ({"age": who.age} if who.age else {})
        inside = ", ".join(f"{key}: {_scalar(value)}" for key, value in fields.items())
        lines.append(f"  {_scalar(letter)}: {{{inside}}}")
    lines.append("photos:" + (" {}" if not found.photos else ""))
    for name, entry in found.photos.items():
        lines.append(f"  {_scalar(name, always=True)}:")
        lines += [f"    file: {_scalar(entry.file, always=True)}"]
        lines += [f"    left_out: {_scalar(entry.left_out)}"] if entry.left_out else []
        lines += [f"    lies: {_scalar(entry.lies)}"] if entry.lies else []
        lines += [f"    caption: {_scalar(entry.caption, always=True)}"] if entry.caption else []
        lines += ["    faces:"] if entry.faces else []
        for face in entry.faces:
            lines.append(f"      - {{who: {_scalar(face.who)}, at: [{face.at[0]}, {face.at[1]}]}}")
    return "\n".join(lines) + "\n"


def _scalar(text: str, always: bool = False) -> str:
    """A text as YAML, in quotes (`always`, or where needed)."""
    plain = PLAIN.fullmatch(text) and not always
    return text if plain else json.dumps(text, ensure_ascii=False)


def write_people(path: Path, found: PeopleFile) -> None:
    """Write the file, whole or not at all."""
    write_text(path, people_text(found), durable=True)


def left_out_of(path: Path) -> Mapping[str, str]:
    """Photos that are left out, with the reason. Raises as `read_people` does."""
    return {name: one.left_out for name, one in read_people(path).photos.items() if one.left_out}


def people_not_in(path: Path, characters: Mapping[str, Character]) -> list[str]:
    """Names of the file's people who are none of these characters, in its order; none without a
    file. Raises as `read_people` does."""
    known = {who.name for who in characters.values()}
    people = read_people(path).people.values() if path.is_file() else ()
    return [who.name for who in people if who.name not in known]


def in_characters(
    found: PeopleFile, characters: Mapping[str, Character], where: str, problems: Problems
) -> PeopleFile:
    """The file with the letters of an experiment, by name. Who is no character of it is somebody
    not learned; a letter with two names is a problem."""
    letters = {who.name: letter for letter, who in characters.items()}
    for letter, who in found.people.items():
        if who.name not in letters and letter in characters:
            other = characters[letter].name
            what = f"calls {letter} '{who.name}', but the experiment calls {letter} '{other}'"
            problems.add(where, what, "write the same name in both")

    def renamed(face: PlacedFace) -> PlacedFace:
        if not face.letter:
            return face
        letter = letters.get(found.people[face.letter].name)
        return replace(face, who=letter if letter else NOBODY)

    photos = {
        name: replace(entry, faces=tuple(renamed(face) for face in entry.faces))
        for name, entry in found.photos.items()
    }
    return PeopleFile(dict(characters), photos)
