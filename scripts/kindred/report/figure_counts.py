"""How many pictures a figure is of, of whom, and which it leaves out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from kindred.common.sentences import counted, listing
from kindred.evidence.adapter_choice import CASTS, COLUMNS, AdapterChoice
from kindred.report.formatting import share
from kindred.report.report_data import ReportData

Row = Mapping[str, str]


def figure_counts(data: ReportData, choice: AdapterChoice) -> list[str]:
    """Sentences on the figure that the choice rests on; [] without its pictures."""
    column = COLUMNS[choice.measure]
    rows = [row for row in _rows(data, choice) if row[column]]
    if not rows:
        return []
    kinds = Counter(_kind(row) for row in rows)
    right = Counter(_kind(row) for row in rows if row[column] == "1")
    told = "; ".join(f"{kind}: {right[kind]} of {n}" for kind, n in sorted(kinds.items()))
    said = f"“{choice.leader.variant}” is right in {right.total()} of {len(rows)} pictures"
    return [f"{said}. By who is asked for: {told}.", *left_out(data, choice)]


def _rows(data: ReportData, choice: AdapterChoice) -> list[Row]:
    asks, name = "cast" if choice.measure == CASTS else "asked", choice.leader.variant
    return [row for place, row in data.scores.items() if place[0] == name and row[asks]]


def _kind(row: Row) -> str:
    if not row["asked"]:
        return "strangers alone"
    if row["strangers_asked"] not in ("", "0"):
        return "some of the family with strangers"
    return f"{row['asked'].count('+') + 1} of the family"


def left_out(data: ReportData, choice: AdapterChoice) -> list[str]:
    """Which pictures the figure leaves out."""
    rows, column = _rows(data, choice), COLUMNS[choice.measure]
    without = [row["asked"] for row in rows if row["asked"] and not row[column]]
    judged = {x for row in rows if row[column] for x in row["asked"].split("+")}
    names = listing(data.names[x] for x in sorted({*"+".join(without).split("+")} - judged - {""}))
    count = counted(len(without), "picture that asks", "pictures that ask")
    said = (
        f"This leaves out {count} for {names}: without a photo of them alone nobody can judge it."
    )
    return [said] if names else []


def group_pictures(data: ReportData, variant: str, prompt_set: str) -> int:
    """Pictures that `parts` rests on: of groups of the family."""
    own = [row for at, row in data.scores.items() if (at[0], at[2]) == (variant, prompt_set)]
    return sum(row["success"] != "" and _kind(row)[0] in "23456789" for row in own)


def out_of(one: Mapping[str, Any], what: str = "picture") -> str:
    """'5 of 8 pictures (62 %, 24–91)', as far as known."""
    mean, number = one["mean"], one.get("images")
    if not number:
        return f"{share(mean)} of {what}s"
    low, high = one.get("low"), one.get("high")
    ends = "" if low is None or high is None else f", {100 * low:.0f}–{100 * high:.0f}"
    return f"{round(mean * number)} of {counted(number, what)} ({share(mean)}{ends})"
