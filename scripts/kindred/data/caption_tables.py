"""Tables that say captions: CSV, TSV and JSON lines, as rows of (file name, what is said).

A table has a header with a column for files and one for captions or `who`. Nothing that a person
wrote is dropped in silence: rows of another length than the header, text in a column that is not
read, values that are no text and quotes left open are problems with their line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kindred.common.errors import KindredError, Problems
from kindred.common.sentences import counted
from kindred.common.written_text import check_text, nfc, read_written_text
from kindred.data.photo_folder import PHOTOS

FILE_KEYS = ("filename", "file_name", "file", "image", "image_file", "img", "photo", "path")
# In this order: where several hold something, the first is the caption.
TEXT_KEYS = ("text", "caption", "prompt", "description", "label")
SURE_KEYS = frozenset({"text", "caption"})  # nothing else is ever called so
WHO_KEYS = ("who", "people", "characters", "person")
READ = frozenset({*FILE_KEYS, *TEXT_KEYS, *WHO_KEYS})
JSON_KINDS = {list: "a list", dict: "an object", bool: "true or false"}
QUOTE = 'put captions with commas in quotes: "..."'
ENDS = re.compile(r"\r\n|\r|\n")
PICTURE = re.compile(rf"({'|'.join(map(re.escape, sorted(PHOTOS)))})\b", re.I)
Record = dict[str, str]


@dataclass(frozen=True)
class WrittenCaption:
    """What a file says about one photo: caption ('' is none), `who` entry, where it stands, and
    what a reader should know of how it was read."""

    text: str
    who: str
    where: str
    notes: tuple[str, ...] = ()


def clean(text: str) -> str:
    """One line, single spaces, one Unicode spelling."""
    return nfc(" ".join(text.split()))


def read_table(path: Path, root: Path, problems: Problems) -> Iterator[tuple[str, WrittenCaption]]:
    """(file name as written, what is said) for each row of a CSV, TSV or JSON-lines file. Names in
    a sub-folder's table are of that folder."""
    label = path.relative_to(root).as_posix()
    try:
        text = read_written_text(path, label)
    except KindredError as error:
        problems.add_error(label, error)
        return
    folder = path.parent.relative_to(root).as_posix()
    read = _json_lines if path.suffix.lower() == ".jsonl" else _csv_rows
    for where, record in read(text, label, problems):
        file_name = next((record[key] for key in FILE_KEYS if record.get(key, "").strip()), "")
        if not file_name:
            problems.add(
                where,
                "does not say which photo it is about",
                f"fill in a column called {' or '.join(FILE_KEYS)}",
            )
            continue
        if folder != "." and "/" not in file_name:
            file_name = f"{folder}/{file_name}"
        said, notes = _caption(record, where, problems)
        who = next((record[key].strip() for key in WHO_KEYS if record.get(key, "").strip()), "")
        try:  # JSON can spell any character
            check_text(said + who + file_name, where)
        except KindredError as error:
            problems.add_error(where, error)
            continue
        yield file_name, WrittenCaption(clean(said), who, where, notes)


def _caption(
    record: Mapping[str, str], where: str, problems: Problems
) -> tuple[str, tuple[str, ...]]:
    """The caption, and a note where another column could have been it."""
    filled = [key for key in TEXT_KEYS if record.get(key, "").strip()]
    others = [key for key in filled if clean(record[key]) != clean(record[filled[0]])]
    if not others:
        return (record[filled[0]] if filled else ""), ()
    named = " and ".join(f"'{key}'" for key in [filled[0], *others])
    if filled[0] not in SURE_KEYS or SURE_KEYS & set(others):
        what = f"{named} say different things, and each could be the caption"
        problems.add(
            where, what, "keep one of these columns, or rename the caption's column to `text`"
        )
        return "", ()
    return record[filled[0]], (f"{named} say different things; '{filled[0]}' is the caption",)


def _csv_rows(text: str, label: str, problems: Problems) -> Iterator[tuple[str, Record]]:
    header = re.split(r"[\r\n]", text.lstrip())[0]
    delimiter = max(",;\t", key=header.count)
    rows = _rows(text, delimiter, label, problems)
    table = [(line, row) for line, row in rows if any(field.strip() for field in row)]
    keys = [_key(field) for field in (table.pop(0)[1] if table else [])]
    if not _header_is_right(keys, label, problems):
        return
    free = _free_columns(keys, [fields for _, fields in table])
    for line, fields in table:
        where = f"{label}:{line}"
        if len(fields) != len(keys):
            what = f"has {counted(len(fields), 'field')}, but the header has {len(keys)}"
            cure = QUOTE if len(fields) > len(keys) else "write a field for every column"
            problems.add(where, what, cure)
        elif lost := [n for n in free if fields[n].strip()]:
            column = f"column '{keys[lost[0]]}'" if keys[lost[0]] else "a column without a name"
            what = f"has text in {column}, which is not read: '{fields[lost[0]].strip()}'"
            problems.add(where, what, f"{QUOTE}; or remove the column")
        else:
            yield where, {key: nfc(field) for key, field in zip(keys, fields, strict=True) if key}


