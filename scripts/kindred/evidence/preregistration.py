"""Preregistration: what is claimed and how it is tested, written down before anything is trained.

Knows when entries of an experiment's log (common/experiment_log.py) are due and what they say;
what a log amounts to is in amendments.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kindred.common import chained_log
from kindred.common.chained_log import Entry
from kindred.common.experiment_log import NO_REASON, Runs, entry_of, note_runs, stated
from kindred.common.files import read_json, read_jsonl
from kindred.evidence.design_changes import Change, Design, changes_between, scope_of, with_changes
from kindred.evidence.stored_designs import restored, stored
from kindred.specs.declaration import Declaration
from kindred.specs.scoring import FIXED_KINDS, CompareSpec

PILOT_RUNS = 2  # so many of an arm are a pilot
CARRIED = "carried over from resources/store/declared, where claims, settings and texts were kept"


@dataclass(frozen=True)
class Found:
    """What lies in an experiment's results already: runs whose training has begun, and runs that
    figures were computed of."""

    begun: Runs = field(default_factory=dict)
    looked: Runs = field(default_factory=dict)


def preregister(
    path: Path, now: Declaration, found: Found, earlier: Path | None = None
) -> list[Entry]:
    """Log what is declared unless the last entry that states it says the same; all entries then.

    earlier: a log of the older form, carried over where there is none yet. Raises KindredError for
    a log that was edited or can't be written.
    """

    def make(entries: list[Entry]) -> list[Entry]:
        carried = _carried(earlier) if earlier and not entries else []
        entry = _due([*entries, *carried], now, found)
        return [*carried, *([entry] if entry else [])]

    return chained_log.append(path, make)


def _due(entries: Sequence[Entry], now: Declaration, found: Found) -> Entry | None:
    """The entry that is to be written now, if one is."""
    places = stated(entries)
    given = {"files": dict(now.files), "why": now.why or NO_REASON}
    before = design_of(entries)
    if not places or not covers(before, now.design):
        late = Found(found.begun, found.looked) if not entries else Found()
        seen = seen_before(entries) if entries else seen_of(late.looked, bool(late.looked))
        why = now.why or (CARRIED if entries else "")
        more = {
            "design": stored(now.design),
            "begun": dict(late.begun),
            "looked": dict(late.looked),
        }
        scope = sorted(now.design.get("hypotheses", ()))
        more |= {"seen": seen, "scope": scope, "why": why, "files": dict(now.files)}
        return entry_of("declared", now.runs, **more)
    changes = changes_between(before, now.design)
    scope = sorted({*scope_of(changes, before), *scope_of(changes, now.design)})
    changes = changes or _changed_files(entries, now.files)
    if not changes:
        return None
    more = {**given, "changes": changes, "seen": seen_before(entries), "scope": scope}
    return entry_of("amended", now.runs, **more)


def covers(before: Mapping[str, Any], design: Mapping[str, Any]) -> bool:
    """Whether a design that was written down has every part of another one."""
    return {*design} <= {*before}


def _changed_files(entries: Sequence[Entry], files: Mapping[str, str]) -> list[Change]:
    """Files that are others although they mean the same: words, comments, spelling of keys."""
    last = entries[stated(entries)[-1]]["files"]
    names = sorted(name for name in {*last, *files} if last.get(name) != files.get(name))
    return [
        {
            "what": f"{name}: wording alone, the design is the same",
            "before": last.get(name, "")[:12] or None,
            "after": files.get(name, "")[:12] or None,
        }
        for name in names
    ]


def design_of(entries: Sequence[Entry]) -> Design:
    """What is declared after all entries; {} before the first declaration."""
    design: Design = {}
    for entry in entries:
        if "design" in entry:
            design = restored(entry["design"])
        elif entry["kind"] == "amended":
            design = with_changes(design, entry["changes"])
    return design


def seen_before(entries: Sequence[Entry]) -> str:
    """What had been seen after these entries: "nothing", "pilot" (figures of few runs) or
    "results"; "unknown" where an entry written down later could not tell."""
    answers = {"nothing"}
    for entry in entries:
        if entry["kind"] == "published":
            answers.add("results")
        elif entry["kind"] == "looked":
            answers.add(seen_of(entry["runs"], True))
        elif entry["kind"] in ("declared", "amended"):
            answers.add(entry["seen"])
    order = ("results", "pilot", "unknown", "nothing")
    return next(answer for answer in order if answer in answers)


def seen_of(runs: Runs, looked: bool) -> str:
    """What figures of these runs show; runs that nobody wrote down count as results."""
    if not looked:
        return "nothing"
    most = max((len(own) for own in runs.values()), default=PILOT_RUNS + 1)
    return "pilot" if most <= PILOT_RUNS else "results"


def runs_looked_at(results: Path) -> dict[str, list[int]]:
    """Variant -> the runs that figures in a folder of results were computed of."""
    path = results / "summary.json"
    variants = read_json(path)["variants"] if path.exists() else {}
    return {name: one["runs"] for name, one in variants.items() if one["kind"] not in FIXED_KINDS}


def note_look(path: Path, spec: CompareSpec) -> None:
    """Log that figures of an experiment were computed."""
    runs = {name: one.runs for name, one in spec.variants.items() if not one.fixed}
    note_runs(path, "looked", runs)


def _carried(path: Path) -> list[Entry]:
    """The entries of a log of the older form: {"time", "hash", "hypotheses", "trained"} of
    declarations, {"compared": time} of comparisons."""
    entries: list[Entry] = []
    for old in read_jsonl(path) if path.exists() else []:
        if "compared" in old:
            entries.append(entry_of("looked", {}) | {"time": old["compared"]})
            continue
        design = {"hypotheses": old["hypotheses"]}
        changes = changes_between(design_of(entries), design)
        before = design_of(entries) or design
        more: dict[str, Any] = {
            "seen": seen_before(entries),
            "why": CARRIED,
        }
        more |= {"trained": old["trained"], "scope": scope_of(changes, before | design)}
        if stated(entries):
            entries.append(entry_of("amended", {}, changes=changes, **more) | {"time": old["time"]})
        else:
            entries.append(entry_of("declared", {}, design=design, **more) | {"time": old["time"]})
    return [entry | {"commit": "unrecorded"} for entry in entries]
