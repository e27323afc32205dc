"""Who is who in a folder of photos: faces found, named, and what people decided kept.

Brings together people.yaml, names of folders and files, and the judge of faces. What a person
decided is never changed; what the judge says is said anew each time.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from kindred.characters.face_calibration import STRANGER, UNSURE
from kindred.characters.face_naming import FolderNaming, Question, name_folder
from kindred.common.errors import KindredError, Problems
from kindred.common.files import read_jsonl
from kindred.common.sentences import counted
from kindred.common.written_text import nfc
from kindred.data import people_file
from kindred.data.caption_files import read_captions
from kindred.data.caption_records import hint_of
from kindred.data.caption_tables import WrittenCaption
from kindred.data.image_quality import near_copies
from kindred.data.people_file import PeopleFile, PhotoEntry, PlacedFace, read_people
from kindred.data.photo_faces import PhotoFaces, faces_of
from kindred.data.photo_folder import Source, check_ids, check_inputs, scan
from kindred.judges.face_geometry import FaceEngine
from kindred.specs.character import NOBODY, Character
from kindred.specs.dataset import CaptionSpec, PreprocessSpec
from kindred.starting.folder_survey import people_of

FILE_DIGITS = 12
LIMITS = PreprocessSpec()
# Quarter turns to the left that bring a photo upright -> how it lies.
LIES = {
    1: "on its side; turn it to the left",
    2: "upside down; turn it by half",
    3: "on its side; turn it to the right",
}


@dataclass
class WhoIsWho:
    """A folder with its faces and all that is known of them.

    photos: all of the folder, left out or not. file: people.yaml as it is to be. rows: (photo,
    face) of each face that can be read, as `naming` counts them. captions: what people or a
    captioner wrote, by photo. suggested: photos that could be left out or turned, with the reason.
    """

    folder: Path
    photos: list[PhotoFaces]
    file: PeopleFile
    hints: dict[str, list[str]]
    captions: dict[str, str]
    calibration: tuple[np.ndarray, float]
    rows: list[tuple[int, int]] = field(default_factory=list)
    naming: FolderNaming | None = None
    suggested: dict[str, str] = field(default_factory=dict)
    saved: str = ""

    @property
    def path(self) -> Path:
        """Of people.yaml."""
        return self.folder / people_file.NAME

    @property
    def questions(self) -> list[Question]:
        """What is to be asked."""
        return self.naming.questions if self.naming else []

    def counts(self) -> dict[str, int]:
        """Faces that are named, between two names, other people's, and that can't be read."""
        faces = [face for entry in self.used.values() for face in entry.faces]
        named, open_ = sum(bool(f.letter) for f in faces), sum(f.unsure for f in faces)
        unread = sum(f.who in people_file.UNREAD for f in faces)
        others = len(faces) - named - open_ - unread
        return {"named": named, "to decide": open_, "other people": others, "unreadable": unread}

    @property
    def used(self) -> dict[str, PhotoEntry]:
        """Entries of photos that are there and not left out."""
        there = {nfc(photo.name) for photo in self.photos}
        return {x: e for x, e in self.file.photos.items() if x in there and not e.left_out}

    def name(self) -> None:
        """Name all faces by what is decided now, and write the judge's words into `file`."""
        self.rows = [
            (n, k)
            for n, photo in enumerate(self.photos)
            for k, why in enumerate(photo.unread)
            if not why
        ]
        vectors = [self.photos[n].embeddings[k] for n, k in self.rows]
        population, usual = self.calibration
        self.naming = name_folder(
            np.stack(vectors) if vectors else np.zeros((0, population.shape[1])),
            [n for n, _ in self.rows],
            dict(self._decided()),
            dict(self._hinted()),
            population,
            usual,
            [row for row, face in enumerate(self._faces()) if face.who == people_file.LATER],
        )
        self._write_answers()

    def _entry(self, photo: int) -> PhotoEntry:
        return self.file.photos[nfc(self.photos[photo].name)]

    def _decided(self) -> Iterator[tuple[int, str]]:
        for row, face in enumerate(self._faces()):
            if face.decided and face.who != people_file.LATER:
                yield row, face.letter or NOBODY

    def _faces(self) -> Iterator[PlacedFace]:
        """The faces that can be read, a row each."""
        return (self._entry(photo).faces[face] for photo, face in self.rows)

    def _hinted(self) -> Iterator[tuple[int, str]]:
        """Faces of photos whose folder, file or caption names one person, and that show one."""
        for row, (photo, _) in enumerate(self.rows):
            letters = self.hints.get(self.photos[photo].name, [])
            if len(letters) == 1 and len(self.photos[photo].boxes) == 1:
                yield row, letters[0]

    def _write_answers(self) -> None:
        words = {
            (n, k): why for n, photo in enumerate(self.photos) for k, why in enumerate(photo.unread)
        }
        assert self.naming is not None
        asked = {row for question in self.naming.questions for row in question.faces}
        for row, place in enumerate(self.rows):
            answer = self.naming.answers[row]
            words[place] = {
                UNSURE: people_file.MAYBE + answer.who,
                STRANGER: people_file.UNDECIDED if row in asked else people_file.STRANGER,
            }.get(answer.state, answer.who + people_file.SURE)
        for n, photo in enumerate(self.photos):
            entry = self._entry(n)
            faces = tuple(
                face if face.decided else replace(face, who=words[n, k])
                for k, face in enumerate(entry.faces)
            )
            self.file.photos[nfc(photo.name)] = replace(entry, faces=faces)

    def decide(self, photo: str, face: int, word: str) -> None:
        """A person's word for a face: a letter or NOBODY; '' takes it back."""
        entry = self.file.photos[photo]
        faces = list(entry.faces)
        faces[face] = replace(faces[face], who=word or people_file.UNDECIDED)
        self.file.photos[photo] = replace(entry, faces=tuple(faces))

    def save(self) -> None:
        """Write people.yaml."""
        people_file.write_people(self.path, self.file)
        self.saved = people_file.people_text(self.file)

    def reload(self) -> None:
        """Take in what somebody else wrote into people.yaml since it was saved. Raises
        ProblemsError for mistakes in it."""
        if self.path.exists() and self.path.read_text(encoding="utf-8") != self.saved:
            self.file = read_people(self.path)
            self.file.photos = _entries(self.file.photos, self.photos)


