"""What lies in a dataset folder: photos, caption files, and things that are neither.

Knows names and suffixes, and the first bytes of what has no known one. One level of sub-folders is
read: a folder's name is a hint who is in its photos.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kindred.common.errors import KindredError, Problems, message
from kindred.common.files import write_text
from kindred.common.sentences import counted
from kindred.common.written_text import is_no_text, nfc
from kindred.data import people_file
from kindred.data.people_file import left_out_of

JPEGS = frozenset({".jpg", ".jpeg", ".jfif"})
HEIFS = frozenset({".heic", ".heif", ".hif", ".avif"})
PHOTOS = JPEGS | HEIFS | {".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"}
RAWS = frozenset({".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef"})
SIDECARS = frozenset({".txt", ".caption"})
TABLES = frozenset({".csv", ".tsv", ".jsonl"})
# Tables of other programs, which may hold the captions.
UNREAD_TABLES = frozenset({".json", ".xlsx", ".xls", ".ods", ".numbers", ".parquet", ".arrow"})
# Settings of kohya's tools, diffusion-pipe and others for a folder of photos.
SETTINGS = frozenset({".toml", ".yaml", ".yml"})
# Pictures of kinds that are not read, so that they are told from what is no picture.
UNREAD = frozenset({".jxl", ".jp2", ".j2k", ".jpx", ".jpe", ".psd", ".svg", ".ico", ".tga", ".exr"})
# What systems, drives and other programs put into folders: names in small letters.
SYSTEM = frozenset(
    {
        "thumbs.db",
        "desktop.ini",
        "__macosx",
        "#recycle",
        "@recycle",
        "@eadir",
        "@tmp",
        "$recycle.bin",
        "recycler",
        "recycle.bin",
        "lost+found",
        "system volume information",
        "#snapshot",
    }
)
# What stands behind (or before) a photo's name in files that belong to it and are no photos.
BESIDE = "masklabel|mask|matte|seg|segmentation|depth|condlabel|thumb|thumbnail|preview"
COMPANION = re.compile(rf"(?:(?P<of>.+)[-_. ](?:{BESIDE})|(?:{BESIDE})[-_. ](?P<to>.+))", re.I)
SIGNATURES = {
    b"\xff\x0a": "JPEG XL",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL",
    b"\x00\x00\x00\x0cjP  ": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"8BPS": "Photoshop",
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG": "PNG",
    b"GIF8": "GIF",
}


@dataclass(frozen=True)
class Photo:
    """A photo file: path relative to the source folder, and the folder it lies in ('' is none)."""

    path: Path
    name: str
    folder: str

    @property
    def id(self) -> str:
        """The file's stem; inside a sub-folder the folder's name stands before it."""
        stem = nfc(Path(self.name).stem)
        return f"{nfc(self.folder)}-{stem}" if self.folder else stem


@dataclass(frozen=True)
class LeftOut:
    """Files of a dataset folder that are not used: the first, why, what to do, and how many."""

    path: Path
    why: str
    cure: str = ""
    count: int = 1

    def __str__(self) -> str:
        return message(str(self.path), f"{self.why}; not used", self.cure)


@dataclass
class Source:
    """The files of a dataset folder, each list sorted by name; `left_out`: what is not used.
    people: people.yaml, where there is one; set_aside: photos that it leaves out, which are in
    `left_out` too."""

    root: Path
    photos: list[Photo] = field(default_factory=list)
    tables: list[Path] = field(default_factory=list)
    sidecars: list[Path] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    people: Path | None = None
    set_aside: list[Photo] = field(default_factory=list)


def scan(root: Path) -> Source:
    """List a dataset folder. Raises KindredError when it does not exist or can't be read, holds no
    photo that is used, or has a people.yaml that can't be read."""
    try:
        return _listed(root)
    except PermissionError as error:
        cure = "give yourself access to it, and to the folders that it lies in"
        place = printable(str(error.filename or root))
        raise KindredError("can't be read: permission denied", place, cure) from None


