"""Who is in a folder's photos by what people wrote and what files are called; opens no photo."""

from __future__ import annotations

from pathlib import Path

from kindred.characters.trigger_words import letters_in
from kindred.common.errors import Problems
from kindred.common.written_text import nfc
from kindred.data import people_file
from kindred.data.caption_files import read_captions
from kindred.data.caption_records import hint_of
from kindred.data.photo_folder import scan
from kindred.specs.dataset import CaptionSpec


def letters_told(folder: Path, spec: CaptionSpec) -> set[str] | None:
    """Letters of the characters in any photo: by a caption that somebody wrote, else by what a
    captioner would put in. None where there is no photo, or one that nobody captions. Raises
    ProblemsError where captioning would."""
    problems = Problems()
    source = scan(folder)
    names = [photo.name for photo in source.photos]
    written = read_captions(source, names, problems, [])
    seen = people_file.PeopleFile()
    if source.people is not None:
        read = people_file.read_people(source.people)
        seen = people_file.in_characters(read, spec.characters, people_file.NAME, problems)
    entries = {nfc(name): entry for name, entry in seen.photos.items()}
    found: set[str] = set()
    for name in names:
        entry, caption = entries.get(nfc(name)), written.get(name)
        text = (entry.caption if entry else "") or (caption.text if caption else "")
        if not text and spec.captioner is None:
            return None
        hint = hint_of(name, caption, spec, problems, entry)
        found.update(letters_in(text, spec.characters) if text else hint.letters)
    problems.raise_if_any()
    return found if names else None
