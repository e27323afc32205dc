"""By which measure a published page reads: the note at its head, the same arms by both measures.

A group that is asked for on one canvas of its own can be right without names, because the canvas
tells how many people to draw. Pages without casts say so, and point to the same arms by cast
accuracy where these are published. Knows files under docs/findings and which experiment is `like`
which; draws nothing, and computes nothing but means of runs.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from kindred.common.errors import Problems
from kindred.common.files import write_text
from kindred.config.yaml_document import read_document
from kindred.report.published_tables import ENDS, KINDS, Line
from kindred.report.templates import fill

START, END = "<!-- By which measure. -->", "<!-- So far the measure. -->"
BLOCK = re.compile(rf"\n*{re.escape(START)}.*?{re.escape(END)}\n*", re.DOTALL)
CASTS, RUNS, VERDICTS = "casts.csv", "runs.csv", "verdicts.csv"
Json = Mapping[str, Any]


def write_notes(docs: Path, root: Path) -> None:
    """Write the note of every published page, and take earlier ones away. root: holds config/."""
    likes = likes_of(root)
    for path in sorted(docs.glob("*/README.md")):
        before = path.read_text(encoding="utf-8")
        after = with_note(before, note_of(docs, path.parent.name, likes))
        if after != before:
            write_text(path, after)


def likes_of(root: Path) -> dict[str, str]:
    """Experiment -> the one that it is `like`, of the configured ones that are."""
    found = {}
    for path in sorted((root / "config" / "experiments").glob("*.yaml")):
        document = read_document(path, Problems())
        if document and "like" in document.data:
            found[path.stem] = str(document.data["like"])
    return found


def with_note(page: str, note: str) -> str:
    """A page with `note` behind its first paragraphs, in front of its first section."""
    head, section, rest = BLOCK.sub("\n\n", page).partition("\n## ")
    block = f"{START}\n\n{note}\n\n{END}" if note else ""
    return "\n\n".join(filter(None, (head.strip(), block))) + "\n" + section + rest


def note_of(docs: Path, name: str, likes: Mapping[str, str]) -> str:
    """What the page of an experiment says of its measure; '' for a page by cast accuracy that no
    other page is compared with. likes: as `likes_of` gives them."""
    new = (docs / name / CASTS).is_file()
    others = [likes.get(name)] if new else [one for one in likes if likes[one] == name]
    beside = [one for one in others if one and (docs / one / CASTS).is_file() != new]
    pairs = [(one, name) if new else (name, one) for one in sorted(beside) if read(docs, one, RUNS)]
    tables = [
        {"old": old, "new": again, "rows": rows}
        for old, again in pairs
        if (rows := both_measures(docs, old, again))
    ]
    if new and not tables:
        return ""
    claims = bool(read(docs, name, VERDICTS))
    return fill("measure-note.md", {"new": new, "claims": claims, "tables": tables}).strip()


def read(docs: Path, name: str, file: str) -> list[Line]:
    """The lines of a published table; none where it is not there."""
    path = docs / name / file
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def both_measures(docs: Path, old: str, new: str) -> list[dict[str, Any]]:
    """A row an arm and prompt set of which both have runs of equal numbers: accuracy by kind of
    cast in `new`, and how often the set is right in `new` and, over the same runs, in `old`."""
    accuracy = {line["variant"]: line for line in read(docs, new, CASTS)}
    before, again = (successes(read(docs, name, RUNS)) for name in (old, new))
    rows = []
    for (arm, prompt_set), runs in again.items():
        published = before.get((arm, prompt_set), {})
        same = [run for run in runs if run in published]
        if arm not in accuracy or not same:
            continue
        rows.append(
            {
                "arm": arm,
                "prompt_set": prompt_set,
                "runs": len(runs),
                "casts": [statistic(accuracy[arm], kind) for kind in KINDS],
                "again": mean(runs.values()),
                "published": mean(published[run] for run in same),
            }
        )
    return rows


def successes(lines: Sequence[Line]) -> dict[tuple[str, str], dict[str, float]]:
    """(variant, prompt set) -> run -> share of right pictures, from runs.csv."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for line in lines:
        if line["success"]:
            place = found.setdefault((line["variant"], line["prompt_set"]), {})
            place[line["run"]] = float(line["success"])
    return found


def mean(values: Iterable[float]) -> float | None:
    """None of none."""
    known = list(values)
    return fmean(known) if known else None


def statistic(line: Line, kind: str) -> dict[str, float | None]:
    """A mean and the ends of its interval from casts.csv."""
    columns = {
        name: f"{kind}{end}" for name, end in zip(("mean", "low", "high"), ENDS, strict=True)
    }
    return {name: float(line[key]) if line[key] else None for name, key in columns.items()}