def _listed(root: Path) -> Source:
    if not root.is_dir():
        cure = "correct the name where you wrote it: in the command, or at the dataset's `source`"
        raise KindredError("no such folder", str(root), cure)
    source = Source(root)
    for entry in _visible(root):
        if entry.is_dir():
            _add_folder(source, entry)
        else:
            _add_file(source, entry, "")
    _set_aside(source)
    _set_companions_apart(source)
    if not source.photos:
        what = f"contains no photo (known endings: {', '.join(sorted(PHOTOS))})"
        raise KindredError(what, str(root), "put photos there, or correct `source` of the dataset")
    return source


def check_ids(source: Source) -> None:
    """Two photos may not share an id, also not on file systems that ignore case.

    Raises ProblemsError naming every such pair.
    """
    same = defaultdict(list)
    for photo in source.photos:
        same[photo.id.casefold()].append(photo)
    problems = Problems(f"{source.root}: some photos have the same name")
    for photos in same.values():
        if len(photos) > 1:
            problems.add(
                " and ".join(photo.name for photo in photos),
                f"would all become the image '{photos[0].id}'",
                "rename all but one, or remove copies in another format",
            )
    problems.raise_if_any()


def check_inputs(source: Source) -> None:
    """Files must be such that Snakemake can take them for inputs: no links to nothing, and none of
    its own signs in names, braces for wildcards and angle brackets for its path variables.

    Raises ProblemsError naming every such file.
    """
    problems = Problems(f"{source.root}: some files can't be used as they are")
    if sign := sign_of_snakemake(str(source.root)):
        cure = "rename the folder without { } < >"
        problems.add(printable(source.root), f"has {sign} in its name", cure)
    own = [source.people] if source.people else []
    for path in [photo.path for photo in source.photos] + source.tables + source.sidecars + own:
        name = path.relative_to(source.root).as_posix()
        if sign := sign_of_snakemake(name):
            problems.add(printable(name), f"has {sign} in its name", "rename it without { } < >")
        elif not _is_text(name):
            what = "has characters in its name that can't be shown"
            problems.add(printable(name), what, "rename it with letters, digits, spaces, - and _")
        if not path.exists():
            problems.add(
                printable(name),
                "is a link to a file that is not there",
                "copy the file here, or remove the link",
            )
    problems.raise_if_any()


def sign_of_snakemake(path: str) -> str:
    """The sign in a path that Snakemake would read as its own, in words; '' for none."""
    return next((words for sign, words in SIGNS.items() if sign in path), "")


SIGNS = {"{": "a brace", "}": "a brace", "<": "an angle bracket", ">": "an angle bracket"}