def who_is_who(
    folder: Path,
    engine: FaceEngine,
    people: Sequence[str],
    store: Path,
    captioned: Callable[[Source], Mapping[str, str]] = lambda source: {},
) -> WhoIsWho:
    """Look through a folder and name its faces. people: as `survey` takes them.
    captioned: what a captioner wrote, by photo.

    Raises KindredError or ProblemsError: no photos, files that can't be used, a judge that has no
    population of strangers.
    """
    known = engine.calibration
    if known.population is None or known.same is None:
        raise KindredError(
            f"the face engine '{engine.identity}' can't tell strangers from people whom it knows",
            "judge",
            "use the judge 'photo'",
        )
    source = scan(folder)
    source.photos = sorted([*source.photos, *source.set_aside], key=lambda photo: photo.name)
    check_ids(source)
    check_inputs(source)
    problems = Problems(f"{folder}: captions")
    written = read_captions(source, {photo.name for photo in source.photos}, problems, [])
    problems.raise_if_any()
    file = read_people(source.people) if source.people else PeopleFile()
    file.people = _all_people(file.people, people_of(source, written, people))
    photos = list(faces_of(source.photos, engine, store))
    file.photos = _entries(file.photos, photos)
    captions = dict(captioned(source)) | {x: one.text for x, one in written.items() if one.text}
    hints = {photo.name: _hint(photo.name, written, file.people) for photo in source.photos}
    found = WhoIsWho(folder, photos, file, hints, captions, (known.population, known.same))
    found.suggested = _suggested(photos)
    found.name()
    return found


def _all_people(
    known: Mapping[str, Character], told: Mapping[str, Character]
) -> dict[str, Character]:
    """Those of people.yaml, and those told beside them who have other names; told nouns win."""
    letters = {who.name: letter for letter, who in known.items()}
    result = dict(known)
    for letter, who in told.items():
        own = letters.get(who.name) or free_letter(result, letter)
        result[own] = who
    return result


def free_letter(taken: Mapping[str, Character], wanted: str) -> str:
    """The letter wanted, or the first that nobody has. Raises KindredError for more than 26
    people."""
    alphabet = (chr(ord("A") + n) for n in range(26))
    found = next((x for x in (wanted[:1].upper(), *alphabet) if x.isalpha() and x not in taken), "")
    if not found:
        cure = "name only those whom you want to train"
        raise KindredError("there are more than 26 people", people_file.NAME, cure)
    return found


def _hint(
    name: str, written: Mapping[str, WrittenCaption], people: Mapping[str, Character]
) -> list[str]:
    spec = CaptionSpec(characters=dict(people))
    return hint_of(name, written.get(name), spec, Problems()).letters if people else []


