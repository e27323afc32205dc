"""A log that only grows: a JSON object a line, each chained to the line before it by a hash.

An entry holds `previous`, the `sha256` of the entry before it ('' in the first), and its own
`sha256`, of its canonical JSON without that key. A line that is changed, removed or put in later is
therefore seen. Lines are appended under a lock and flushed; a line that was cut off (kill -9, full
disk) is never an entry, and the next entry takes its place. A log that is finished may lie packed
beside its place, as `xz x.jsonl` packs it: it is read from there, and unpacked by the next entry.
Knows nothing of what is logged.
"""

from __future__ import annotations

import json
import lzma
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kindred.common.errors import KindredError
from kindred.common.file_lock import lock
from kindred.common.files import atomic_write, flush_folder
from kindred.common.hashing import canonical_json, spec_hash

Entry = dict[str, Any]
PREVIOUS, OWN = "previous", "sha256"
PACKED = ".xz"  # behind the name of a log
CUT = (
    "the last line is incomplete, because a program was killed or the disk was full. Nothing to "
    "do: the next entry replaces it."
)


@dataclass
class _Content:
    """A log as it lies on the disk. size: bytes up to the end of the last entry; ended: whether a
    line feed is behind that; cut: the number of a line that was cut off, 0 without one."""

    entries: list[Entry] = field(default_factory=list)
    size: int = 0
    ended: bool = True
    cut: int = 0


def read_log(path: Path) -> list[Entry]:
    """All entries, oldest first; none where there is no file. A line that was cut off is left out,
    with a warning. Raises KindredError for a log that was edited."""
    content = _read(path)
    if content.cut:
        print(f"warning: {path}:{content.cut}: {CUT}", file=sys.stderr)
    return content.entries


def append(path: Path, make: Callable[[list[Entry]], Sequence[Entry]]) -> list[Entry]:
    """Append what `make` answers to the entries so far; all entries then.

    `make` is asked twice, the second time under the lock, and must change nothing itself. Where it
    answers with nothing, nothing is written and no right to write is needed. Raises KindredError
    for a log that was edited or can't be written.
    """
    before = read_log(path)
    if not make(before):
        return before
    _check_writable(path)
    with lock(path.parent / f".{path.name}.lock", f"waiting for another process at {path}"):
        content = _read(path)
        entries = list(content.entries)
        for entry in make(list(content.entries)):
            entries.append(_chained(entry, entries[-1][OWN] if entries else ""))
        _write(path, content, entries[len(content.entries) :])
    return entries


def _chained(entry: Entry, previous: str) -> Entry:
    linked = {**entry, PREVIOUS: previous}
    return {**linked, OWN: spec_hash(linked)}


def logs(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """The logs of a folder, packed or not: where each lies or would lie, and what it holds."""
    found = {path.with_name(path.name.removesuffix(PACKED)) for path in folder.glob("*.jsonl*")}
    for path in sorted(path for path in found if path.suffix == ".jsonl"):
        yield path, held(path)


def held(path: Path) -> bytes:
    """What a log holds; nothing where there is none. Raises KindredError for a packed log that
    can't be unpacked, or beside which there is another."""
    # In this order: whoever unpacks a log has written it before the packed one goes.
    packed = packed_path(path)
    squeezed, plain = _bytes(packed), _bytes(path)
    if squeezed is None:
        return plain or b""
    try:
        unpacked = lzma.decompress(squeezed)
    except lzma.LZMAError as error:
        cure = "restore the file (`git checkout`)"
        raise KindredError(f"can't be unpacked ({error})", str(packed), cure) from error
    if plain is not None and not plain.startswith(unpacked):
        raise KindredError(
            f"another log lies packed beside this one, {packed.name}",
            str(path),
            "restore both (`git checkout`), and keep the one that holds more",
        )
    return unpacked if plain is None else plain


def packed_path(path: Path) -> Path:
    """Where a log lies if it is packed."""
    return path.with_name(path.name + PACKED)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _read(path: Path) -> _Content:
    content = _Content()
    for number, line in enumerate(held(path).splitlines(keepends=True), 1):
        entry = _parsed(line)
        if entry is None and not line.endswith(b"\n"):
            content.cut = number
            break
        _check(entry, content.entries, f"{path}:{number}")
        content.entries.append(entry)
        content.size += len(line)
        content.ended = line.endswith(b"\n")
    return content


def _parsed(line: bytes) -> Entry | None:
    """The object in a line. A line that was cut off anywhere is no JSON object."""
    try:
        entry = json.loads(line.decode("utf-8"))
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _check(entry: Entry | None, before: Sequence[Entry], where: str) -> None:
    """Raise KindredError unless an entry is as it was written, behind those before it."""
    cure = (
        "restore the file (`git checkout`, or one whole side of a merge). To correct something, "
        'add an entry: `python scripts/preregister.py <experiment> --why "..."`'
    )
    if entry is None:
        raise KindredError(
            "this line is not an entry of this log: the file was edited", where, cure
        )
    own = {key: value for key, value in entry.items() if key != OWN}
    if entry.get(OWN) != spec_hash(own):
        raise KindredError("this entry was changed after it was written", where, cure)
    if entry.get(PREVIOUS) != (before[-1][OWN] if before else ""):
        what = "an entry before this one was changed, removed or inserted later"
        raise KindredError(what, where, cure)


def _check_writable(path: Path) -> None:
    """Raise KindredError where the log, or the folder that it is to lie in, can't be written."""
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    if not all(os.access(place, os.W_OK) for place in (folder, path) if place.exists()):
        what = "can't be written, but Kindred must log here what you declare, change and look at"
        raise KindredError(what, str(path), "get write access to it, or use another checkout")


def _write(path: Path, content: _Content, entries: Sequence[Entry]) -> None:
    """Put entries behind the last one; on an error the file is left as long as it was."""
    packed = packed_path(path)
    lines = [canonical_json(entry) + "\n" for entry in entries]
    data = ("" if content.ended else "\n").encode() + "".join(lines).encode()
    try:
        if packed.exists() and not path.exists():
            with atomic_write(path, durable=True) as temporary:
                temporary.write_bytes(held(path))
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            os.ftruncate(file, content.size)
            os.lseek(file, 0, os.SEEK_END)
            while data:
                data = data[os.write(file, data) :]
            os.fsync(file)
        except OSError:
            with suppress(OSError):
                os.ftruncate(file, content.size)
            raise
        finally:
            os.close(file)
    except OSError as error:
        what = f"can't add an entry ({error.strerror or error}); the log is unchanged"
        cure = "free some disk space, or get write access to it"
        raise KindredError(what, str(path), cure) from error
    packed.unlink(missing_ok=True)
    flush_folder(path.parent)