def _is_text(name: str) -> bool:
    """Whether a name can be written down: it is valid UTF-8 and has no control characters."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return not any(is_no_text(sign) or sign in "\n\r\v\f" for sign in name)


def printable(name: Path | str) -> str:
    """A name as it can be shown, what is no text escaped."""
    text = str(name)
    return text if _is_text(text) else ascii(text)[1:-1]


def dated_in_future(path: Path | str, margin: float = 60) -> bool:
    """Whether a file's date is later than now, as by a camera with a wrong clock: everything made
    from it would look older than it."""
    try:
        return Path(path).stat().st_mtime > time.time() + margin
    except OSError:
        return False


def as_inputs(files: Sequence[Path], record: Path) -> list[str]:
    """The files as Snakemake is told of them. In place of those dated in the future, as by a camera
    with a wrong clock, stands a `record` of their names, sizes and dates, which is written when
    they change: of itself it would take what is made from them for older, again and again."""
    future = [path for path in files if dated_in_future(path)]
    if not future:
        return [str(path) for path in files]
    known = [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in future]
    text = json.dumps(known, indent=1) + "\n"
    if not record.exists() or record.read_text(encoding="utf-8") != text:
        write_text(record, text)
    return [*(str(path) for path in files if path not in future), str(record)]


def _set_aside(source: Source) -> None:
    """Photos that people.yaml leaves out are not used."""
    why = left_out_of(source.people) if source.people else {}
    for photo in list(source.photos):
        if nfc(photo.name) in why:
            source.photos.remove(photo)
            source.set_aside.append(photo)
            reason = f"left out in {people_file.NAME} ({why[nfc(photo.name)]})"
            source.left_out.append(LeftOut(photo.path, reason))


def _set_companions_apart(source: Source) -> None:
    """Masks, thumbnails and previews beside a photo are no photos, and their texts no captions."""
    stems = {(photo.folder, nfc(Path(photo.name).stem).casefold()) for photo in source.photos}
    apart: set[tuple[str, str]] = set()
    for photo in list(source.photos):
        stem = nfc(Path(photo.name).stem)
        match = COMPANION.fullmatch(stem)
        owner = (match["of"] or match["to"]).casefold() if match else ""
        if (photo.folder, owner) in stems:
            source.photos.remove(photo)
            apart.add((photo.folder, stem))
            why = f"belongs to the photo '{owner}' (a mask, a thumbnail or the like)"
            source.left_out.append(LeftOut(photo.path, why))
    apart |= {
        (one.path.parent.name if one.path.parent != source.root else "", nfc(one.path.stem))
        for one in source.left_out
    }
    for path in list(source.sidecars):
        folder = path.parent.name if path.parent != source.root else ""
        if (folder, nfc(path.stem)) in apart:
            source.sidecars.remove(path)
            source.left_out.append(LeftOut(path, "is of a picture that is not used"))


def _visible(folder: Path) -> list[Path]:
    return sorted(
        (
            entry
            for entry in folder.iterdir()
            if not entry.name.startswith(".") and entry.name.lower() not in SYSTEM
        ),
        key=lambda entry: entry.name,
    )


def _add_folder(source: Source, folder: Path) -> None:
    for entry in _visible(folder):
        if entry.is_dir():
            if deep := [path for path in sorted(entry.rglob("*")) if _suffix(path) in PHOTOS]:
                why = f"{counted(len(deep), 'photo lies', 'photos lie')} in a folder of a folder"
                cure = "move them up: Kindred reads one level of folders"
                source.left_out.append(LeftOut(entry, why, cure, len(deep)))
            elif any(entry.iterdir()):
                source.left_out.append(LeftOut(entry, "a folder of a folder, without photos"))
        else:
            _add_file(source, entry, folder.name)


def _suffix(path: Path) -> str:
    return path.suffix.lower()


def _add_file(source: Source, path: Path, folder: str) -> None:
    suffix = _suffix(path)
    if path.name.endswith("truth.json"):  # the lab judge's own file
        return
    if suffix in PHOTOS:
        source.photos.append(Photo(path, path.relative_to(source.root).as_posix(), folder))
    elif suffix in TABLES:
        source.tables.append(path)
    elif suffix in SIDECARS:
        source.sidecars.append(path)
    elif suffix in RAWS:
        source.left_out.append(LeftOut(path, "a raw photo", "export it as JPEG"))
    elif suffix in UNREAD_TABLES:
        cure = (
            "if it contains captions, save it as CSV in UTF-8, or as .jsonl with one JSON object "
            "on each line"
        )
        source.left_out.append(LeftOut(path, "a table of a kind that is not read", cure))
    elif path.name == people_file.NAME and not folder:
        source.people = path
    elif suffix in SETTINGS:
        cure = (
            "put these settings into the experiment; for repeats, use `balance` or `per_cell` of "
            "a variant"
        )
        source.left_out.append(LeftOut(path, "settings of another tool, not followed", cure))
    elif kind := _picture_kind(path):
        cure = f"convert it to JPEG or PNG; if it is a JPEG already, rename it to {path.stem}.jpg"
        source.left_out.append(
            LeftOut(path, f"a picture of a kind that is not read ({kind})", cure)
        )
    else:
        source.left_out.append(LeftOut(path, "neither photo nor captions"))


def _picture_kind(path: Path) -> str:
    """What kind of picture a file is by its first bytes or its name; '' for none."""
    try:
        with open(path, "rb") as file:
            head = file.read(12)
    except OSError:
        head = b""
    found = next((kind for start, kind in SIGNATURES.items() if head.startswith(start)), "")
    return found or (path.suffix if _suffix(path) in UNREAD else "")
