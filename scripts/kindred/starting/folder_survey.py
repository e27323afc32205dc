"""What a folder of photos tells before anything is made: who is in it, and how it is captioned, and
which of its files can't be used.

Knows names of folders and files, captions and class nouns; of photos, only whether they decode.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from kindred.characters.cells import cell_name
from kindred.characters.trigger_words import (
    ADULT_NOUNS,
    CHILD_NOUNS,
    class_nouns,
    letters_in,
    who_entry,
)
from kindred.common.errors import KindredError, Problems, ProblemsError, message
from kindred.common.sentences import counted, listing
from kindred.common.written_text import nfc
from kindred.data.caption_files import read_captions
from kindred.data.caption_records import hint_of
from kindred.data.caption_tables import WrittenCaption
from kindred.data.folder_repeats import repeats_of
from kindred.data.people_file import NAME as NAME_OF_FILE
from kindred.data.people_file import PhotoEntry, in_characters, people_not_in, read_people
from kindred.data.photo_folder import (
    LeftOut,
    Photo,
    Source,
    check_ids,
    check_inputs,
    printable,
    scan,
)
from kindred.data.unusable_photos import problems_of
from kindred.specs.character import Character
from kindred.specs.dataset import CaptionSpec

UNKNOWN_NOUN = "person"
# A made-up name, as captions have it: two capitals at least and small letters, 'JRussell'; or one
# capital and a class noun before or behind: 'the man Jorvek', 'Amitas, a young woman'.
TRIGGER = re.compile(r"(?<![\w-])(?=\w*[a-z])[A-Z]\w*[A-Z]\w*(?![\w-])")
NOUN = "|".join((*ADULT_NOUNS, *CHILD_NOUNS))
CAPITAL = r"([A-Z][a-z]\w*)(?![\w-])"
BY_NOUN = (
    re.compile(rf"\b(?i:{NOUN}) {CAPITAL}"),
    re.compile(rf"(?<![\w-]){CAPITAL}, (?:an? |the )?(?:\w+ )?(?i:{NOUN})\b"),
)
NO_NAMES = "ignore this if these are no people's names"
OFTEN = 2  # captions in which such a word has to stand
NAME = re.compile(r"[^\W\d_][\w-]*")


@dataclass(frozen=True)
class FolderSurvey:
    """A folder of photos. cells: 'A+J' -> photos that show these by caption, folder or name; '' for
    photos that tell nothing. captioned: photos with a caption of their own. guessed: letters of
    people whose class noun nothing tells. left_out: people of people.yaml who are none of them;
    folders, captions: whom names of sub-folders and captions seem to name besides. unused: files
    that are not used."""

    photos: int
    captioned: int
    characters: Mapping[str, Character]
    cells: Mapping[str, int]
    guessed: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    unused: tuple[LeftOut, ...] = ()

    @property
    def letters(self) -> list[str]:
        """Of all people, in their order."""
        return list(self.characters)

    def alone(self, letter: str) -> int:
        """Photos that show somebody alone, as far as is told."""
        return self.cells.get(letter, 0)

    @property
    def unseen(self) -> list[str]:
        """Names of people whom nothing places in any photo."""
        shown = {letter for cell in self.cells for letter in cell.split("+")}
        return [who.name for letter, who in self.characters.items() if letter not in shown]


def survey(folder: Path, people: Sequence[str] = ()) -> FolderSurvey:
    """Look through a folder. people: 'Jorvek' or 'Jorvek:man' or 'Jorvek:man:adult' each;
    where none is given, names are read from sub-folders, or else from captions.

    Raises KindredError or ProblemsError: no photos, files that can't be used (all of them at
    once), nobody named.
    """
    source = scan(folder)
    problems = _problems_of_files(source)
    written = read_captions(source, {photo.name for photo in source.photos}, problems, [])
    problems.raise_if_any()
    characters = people_of(source, written, people)
    if not characters:
        raise KindredError(
            "Kindred can't tell who is in the photos: no sub-folder has a person's name, and no "
            "caption has a made-up name such as Jorvek",
            str(folder),
            f"name the faces with `make who PHOTOS={shlex.quote(str(folder))}`; or, where captions "
            'have the names, write `--people Jorvek:man Amitas:woman` (with make: `NEW="--people '
            '..."`)',
        )
    seen = faces_named(source, characters)
    shown = _shown(source, written, characters, seen)
    captioned = sum(bool(one.text) for one in written.values())
    guessed = tuple(x for x, who in characters.items() if who.noun == UNKNOWN_NOUN)
    left_out = people_not_in(source.people, characters) if source.people else []
    folders: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    if people:  # else everybody whom these name is taken, or people.yaml says who is
        known = [*left_out, *(who.name for who in characters.values())]
        unplaced = [photo for photo in source.photos if not shown[photo.name]]
        folders = _others(_from_folders(unplaced), known)
        captions = _others(_from_captions(written.values()), [*known, *folders])
    return FolderSurvey(
        photos=len(source.photos),
        captioned=captioned,
        characters=characters,
        cells=Counter(map(cell_name, shown.values())),
        guessed=guessed,
        left_out=tuple(left_out),
        folders=folders,
        captions=captions,
        unused=tuple(_unused(source)),
    )


def _problems_of_files(source: Source) -> Problems:
    """Names that can't be used, and photos that can't be decoded."""
    problems = Problems(f"{source.root}: some files can't be used as they are")
    for check in (check_ids, check_inputs):
        try:
            check(source)
        except ProblemsError as error:
            problems.found += error.problems
    # A link to nothing is among those already.
    problems.found += problems_of([photo for photo in source.photos if photo.path.exists()])
    return problems


def _unused(source: Source) -> list[LeftOut]:
    """Files, by their path in the folder, that are not used though nobody decided so in
    people.yaml."""
    aside = {photo.path.with_suffix("") for photo in source.set_aside}
    others = [one for one in source.left_out if one.path.with_suffix("") not in aside]
    return [replace(one, path=one.path.relative_to(source.root)) for one in others]


def survey_lines(found: FolderSurvey, folder: str) -> list[str]:
    """What was found, for a person, and warnings of files and people who are left out."""
    people = listing(f"{who.name} ({x}, {who.noun})" for x, who in found.characters.items())
    photos = counted(found.photos, "photo")
    lines = [f"{photos} of {people}, {found.captioned} with a caption"]
    alike: dict[tuple[str, str, Path | None], list[str]] = {}
    for one in found.unused:  # how many files a folder holds is said of each folder
        kind = (one.why, one.cure, one.path if one.count > 1 else None)
        alike.setdefault(kind, []).append(printable(one.path.as_posix()))
    for (why, cure, _), names in alike.items():
        lines.append(f"warning: {message(listing(names), f'{why}; not used', cure)}")
    for where, names, otherwise in (
        (
            f"{folder}/{NAME_OF_FILE} names",
            found.left_out,
            "leave that option out to take everybody",
        ),
        (f"sub-folders of {folder} seem to name", found.folders, NO_NAMES),
        (f"captions in {folder} seem to name", found.captions, NO_NAMES),
    ):
        if names:
            lines.append(
                f"warning: {where} people who are not in --people, and so not in this experiment: "
                f"{listing(names)}; their faces count as other people's. Name them in --people "
                f"too, or {otherwise}."
            )
    if found.unseen:
        lines.append(
            f"warning: nothing says which photos show {listing(found.unseen)}: {NAME_OF_FILE}, "
            "sub-folders, file names and captions don't name them, so they can't be learned. Run "
            f"`make who PHOTOS={shlex.quote(folder)}`, and this command again with --force."
        )
    return lines


def people_of(
    source: Source, written: Mapping[str, WrittenCaption], people: Sequence[str]
) -> dict[str, Character]:
    """Letter -> who is in a folder: those told, else those of people.yaml, else by the names of
    sub-folders, else by captions; empty where nothing tells.

    Raises KindredError for people who are told wrongly or are too many.
    """
    known = read_people(source.people).people if source.people else {}
    if known and not people:
        return known
    given = [_given(text) for text in people]
    if twice := [x for x, count in Counter(who.name for who in given).items() if count > 1]:
        cure = "give everybody a name of their own"
        raise KindredError(f"two people are called '{twice[0]}'", "--people", cure)
    found = given or _from_folders(source.photos) or _from_captions(written.values())
    return _with_nouns(found, written, known)


def faces_named(source: Source, characters: Mapping[str, Character]) -> dict[str, PhotoEntry]:
    """What people.yaml says of each photo, by its name; empty without one."""
    if source.people is None:
        return {}
    problems = Problems(str(source.root))
    found = in_characters(read_people(source.people), characters, NAME_OF_FILE, problems)
    problems.raise_if_any()
    return found.photos


def _given(text: str) -> Character:
    """'Jorvek:man:adult' as a character."""
    name, _, rest = text.partition(":")
    noun, _, age = rest.partition(":")
    if not NAME.fullmatch(name) or age not in ("", "adult", "child"):
        raise KindredError(
            f"'{text}' does not describe a person",
            "--people",
            "write name:class or name:class:age, such as Jorvek:man:adult; age is adult or child",
        )
    fields = {"name": name, "class": noun or UNKNOWN_NOUN} | ({"age": age} if age else {})
    return Character.model_validate(fields)


def _from_folders(photos: Iterable[Photo]) -> list[Character]:
    """Sub-folders of photos that are called by one word: a person each. A class word behind the
    name, as kohya's tools have it ('10_ada woman'), is the class noun."""
    found = []
    for folder in dict.fromkeys(photo.folder for photo in photos if photo.folder):
        repeats = repeats_of(folder)
        name, _, noun = (repeats.words if repeats else folder).strip().partition(" ")
        if NAME.fullmatch(name) and (not noun or class_nouns(noun, {})):
            found.append(
                Character.model_validate({"name": name, "class": noun.strip() or UNKNOWN_NOUN})
            )
    return found


