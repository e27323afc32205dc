"""The log of declared hypotheses: what was claimed when, and whether results were known by then.

One JSON object a line: a declaration {"time", "hash", "hypotheses", "trained"} (`trained`: how many
trainings had begun), or {"compared": time} when verdicts were computed. Knows the log, and the mark
that a training leaves when it begins; what hypotheses mean is in hypothesis_tests.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kindred.common.files import read_jsonl, utc_now, write_jsonl
from kindred.common.hashing import spec_hash

Entry = dict[str, Any]


def read_log(path: Path) -> list[Entry]:
    """All entries, oldest first; none when nothing was declared yet."""
    return read_jsonl(path) if path.exists() else []


def preregister(path: Path, hypotheses: Mapping[str, Any], trained: int) -> Entry:
    """Note the hypotheses unless the last declaration is the same; the declaration that stands."""
    log = read_log(path)
    made = declarations(log)
    entry = {
        "time": utc_now(),
        "hash": declaration_hash(hypotheses),
        "hypotheses": dict(hypotheses),
        "trained": trained,
    }
    if made and made[-1]["hash"] == entry["hash"]:
        return made[-1]
    write_jsonl(path, [*log, entry], durable=True)
    return entry


def note_comparison(path: Path) -> None:
    """Note that results are known from now on."""
    log = read_log(path)
    if log and "compared" not in log[-1]:
        write_jsonl(path, [*log, {"compared": utc_now()}], durable=True)


def declarations(log: Sequence[Entry]) -> list[Entry]:
    """The entries that declare."""
    return [entry for entry in log if "hash" in entry]


def current_declaration(log: Sequence[Entry]) -> Entry | None:
    """The last declaration made before anything was trained or compared; else the first."""
    made = declarations(log)
    blind: list[Entry] = []
    for entry in log:
        if "compared" in entry or entry["trained"]:
            break
        blind.append(entry)
    return blind[-1] if blind else (made[0] if made else None)


def declaration_hash(hypotheses: Mapping[str, Any]) -> str:
    """Hash of resolved hypotheses."""
    return spec_hash(dict(hypotheses))


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What became of hypotheses since they were declared, a line each."""
    lines = [f"{name}: added" for name in now if name not in before]
    lines += [f"{name}: removed" for name in before if name not in now]
    said = {"variant_spec": "settings of its variant", "against_spec": "settings of the other"}
    for name in sorted(before.keys() & now.keys()):
        for key in sorted(before[name].keys() | now[name].keys()):
            old, new = before[name].get(key), now[name].get(key)
            if old != new:
                short = isinstance(old, str | int | float) and key not in said
                what = f"was {old}, is {new}" if short else "changed"
                lines.append(f"{name}: {said.get(key, key)} {what}")
    return lines
