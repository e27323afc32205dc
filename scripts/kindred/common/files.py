"""Writing files so that a reader never meets half of one.

Every writer goes to a temporary name in the same folder and is renamed into place: after a
kill -9 or on a full disk the old file, or none, is there. After a power cut that holds for what was
written `durable` alone: without, a file system may know the new name before it has the content.
"""

from __future__ import annotations

import csv
import errno
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kindred.common.errors import KindredError

ROOM = "free some disk space and run again; everything finished so far is kept"
RIGHT = "get write access to it, or work in a folder of your own"
SHORTER = "choose a shorter name, or work in a folder with a shorter path"
OTHERWISE = "free some disk space, or get write access to it"
CURES = {
    errno.ENOSPC: ROOM,
    errno.EDQUOT: ROOM,
    errno.EFBIG: ROOM,
    errno.EACCES: RIGHT,
    errno.EPERM: RIGHT,
    errno.EROFS: RIGHT,
    errno.ENAMETOOLONG: SHORTER,
    errno.EISDIR: "a folder has this name: give the name of a file",
    errno.ENOTDIR: "a file has the name of a folder in this path: move that file away",
}
# How torch's and safetensors' writers say that a disk is full; neither raises an OSError.
FULL_DISK = ("PytorchStream", "unexpected pos", "IoError", "I/O error")
MOST_STALE = 9  # times in a row that a file is replaced by another machine while it is read
TEMPORARY = ".tmp-"  # how names begin of what is being written


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# What this user's new files are closed to. Read once, while there is one thread: reading it sets
# it, and files that others write meanwhile would be open to everybody.
UMASK = _umask()


@contextmanager
def atomic_write(path: Path | str, durable: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it replaces `path`, on error it is removed.

    durable: content and name are on the disk before this ends, which takes milliseconds: for what
    is kept and trusted later, not for what Snakemake makes again. Raises KindredError when the disk
    is full or the folder can't be written.
    """
    path = Path(path)
    temporary = _temporary(path)
    try:
        with writing(path):
            yield temporary
            temporary.chmod(0o666 & ~UMASK)
            if durable:
                flush(temporary)
            os.replace(temporary, path)
            if durable:
                flush_folder(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def writing(path: Path | str) -> Iterator[None]:
    """Turn what any writer raises when the disk is full, or `path` can't be written, into one
    KindredError that names it."""
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from error
    except Exception as error:
        if not any(words in str(error) for words in FULL_DISK):
            raise
        raise unwritable(path, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))) from error


def _temporary(path: Path) -> Path:
    """A new, empty file beside `path`, in a folder that is made. Raises KindredError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=TEMPORARY, suffix=path.suffix)
        os.close(handle)
    except OSError as error:
        raise unwritable(path, error) from error
    return Path(name)


def make_folder(path: Path | str) -> Path:
    """The folder, which is made with those above it. Raises KindredError when it can't be."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error
    return Path(path)


def unwritable(path: Path | str, error: OSError) -> KindredError:
    """The error for a file or folder that the system refuses to write."""
    what = f"can't be written ({error.strerror or error})"
    return KindredError(what, str(path), CURES.get(error.errno or 0, OTHERWISE))


def unreadable(path: Path | str, error: OSError) -> KindredError:
    """The error for a file that the system refuses to read."""
    if error.errno == errno.EISDIR:
        return KindredError("is a folder, not a file", str(path), "name a file in this folder")
    what = f"can't be read ({error.strerror or error})"
    return KindredError(what, str(path), "get read access to it, or copy it again")


def flush(path: Path) -> None:
    """Wait until a file's content is on the disk. Raises OSError when it can't get there."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def flush_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk, where a file system knows how."""
    with suppress(OSError):
        flush(path)


def write_text(path: Path | str, text: str, durable: bool = False) -> None:
    """Write a text file in UTF-8, atomically."""
    with atomic_write(path, durable) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path | str, value: Any) -> None:
    """Write sorted, indented JSON, atomically."""
    write_text(path, json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False) + "\n")


def missing(path: Path | str) -> KindredError:
    """The error for a file that is not there."""
    cure = "check the path; if a step writes this file, run `snakemake`"
    return KindredError("no such file", str(path), cure)


def read_json(path: Path | str) -> Any:
    """Read JSON. Raises KindredError naming the file and the place when it is no JSON."""
    try:
        return json.loads(_text(path))
    except FileNotFoundError:
        raise missing(path) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise _no_json(str(path), error) from None


def _text(path: Path | str) -> str:
    """What a file says. On a network disk, another machine may replace it after it was found."""
    for _ in range(MOST_STALE):
        try:
            return Path(path).read_text(encoding="utf-8")
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
    return Path(path).read_text(encoding="utf-8")


def write_jsonl(path: Path | str, rows: Iterable[Mapping[str, Any]], durable: bool = False) -> None:
    """Write one JSON object a line, atomically."""
    lines = (json.dumps(row, sort_keys=True, ensure_ascii=False) for row in rows)
    write_text(path, "".join(line + "\n" for line in lines), durable)


def read_jsonl(path: Path | str) -> list[dict[str, Any]]:
    """Read one JSON object a line. Raises KindredError naming file and line."""
    rows = []
    try:
        text = _text(path)
    except FileNotFoundError:
        raise missing(path) from None
    # As written: inside a string, JSON allows U+2028 and other ends of lines as they are.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise _no_json(f"{path}:{number}", error) from None
    return rows


def _no_json(where: str, error: ValueError) -> KindredError:
    cure = "correct it if you wrote it; if a step wrote it, delete it and run `snakemake`"
    return KindredError(f"is not valid JSON ({error})", where, cure)


def write_csv(path: Path | str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a CSV with the given columns, atomically."""
    with (
        atomic_write(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def utc_now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