def _from_captions(written: Iterable[WrittenCaption]) -> list[Character]:
    """Made-up names that stand in several captions, or in `who` entries."""
    counts: Counter[str] = Counter()
    for one in written:
        by_noun = (name for pattern in BY_NOUN for name in pattern.findall(one.text))
        told = (part for part in who_entry(one.who, {})[1] if part[0].isupper() and part[1:])
        counts.update({*TRIGGER.findall(one.text), *by_noun, *told})
    often = sorted((-count, name) for name, count in counts.items() if count >= OFTEN)
    return [Character.model_validate({"name": n, "class": UNKNOWN_NOUN}) for _, n in often]


def _with_nouns(
    people: Sequence[Character],
    written: Mapping[str, WrittenCaption],
    known: Mapping[str, Character],
) -> dict[str, Character]:
    """Letter -> character; class nouns that are not known are those that captions which name
    somebody alone say most often. Whom people.yaml knows keeps the letter that they have there."""
    named: dict[str, Character] = {}
    letters = {who.name: letter for letter, who in known.items()}
    for who in people:
        named[letters.get(who.name) or _letter(who.name, [*named, *known])] = who
    said: dict[str, Counter[str]] = {letter: Counter() for letter in named}
    for one in written.values():
        letters = letters_in(one.text, named)
        if len(letters) == 1:
            nouns = class_nouns(one.text, {})
            said[letters[0]].update(nouns if len(nouns) == 1 else [])
    for letter, who in named.items():
        if who.noun == UNKNOWN_NOUN and said[letter]:
            noun = said[letter].most_common(1)[0][0]
            named[letter] = who.model_copy(update={"noun": noun})
    return named


