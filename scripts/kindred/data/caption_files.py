"""Reads the captions that people write: CSV in any usual form, metadata.jsonl, a .txt per photo.

Knows how captions are stored and matched to photos by name; not who is in them.
"""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from kindred.common.errors import Problems, did_you_mean
from kindred.data.photo_folder import Source, nfc

FILE_KEYS = ("filename", "file_name", "file", "image", "image_file", "img", "photo", "path")
TEXT_KEYS = ("label", "text", "caption", "prompt", "description")
WHO_KEYS = ("who", "people", "characters", "person")
PLAIN_TEXTS = frozenset({"readme", "license", "licence", "notes", "todo", "changelog"})


@dataclass(frozen=True)
class WrittenCaption:
    """What a file says about one photo: caption ('' is none), `who` entry, and where it stands."""

    text: str
    who: str
    where: str


class PhotoIndex:
    """Finds the photo that a caption file means: by path, by file name, or by name without suffix.

    Letters' case and the two Unicode spellings of accents make no difference.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = list(names)
        self._by_key: dict[str, set[str]] = defaultdict(set)
        for name in self.names:
            path = PurePosixPath(name)
            for key in {name, path.name, path.stem, str(path.with_suffix(""))}:
                self._by_key[nfc(key).casefold()].add(name)

    def find(self, written: str) -> str | None:
        """The photo's name, or None when there is none or several would fit."""
        path = PurePosixPath(nfc(written).strip().replace("\\", "/")).as_posix().casefold()
        for key in (path, PurePosixPath(path).name):
            if len(found := self._by_key.get(key, set())) == 1:
                return next(iter(found))
        return None

    def explain(self, written: str) -> str:
        """What to do about a name that was not found."""
        key = PurePosixPath(nfc(written).replace("\\", "/")).name.casefold()
        fits = sorted(self._by_key.get(key, set()))
        if len(fits) > 1:
            return f"several photos fit, write the path: {' or '.join(fits)}"
        hint = did_you_mean(written, self.names)
        return hint if hint.startswith("did") else "add the photo, or remove the line"


def read_captions(
    source: Source, names: Iterable[str], problems: Problems, doubts: list[str]
) -> dict[str, WrittenCaption]:
    """Everything that caption files say, by the photo's name (path in the source folder).

    Adds to `problems`: files that can't be read, captions of photos that do not exist, two
    different captions of one photo. Adds to `doubts`: text files that belong to no photo.
    """
    index = PhotoIndex(names)
    found: dict[str, WrittenCaption] = {}
    rows = [row for path in source.tables for row in read_table(path, source.root, problems)]
    rows += _sidecars(source, index, problems, doubts)
    for file_name, written in rows:
        name = index.find(file_name)
        if name is None:
            problems.add(written.where, f"no photo '{file_name}'", index.explain(file_name))
        else:
            found[name] = _merge(found.get(name), written, name, problems)
    return found


def read_table(path: Path, root: Path, problems: Problems) -> Iterator[tuple[str, WrittenCaption]]:
    """(file name as written, what is said) for each row of a CSV, TSV or JSON-lines file."""
    label = path.relative_to(root).as_posix()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        problems.add(label, "is not in UTF-8", "save it as 'CSV UTF-8', or convert it")
        return
    folder = path.parent.relative_to(root).as_posix()
    records = (
        _json_lines(text, label, problems)
        if path.suffix.lower() == ".jsonl"
        else _csv_rows(text, label, problems)
    )
    for where, record in records:
        file_name = _value(record, FILE_KEYS)
        if not file_name:
            problems.add(where, "names no image file", f"a column may be {' or '.join(FILE_KEYS)}")
            continue
        if folder != "." and "/" not in file_name:
            file_name = f"{folder}/{file_name}"
        yield (
            file_name,
            WrittenCaption(clean(_value(record, TEXT_KEYS)), _value(record, WHO_KEYS), where),
        )


def clean(text: str) -> str:
    """One line, single spaces, one Unicode spelling."""
    return nfc(" ".join(text.split()))


