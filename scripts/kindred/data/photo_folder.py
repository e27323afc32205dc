"""What lies in a dataset folder: photos, caption files, and things that are neither.

Knows names and suffixes; opens no file. One level of sub-folders is read: a folder's name is a
hint who is in its photos.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from kindred.common.errors import KindredError, Problems

JPEGS = frozenset({".jpg", ".jpeg", ".jfif"})
HEIFS = frozenset({".heic", ".heif", ".hif", ".avif"})
PHOTOS = JPEGS | HEIFS | {".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"}
RAWS = frozenset({".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef"})
SIDECARS = frozenset({".txt", ".caption"})
TABLES = frozenset({".csv", ".tsv", ".jsonl"})
SYSTEM = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


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


@dataclass
class Source:
    """The files of a dataset folder, each list sorted by name; `strangers` are of no use here."""

    root: Path
    photos: list[Photo] = field(default_factory=list)
    tables: list[Path] = field(default_factory=list)
    sidecars: list[Path] = field(default_factory=list)
    strangers: list[Path] = field(default_factory=list)


def nfc(text: str) -> str:
    """One spelling of accented letters: file systems and spreadsheets differ in it."""
    return unicodedata.normalize("NFC", text)


def scan(root: Path) -> Source:
    """List a dataset folder. Raises KindredError when it does not exist or holds no photo."""
    if not root.is_dir():
        raise KindredError("no such folder", str(root), "check `source` of the dataset")
    source = Source(root)
    for entry in _visible(root):
        if entry.is_dir():
            _add_folder(source, entry)
        else:
            _add_file(source, entry, "")
    if not source.photos:
        what = f"holds no photo (known: {', '.join(sorted(PHOTOS))})"
        raise KindredError(what, str(root), "put photos there, or check `source` of the dataset")
    return source


def check_ids(source: Source) -> None:
    """Two photos may not share an id, also not on file systems that ignore case.

    Raises ProblemsError naming every such pair.
    """
    same = defaultdict(list)
    for photo in source.photos:
        same[photo.id.casefold()].append(photo)
    problems = Problems(f"{source.root}: photos with the same name")
    for photos in same.values():
        if len(photos) > 1:
            problems.add(
                " and ".join(photo.name for photo in photos),
                f"would all become image '{photos[0].id}'",
                "rename all but one, or remove copies in another format",
            )
    problems.raise_if_any()


def check_inputs(source: Source) -> None:
    """Files must be such that Snakemake can take them for inputs: no links to nothing, and no
    braces in names, its sign for wildcards.

    Raises ProblemsError naming every such file.
    """
    problems = Problems(f"{source.root}: files that can't be used as they are")
    if set("{}") & set(str(source.root)):
        problems.add(str(source.root), "has a brace in its name", "rename the folder without { }")
    for path in [photo.path for photo in source.photos] + source.tables + source.sidecars:
        name = path.relative_to(source.root).as_posix()
        if set("{}") & set(name):
            problems.add(name, "has a brace in its name", "rename it without { }")
        if not path.exists():
            problems.add(
                name, "is a link to a file that is not there", "copy the file, or remove it"
            )
    problems.raise_if_any()


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
            source.strangers.append(entry)
        else:
            _add_file(source, entry, folder.name)


def _add_file(source: Source, path: Path, folder: str) -> None:
    suffix = path.suffix.lower()
    if path.name.endswith("truth.json"):  # the lab judge's own file
        return
    if suffix in PHOTOS:
        source.photos.append(Photo(path, path.relative_to(source.root).as_posix(), folder))
    elif suffix in TABLES:
        source.tables.append(path)
    elif suffix in SIDECARS:
        source.sidecars.append(path)
    else:
        source.strangers.append(path)