def _rows(
    text: str, delimiter: str, label: str, problems: Problems
) -> Iterator[tuple[int, list[str]]]:
    """(line, fields) of every row: the line that it ends on. Spaces around quotes are none of the
    field, others are.

    Unlike Python's csv, which takes what stands behind a closing quote for a part of the field, and
    a quote left open for a caption of all that follows, both are problems; reading ends there.
    """
    sign = re.escape(delimiter)
    blank = "[^\\S\\r\\n]*" if delimiter != "\t" else " *"
    quoted = re.compile(f'{blank}"([^"]*(?:""[^"]*)*)"{blank}(?=[{sign}\\r\\n]|\\Z)')
    plain = re.compile(f"[^{sign}\\r\\n]*")
    opened = re.compile(f'{blank}"')
    at, line, fields = 0, 1, []
    while at <= len(text):
        begin = at
        found = quoted.match(text, at)
        if found and not _swallows_rows(found[1]):
            fields.append(found[1].replace('""', '"'))
        elif opened.match(text, at):
            problems.add(f"{label}:{line}", *_wrong_quote(text, at))
            return
        else:
            found = plain.match(text, at)
            fields.append(found[0])
        at = found.end()
        line += len(ENDS.findall(text, begin, at))
        if text.startswith(delimiter, at):
            at += 1
            continue
        yield line, fields
        end = ENDS.match(text, at)
        at, line, fields = (end.end() if end else at + 1), line + 1, []


def _swallows_rows(quoted: str) -> bool:
    """Whether a quoted text names a picture on a later line: the quote of another row closed it."""
    return any(PICTURE.search(line) for line in ENDS.split(quoted)[1:])


def _wrong_quote(text: str, at: int) -> tuple[str, str]:
    """What is wrong with a field that begins with a quote, and the cure."""
    twice = 'a quote inside a quoted caption is written twice: ""'
    rest = ENDS.split(text[at:], maxsplit=1)[0]
    if rest.count('"') > 1:
        return 'text follows a closing quote (")', f"put the whole field in quotes; {twice}"
    return 'a quote (") opens here and does not close', f"close it; {twice}"


def _free_columns(keys: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """Columns in which the rest of a caption without quotes may have landed: not read, behind the
    caption, and not a column of numbers with one in every row."""
    captions = [n for n, key in enumerate(keys) if key in TEXT_KEYS]
    rest = [n for n, key in enumerate(keys) if key not in READ and captions and n > captions[0]]
    whole = [fields for fields in rows if len(fields) == len(keys)]
    return [n for n in rest if not all(_is_number(fields[n]) for fields in whole)]


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _header_is_right(keys: list[str], label: str, problems: Problems) -> bool:
    missing = [] if set(keys) & set(FILE_KEYS) else [f"file ({', '.join(FILE_KEYS)})"]
    if not set(keys) & {*TEXT_KEYS, *WHO_KEYS}:
        missing.append(f"caption ({', '.join(TEXT_KEYS)})")
    if missing:
        problems.add(
            f"{label}:1",
            f"the header has no column for the {' and no column for the '.join(missing)}",
            "write a header such as `file_name,text`",
        )
    twice = sorted({key for key in keys if key and keys.count(key) > 1})
    if twice:
        problems.add(f"{label}:1", f"the header has '{twice[0]}' twice", "rename one of them")
    return not missing and not twice


def _json_lines(text: str, label: str, problems: Problems) -> Iterator[tuple[str, Record]]:
    # Not splitlines: inside a string, JSON allows U+2028 and other ends of lines as they are.
    for number, line in enumerate(text.split("\n"), 1):
        where = f"{label}:{number}"
        if not line.strip():
            continue
        try:
            record = json.loads(line, object_pairs_hook=_Object)
        except json.JSONDecodeError as error:
            problems.add(
                where, f"is not valid JSON ({error.msg})", "write one JSON object on each line"
            )
            continue
        if not isinstance(record, dict):
            problems.add(
                where, "is not a JSON object", 'write `{"file_name": "...", "text": "..."}`'
            )
            continue
        if record.twice:
            problems.add(where, f"has `{record.twice}` twice", "keep one of them")
            continue
        texts = _texts(record, where, problems)
        if texts is not None:
            yield where, texts


class _Object(dict[str, Any]):
    """An object of JSON; `twice`: a key that is read and stands in it twice ('' for none), of which
    JSON's readers keep the last alone."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        keys = [_key(name) for name, _ in pairs]
        self.twice = next((key for key in keys if key in READ and keys.count(key) > 1), "")


def _texts(record: Mapping[str, Any], where: str, problems: Problems) -> Record | None:
    """The values that are read, as text; a list only where it says who is there. None after noting
    what is none."""
    found, wrong = {}, False
    for name, value in record.items():
        key = _key(name)
        if key not in READ or value is None:
            continue
        if key in WHO_KEYS and isinstance(value, list) and all(isinstance(x, str) for x in value):
            value = ", ".join(value)
        if isinstance(value, str):
            found[key] = nfc(value)
        else:
            kinds = (words for kind, words in JSON_KINDS.items() if isinstance(value, kind))
            kind = next(kinds, "a number")
            allowed = "a text or a list of texts" if key in WHO_KEYS else "one text"
            problems.add(where, f"`{name}` is {kind}", f"write {allowed}")
            wrong = True
    return None if wrong else found


def _key(field: str) -> str:
    return field.strip().casefold().replace(" ", "_").replace("-", "_")