def _entries(
    known: Mapping[str, PhotoEntry], photos: Sequence[PhotoFaces]
) -> dict[str, PhotoEntry]:
    """An entry a photo, with what was decided: by its name, else by its content where it was
    renamed. Entries of photos that are gone stay where a person decided something."""
    names = {nfc(photo.name) for photo in photos}
    moved = {one.file: one for x, one in known.items() if one.file and x not in names}
    result, used = {}, set()
    for photo in photos:
        digits = photo.sha256[:FILE_DIGITS]
        old = known.get(nfc(photo.name)) or moved.get(digits) or PhotoEntry()
        used.add(old.file)
        lies = LIES.get(photo.turns, "")
        result[nfc(photo.name)] = replace(old, file=digits, faces=_placed(photo, old), lies=lies)
    gone = {x: e for x, e in known.items() if x not in names and e.by_hand and e.file not in used}
    return result | gone


def _placed(photo: PhotoFaces, old: PhotoEntry) -> tuple[PlacedFace, ...]:
    """The photo's faces, each with what a person decided of the one that was where it is."""
    faces, taken = [], set()
    for box, why in zip(photo.boxes, photo.unread, strict=True):
        middle = (round(50 * (box[0] + box[2])), round(50 * (box[1] + box[3])))
        inside = [
            n
            for n, face in enumerate(old.faces)
            if n not in taken and face.decided and _holds(box, face.at)
        ]
        near = min(inside, key=lambda n: _apart(old.faces[n].at, middle), default=None)
        if near is not None:
            taken.add(near)
        word = old.faces[near].who if near is not None else why or people_file.UNDECIDED
        faces.append(PlacedFace(word, middle))
    return tuple(faces)


def _holds(box: Sequence[float], at: tuple[int, int]) -> bool:
    x, y = at[0] / 100, at[1] / 100
    slack = 0.01
    return box[0] - slack <= x <= box[2] + slack and box[1] - slack <= y <= box[3] + slack


def _apart(one: tuple[int, int], other: tuple[int, int]) -> int:
    return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2


def _suggested(photos: Sequence[PhotoFaces]) -> dict[str, str]:
    """Photos that could be turned, because no face in them stands upright, or be left out: the
    blurred, smaller or later one of two that are nearly the same, small, blurred, and those in
    which no face is found. What most photos are is no reason to leave them out."""
    small = [n for n, photo in enumerate(photos) if min(photo.size) < LIMITS.min_side]
    blurred = [n for n, photo in enumerate(photos) if photo.sharpness < LIMITS.min_sharpness]
    order = sorted(range(len(photos)), key=lambda n: (n in blurred, -math.prod(photos[n].size), n))
    hashes = [photos[n].perceptual_hash for n in order]
    pairs = reversed(near_copies(hashes, LIMITS.near_duplicate))
    alike = {order[j]: photos[order[i]].name for i, j, _ in pairs}
    reasons: list[dict[int, str]] = [
        {n: f"nearly the same as {name}" for n, name in alike.items()},
        {n: f"small: {photos[n].size[0]} x {photos[n].size[1]} px" for n in small},
        dict.fromkeys(blurred, "blurred"),
        {n: "no face found" for n, photo in enumerate(photos) if not photo.boxes},
    ]
    found = {nfc(x.name): f"lies {LIES[x.turns]}" for x in photos if x.turns}
    for one in reasons:
        for n, why in one.items() if 2 * len(one) <= len(photos) else ():
            found.setdefault(nfc(photos[n].name), why)
    return found


def described(root: Path) -> Callable[[Source], Mapping[str, str]]:
    """What captioners wrote of a folder's photos in the dataset that is called like it, by the
    photo's path in the folder."""

    def captions(source: Source) -> Mapping[str, str]:
        file = root / "resources" / source.root.resolve().name / "captions.jsonl"
        if not file.exists():
            return {}
        written = {row["photo"]: row["caption"] for row in read_jsonl(file)}
        return {photo.name: written[photo.id] for photo in source.photos if photo.id in written}

    return captions


def report_lines(found: WhoIsWho, page: Path, folder: str) -> list[str]:
    """What came of it and what to do next, for a person."""
    counts = ", ".join(f"{count} {what}" for what, count in found.counts().items())
    typed = shlex.quote(folder)
    photos = counted(len(found.photos), "photo")
    lines = [f"{photos}; faces: {counts}", f"wrote {found.path} and {page}"]
    if found.questions:
        lines.append(f"to decide: {counted(len(found.questions), 'question')}")
        lines.append(f"next: make who PHOTOS={typed}; or open {page}, save")
        return [*lines, f"      people.yaml there, put it into {folder}, and run this again"]
    return [*lines, f"next: make new PHOTOS={typed}"]
