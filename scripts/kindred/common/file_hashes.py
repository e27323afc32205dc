"""Hashes of large files, each read once for all starts of Snakemake in a folder.

A file counts as unchanged while its size, its inode and its times of change are those at which it
was hashed. Setting a file's date back changes the time of its inode, so no edit goes unnoticed;
a file changed within SETTLED_S of being hashed is hashed again, because times are coarse.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from kindred.common.errors import KindredError
from kindred.common.files import write_text

KEPT = Path(".snakemake/kindred/file-hashes.json")
SETTLED_S = 3.0
SMALL_BYTES = 2**16  # hashed faster than looked up


def remembered(path: Path, compute: Callable[[Path], str], what: str = "") -> str:
    """`compute(path)`, or what it gave for the same path while the file stayed as it is. what: name
    of a question about a file other than its hash.

    Remembers only below a folder that Snakemake works in, and forgets nothing that matters: a list
    that can't be read or written costs time alone.
    """
    before = os.stat(path)
    if before.st_size < SMALL_BYTES or not KEPT.parents[1].is_dir():
        return compute(path)
    name, state = f"{path.absolute()}{what and f' {what}'}", _state(before)
    known = _read()
    if known.get(name, [None])[0] == state:
        return known[name][1]
    digest = compute(path)
    changed_s = max(before.st_mtime, before.st_ctime)
    if _state(os.stat(path)) == state and time.time() - changed_s > SETTLED_S:
        _write(known | {name: [state, digest]})
    return digest


def _state(stat: os.stat_result) -> str:
    """What changes with every edit of a file."""
    return f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {stat.st_ino} {stat.st_dev}"


def _read() -> dict[str, list[str]]:
    try:
        known = json.loads(KEPT.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write(known: dict[str, list[str]]) -> None:
    try:
        write_text(KEPT, json.dumps(known, sort_keys=True))
    except (OSError, KindredError):
        return