def _csv_rows(text: str, label: str, problems: Problems) -> Iterator[tuple[str, dict[str, Any]]]:
    header = text.lstrip().splitlines()[0] if text.strip() else ""
    delimiter = max(",;\t", key=header.count)
    end = _unclosed(text, delimiter)
    if end is not None:
        cure = 'close it; a quote inside a quoted caption is written twice: ""'
        problems.add(f"{label}:{end}", 'a quote (") is opened here and not closed', cure)
    before = text if end is None else "\n".join(text.split("\n")[: end - 1])
    reader = csv.reader(io.StringIO(before), delimiter=delimiter)
    keys: list[str] = []
    for fields in reader:
        if not any(field.strip() for field in fields):
            continue
        if not keys:
            keys = [_key(field) for field in fields]
            if not _header_is_right(keys, label, problems):
                return
        elif len(fields) > len(keys):
            problems.add(
                f"{label}:{reader.line_num}",
                f"has {len(fields)} fields, the header has {len(keys)}",
                'put captions with commas in quotes: "..."',
            )
        else:
            yield f"{label}:{reader.line_num}", dict(zip(keys, fields, strict=False))


def _unclosed(text: str, delimiter: str) -> int | None:
    """The line on which a row begins whose quote is not closed, or closed rows later; None when
    there is none. A lenient reader would take all that follows for one caption."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    start = 1
    while True:
        try:
            next(reader)
        except StopIteration:
            return None
        except csv.Error as error:
            # A letter behind a closing quote is forgiven, if nothing but its own line is at stake.
            if reader.line_num > start or "expected after" not in str(error):
                return start
        start = reader.line_num + 1


def _header_is_right(keys: list[str], label: str, problems: Problems) -> bool:
    missing = [] if set(keys) & set(FILE_KEYS) else [f"file ({', '.join(FILE_KEYS)})"]
    if not set(keys) & {*TEXT_KEYS, *WHO_KEYS}:
        missing.append(f"caption ({', '.join(TEXT_KEYS)})")
    if missing:
        problems.add(
            f"{label}:1",
            f"the header names no column for the {' and no column for the '.join(missing)}",
            "write e.g. Filename,Label",
        )
    return not missing


def _json_lines(text: str, label: str, problems: Problems) -> Iterator[tuple[str, dict[str, Any]]]:
    # Not splitlines: inside a string, JSON allows U+2028 and other ends of lines as they are.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            problems.add(f"{label}:{number}", f"is no JSON ({error.msg})", "one object a line")
            continue
        if isinstance(record, dict):
            yield f"{label}:{number}", {_key(key): value for key, value in record.items()}
        else:
            problems.add(f"{label}:{number}", "is no JSON object", 'write {"file_name": ...}')


def _sidecars(
    source: Source, index: PhotoIndex, problems: Problems, doubts: list[str]
) -> Iterator[tuple[str, WrittenCaption]]:
    """Captions beside their photos. A text without a photo is an orphan if others have one."""
    orphans = []
    for path in source.sidecars:
        label = path.relative_to(source.root).as_posix()
        if index.find(label.removesuffix(path.suffix)) is None or path.stem.lower() in PLAIN_TEXTS:
            orphans.append((label, path.stem.lower() in PLAIN_TEXTS))
            continue
        try:
            text = clean(path.read_text(encoding="utf-8-sig"))
        except UnicodeDecodeError:
            problems.add(label, "is not in UTF-8", "save it as UTF-8")
            continue
        yield label.removesuffix(path.suffix), WrittenCaption(text, "", label)
    in_use = len(orphans) < len(source.sidecars)
    for label, plain in orphans:
        if in_use and not plain:
            stem = label.rsplit(".", 1)[0]
            problems.add(label, "is a caption without a photo", index.explain(stem))
        else:
            doubts.append(f"{label}: neither photo nor the caption of one; not used")


def _merge(
    old: WrittenCaption | None, new: WrittenCaption, name: str, problems: Problems
) -> WrittenCaption:
    """Two places may speak of one photo, as long as they do not contradict each other."""
    if old is None:
        return new
    for what, one, other in (("captions", old.text, new.text), ("`who`", old.who, new.who)):
        if one and other and one != other:
            problems.add(new.where, f"'{name}' has other {what} in {old.where}", "keep one of them")
    return WrittenCaption(
        old.text or new.text, old.who or new.who, old.where if old.text else new.where
    )


def _key(field: str) -> str:
    return field.strip().casefold().replace(" ", "_").replace("-", "_")


def _value(record: dict[str, Any], keys: tuple[str, ...]) -> str:
    """The first of several keys that holds something; lists (`who`) are joined by commas."""
    for key in keys:
        value = record.get(key)
        if isinstance(value, list):
            value = ", ".join(str(item) for item in value)
        if value is not None and str(value).strip():
            return str(value).strip()
    return ""
