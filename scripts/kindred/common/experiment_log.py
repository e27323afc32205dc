"""The log of an experiment, config/declared/<experiment>.jsonl: what its entries hold.

{"time": "2026-01-31T12:00:00Z",  "commit": "ce0b4f...",   the revision of the code
 "kind": "declared"      what is claimed, trained, drawn and measured was written down
       | "amended"       some of that was changed
       | "began"         trainings began
       | "looked"        figures were computed
       | "published",    and shown; "figures": {variant: {run: hash of its figures}}
 "files": {path: sha256}, "design": {...} (declared; of families in short, as
 evidence/stored_designs.py says), "changes": [{"path" or "what", "before", "after"}] (amended),
 "why": "...", "seen": "nothing" | "pilot" | "results" | "unknown",
 "runs": {variant: [run, ...]}, "scope": [hypothesis, ...]}

Knows the form of entries; what they mean is in evidence/preregistration.py and amendments.py.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from kindred.common import chained_log
from kindred.common.chained_log import Entry, read_log
from kindred.common.files import utc_now
from kindred.common.versions import code_revision

Kind = Literal["declared", "amended", "began", "looked", "published"]
Runs = Mapping[str, Sequence[int]]
LOGS = Path("config/declared")
NO_REASON = "no reason given"
# Set by Snakemake's main process: where programs that it starts log that trainings begin.
LOGS_VARIABLE = "KINDRED_DECLARED"


def log_path(experiment: str, root: Path = Path(".")) -> Path:
    """Where an experiment's log lies."""
    return root / LOGS / f"{experiment}.jsonl"


def entry_of(kind: Kind, runs: Runs, **more: Any) -> Entry:
    """An entry of now. runs: those that it is about, by variant."""
    given = {"files": {}, "why": "", "scope": [], **more}
    numbers = {name: sorted(own) for name, own in runs.items() if own}
    head = {"time": utc_now(), "kind": kind, "commit": code_revision(), "runs": numbers}
    return head | given


def stated(entries: Sequence[Entry]) -> list[int]:
    """The places of the entries that say what is claimed and how it is tested."""
    return [n for n, one in enumerate(entries) if one["kind"] in ("declared", "amended")]


def note_runs(path: Path, kind: Kind, runs: Runs, **more: Any) -> None:
    """Log that runs began, were looked at or published, those alone that were not since the last
    change; and, of what began or was looked at, in the logs of families that the experiment is one
    of. Where nothing was declared there is no log, and nothing is written."""
    _note(path, kind, runs, more)
    if kind in ("began", "looked"):
        named = {in_families(path.stem, variant): own for variant, own in runs.items()}
        for log in _of_families(path):
            _note(log, kind, named, more)


def in_families(experiment: str, variant: str) -> str:
    """How the log of families names a variant of one of them."""
    return f"{experiment}/{variant}"


def _of_families(path: Path) -> list[Path]:
    """The logs beside an experiment's, there or not, of families that it was declared with."""
    return [
        other
        for other, content in chained_log.logs(path.parent)
        if _may_name(content, path.stem)
        if any(path.stem in one.get("design", {}).get("experiments", ()) for one in read_log(other))
    ]


def _may_name(content: bytes, experiment: str) -> bool:
    """Whether a log may be of families that an experiment is one of: most are not, and reading
    all of them as what they are takes long."""
    return f'"{experiment}"'.encode() in content and b'"experiments"' in content


def _note(path: Path, kind: Kind, runs: Runs, more: Mapping[str, Any]) -> None:

    def make(entries: list[Entry]) -> list[Entry]:
        places = stated(entries)
        if not places:
            return []
        since = [one for one in entries[places[-1] :] if one["kind"] == kind]
        known = {(name, run) for one in since for name, own in one["runs"].items() for run in own}
        new = {name: [run for run in own if (name, run) not in known] for name, own in runs.items()}
        return [entry_of(kind, new, **more)] if any(new.values()) else []

    chained_log.append(path, make)


def note_beginnings(folders: Sequence[Path]) -> None:
    """Log that the trainings of these folders, .../<experiment>/<variant>/run-<k>, begin, where
    Snakemake started this program."""
    logs = os.environ.get(LOGS_VARIABLE)
    if not logs:
        return
    by_experiment: dict[str, dict[str, list[int]]] = {}
    for folder in folders:
        experiment, variant, run = folder.parts[-3:]
        own = by_experiment.setdefault(experiment, {}).setdefault(variant, [])
        own.append(int(run.removeprefix("run-")))
    for experiment, runs in by_experiment.items():
        note_runs(Path(logs) / f"{experiment}.jsonl", "began", runs)
