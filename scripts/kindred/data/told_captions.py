"""What is told of a folder's photos before anything looks at them: by captions that people wrote,
people.yaml and names of files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kindred.characters.trigger_words import letters_in
from kindred.common.errors import Problems
from kindred.common.written_text import nfc
from kindred.data import people_file
from kindred.data.caption_files import read_captions
from kindred.data.caption_records import Hint, hint_of
from kindred.data.caption_tables import WrittenCaption
from kindred.data.people_file import PhotoEntry
from kindred.data.photo_folder import Source, scan
from kindred.specs.dataset import CaptionSpec


@dataclass(frozen=True)
class Told:
    """Of photos by their names: `written`, captions of those that have one, and everybody's
    hints."""

    written: dict[str, WrittenCaption]
    hints: dict[str, Hint]


def told_of(
    source: Source, names: Iterable[str], spec: CaptionSpec, problems: Problems, doubts: list[str]
) -> Told:
    """What is told of these photos of a folder; a caption in people.yaml counts before others.
    Mistakes go to `problems`, entries of photos that are not there to `doubts`."""
    names = list(names)
    written = read_captions(source, names, problems, doubts)
    seen = _people_of(source, spec, problems, doubts)
    for name in names:
        if name in seen and seen[name].caption:
            where = f"{people_file.NAME}: {name}"
            written[name] = WrittenCaption(seen[name].caption, "", where)
    hints = {
        name: hint_of(name, written.get(name), spec, problems, seen.get(name)) for name in names
    }
    return Told(written, hints)


def _people_of(
    source: Source, spec: CaptionSpec, problems: Problems, doubts: list[str]
) -> dict[str, PhotoEntry]:
    """What people.yaml says of each photo, with the letters of `spec`, by the photo's name as the
    file system has it. Adds to `doubts` entries of photos that are not there."""
    if source.people is None:
        return {}
    found = people_file.read_people(source.people)
    photos = people_file.in_characters(found, spec.characters, people_file.NAME, problems).photos
    names = {nfc(photo.name): photo.name for photo in [*source.photos, *source.set_aside]}
    doubts += [f"{people_file.NAME}: no photo '{name}'" for name in photos if name not in names]
    return {names[name]: entry for name, entry in photos.items() if name in names}


def letters_told(folder: Path, spec: CaptionSpec) -> set[str] | None:
    """Letters of the characters in any photo: by its caption, else by what a captioner would put
    in. None where there is no photo, or one that nobody captions. Raises ProblemsError where
    captioning would."""
    problems, source = Problems(), scan(folder)
    told = told_of(source, [photo.name for photo in source.photos], spec, problems, [])
    found: set[str] = set()
    for name, hint in told.hints.items():
        text = told.written[name].text if name in told.written else ""
        if not text and spec.captioner is None:
            return None
        found.update(letters_in(text, spec.characters) if text else hint.letters)
    problems.raise_if_any()
    return found if told.hints else None
