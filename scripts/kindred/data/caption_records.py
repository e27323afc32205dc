"""Rows of captions.jsonl: what a photo's caption says, who wrote it, and who it says is there.

Brings together what people wrote, hints from names, and a captioner's texts. A caption that a
person wrote is never changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from kindred.characters import trigger_words
from kindred.common.errors import Problems, did_you_mean
from kindred.common.hashing import caption_hash
from kindred.common.sentences import counted
from kindred.data import caption_names, people_file
from kindred.data.caption_tables import WrittenCaption
from kindred.data.folder_repeats import name_part
from kindred.data.people_file import PhotoEntry
from kindred.data.photo_decoding import note
from kindred.judges.interface import TOO_SMALL
from kindred.specs.dataset import CaptionSpec

Row = dict[str, Any]


@dataclass(frozen=True)
class Hint:
    """Who is in a photo by something else than its caption: letters, and where they are from.
    row: letters of the faces from the left, '' for somebody else, where faces were looked at; at:
    where each is, percent of the width; open: how many of them nobody has decided."""

    letters: list[str]
    origin: str
    row: tuple[str, ...] = ()
    at: tuple[int, ...] = ()
    open: int = 0

    @property
    def grouped(self) -> bool:
        """Whether somebody known is there, and others beside."""
        return len(self.row) > 1 and any(self.row)


def hint_of(
    source: str,
    written: WrittenCaption | None,
    spec: CaptionSpec,
    problems: Problems,
    seen: PhotoEntry | None = None,
) -> Hint:
    """From the faces that people.yaml names, else the `who` entry, else the folder's name, else the
    file's name. `source` is the path in the dataset folder. A `who` entry that is no character is a
    problem. seen: what people.yaml says of the photo, with the letters of `spec`."""
    open_ = sum(face.unsure for face in seen.faces) if seen else 0
    if seen and seen.faces and (seen.letters or not open_):
        near = [face for face in seen.faces if face.who != TOO_SMALL]
        near.sort(key=lambda face: face.at[0])
        row, at = tuple(face.letter for face in near), tuple(face.at[0] for face in near)
        return Hint(seen.letters, people_file.NAME, row, at, open_)
    told = _told(source, written, spec, problems)
    return replace(told, open=open_)


def _told(
    source: str, written: WrittenCaption | None, spec: CaptionSpec, problems: Problems
) -> Hint:
    """Who is in a photo by what people wrote and what folders and files are called."""
    if written and written.who:
        letters, unknown = trigger_words.who_entry(written.who, spec.characters)
        for part in unknown:
            known = [*spec.characters, *(who.name for who in spec.characters.values())]
            problems.add(
                written.where,
                f"`who` names '{part}', which is not a character",
                did_you_mean(part, known),
            )
        return Hint(letters, "`who`")
    path = PurePosixPath(source)
    named = name_part(path.parent.name, spec.characters)
    folder = trigger_words.folder_hint(named, spec.characters) if named else []
    if folder:
        return Hint(folder, "the folder's name")
    return Hint(trigger_words.file_hint(path.stem, spec.characters), "the file's name")


def by_hand(written: WrittenCaption, hint: Hint, spec: CaptionSpec, problems: Problems) -> Row:
    """The row of a caption that a person wrote. Adds names that no character has to problems."""
    found = trigger_words.find_trigger_words(written.text, spec.characters)
    certain, doubtful = trigger_words.unknown_names(written.text, spec.characters, spec.not_names)
    for word, near in certain:
        cure = f"did you mean '{near}'? Otherwise " if near else ""
        problems.add(
            written.where,
            f"the caption seems to name '{word}', which is not a character",
            f"{cure}add the character, or list the word under `not_names` if it is not a name",
        )
    row = _row(written.text, "file", spec)
    warnings = row["warnings"]
    warnings += [note("reading", what) for what in written.notes]
    for mention in found:
        if not mention.exact:
            name = spec.characters[mention.letter].name
            warnings.append(
                note("case", f"writes '{mention.written}' for {name}; a model reads other tokens")
            )
    warnings += [note("spelling", f"says '{word}', nearly '{near}'") for word, near in doubtful]
    warnings += _undecided(hint)
    if (hint.letters or hint.row) and hint.letters != row["characters"]:
        says, other = _people(hint.letters), _people(row["characters"])
        warnings.append(note("who", f"{hint.origin} says {says}, the caption {other}"))
    return row


def by_captioner(
    text: str, author: str, hint: Hint, spec: CaptionSpec, parts: Sequence[str] = ()
) -> Row:
    """The row of a captioner's text, with the trigger names that the hint gives put in. parts: what
    it says of each person of the hint's row alone, where it was asked."""
    caption, warnings = _with_names(text, hint, parts, spec)
    row = _row(caption, author, spec)
    row["warnings"] += warnings
    if hint.letters:
        row["warnings"] += _undecided(hint)
        row["warnings"].append(
            note("hint", f"{_people(hint.letters)} put in from {hint.origin}; check the caption")
        )
    return row


def _with_names(
    text: str, hint: Hint, parts: Sequence[str], spec: CaptionSpec
) -> tuple[str, list[dict[str, str]]]:
    """The caption, and notes on what was wrong with the captioner's words, without which it was
    written then."""
    known, warnings = spec.characters, []
    if any(hint.row) and (hint.grouped or caption_names.names_somebody(text)):
        own = list(parts) or [""] * len(hint.row)
        caption = caption_names.named_caption(hint.row, own, text, known)
    elif len(hint.letters) == 1:
        caption, noun = caption_names.caption_of_one(text, hint.letters[0], known)
        if noun:
            name = known[hint.letters[0]].name
            warnings.append(note("class", f"the captioner calls {name} '{noun}'; left out"))
    else:
        caption = trigger_words.insert_trigger_words(text, hint.letters, known)
    wrong = caption_names.wrong_names(caption, hint.row, known) if any(hint.row) else []
    if wrong:
        caption = caption_names.named_caption(hint.row, [""] * len(hint.row), "", known)
    warnings += [note("faces", f"the captioner's text {what}; left out") for what in wrong]
    return caption, warnings


def _undecided(hint: Hint) -> list[dict[str, str]]:
    """A note where somebody's face is between two names."""
    if not hint.open:
        return []
    faces = counted(hint.open, "face is", "faces are")
    return [note("undecided", f"{faces} not decided in {people_file.NAME}")]


def _row(caption: str, author: str, spec: CaptionSpec) -> Row:
    letters = trigger_words.letters_in(caption, spec.characters)
    nobody = spec.characters and not letters  # class images have no characters to name
    warnings = [note("nobody", "the caption names no character")] if nobody else []
    return {
        "caption": caption,
        "author": author,
        "characters": letters,
        "nouns": trigger_words.class_nouns(caption, spec.characters),
        "caption_hash": caption_hash(caption),
        "warnings": warnings,
    }


def _people(letters: list[str]) -> str:
    return "+".join(letters) or "nobody"