def _letter(name: str, taken: Iterable[str]) -> str:
    """A letter for somebody: one of the name's, else the first that is free."""
    alphabet = (chr(ord("A") + n) for n in range(26))
    letters = [letter for letter in (*name.upper(), *alphabet) if "A" <= letter <= "Z"]
    free = next((letter for letter in letters if letter not in set(taken)), None)
    if free is None:
        raise KindredError(
            "there are more than 26 people", "--people", "name only those whom you want to train"
        )
    return free


def _others(found: Iterable[Character], known: Sequence[str]) -> tuple[str, ...]:
    """Names that are nobody's who is known, in whichever case."""
    same = {name.casefold() for name in known}
    names = dict.fromkeys(who.name for who in found)
    return tuple(name for name in names if name.casefold() not in same)


def _shown(
    source: Source,
    written: Mapping[str, WrittenCaption],
    characters: Mapping[str, Character],
    seen: Mapping[str, PhotoEntry],
) -> dict[str, list[str]]:
    """Letters of the people whom each photo shows, by its name."""
    spec, shown = CaptionSpec(characters=dict(characters)), {}
    for photo in source.photos:
        one = written.get(photo.name)
        letters = letters_in(one.text, characters) if one and one.text else []
        if not letters:
            entry = seen.get(nfc(photo.name))
            told = hint_of(PurePosixPath(photo.name).as_posix(), one, spec, Problems(), entry)
            letters = told.letters
        shown[photo.name] = letters
    return shown
