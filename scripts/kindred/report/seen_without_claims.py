"""What was seen where nothing was claimed beforehand: numbers and their intervals, no verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kindred.common.sentences import counted
from kindred.evidence.adapter_choice import AdapterChoice
from kindred.report import formatting
from kindred.report.figure_counts import left_out
from kindred.report.formatting import share
from kindred.report.report_data import ReportData
from kindred.specs.measures import MEASURES

CONTENDERS, DIFFERENCES = 4, 4


def seen_without_claims(data: ReportData, choice: AdapterChoice | None) -> list[str]:
    """Sentences; [] where hypotheses were declared, which say more."""
    if data.hypotheses:
        return []
    return [*_ranking(data, choice), *_differences(data), *_trained_once(data)]


def _trained_once(data: ReportData) -> list[str]:
    """What the intervals above can't hold where no variant was trained twice."""
    runs = [len(one["runs"]) for one in data.variants.values() if one["kind"] == "trained"]
    if max(runs, default=0) != 1:
        return []
    return [
        "Each variant was trained once. So these intervals tell how prompts and pictures differ, "
        "and nothing of how two trainings differ."
    ]


def _ranking(data: ReportData, choice: AdapterChoice | None) -> list[str]:
    if choice is None:
        return []
    names = [one.variant for one in choice.contenders]
    names += [name for name, one in data.variants.items() if one["kind"] == "base"]
    told = []
    for name in names[:CONTENDERS]:
        found = data.variants[name]["measures"].get(choice.measure, {}).get("all")
        if found and found["mean"] is not None:
            ends = formatting.range_of(found, choice.measure)
            told.append(f"“{name}” {share(found['mean'])}" + (f" ({ends})" if ends else ""))
    if not told:
        return []
    return [f"{_upper(_words(data, choice.measure))}: {', '.join(told)}.", *left_out(data, choice)]


def _differences(data: ReportData) -> list[str]:
    """The largest differences whose interval holds no 0. They were picked out of many afterwards,
    so some are there by chance."""
    rows = data.summary["comparisons"]
    if not rows:  # nothing to compare with, as for pictures made elsewhere alone
        return []
    beyond = [row for row in rows if row["low"] > 0 or row["high"] < 0]
    clear = [row for row in beyond if any(digit in _size(row) for digit in "123456789")]
    if not clear:
        against = data.summary["baseline"]
        return [f"No variant differs from “{against}” by more than chance can explain."]
    clear.sort(key=lambda row: -min(abs(row["low"]), abs(row["high"])))
    told = [_difference(data, row) for row in clear[:DIFFERENCES]]
    picked = (
        f"These are the clearest of {counted(len(rows), 'difference')}, so some may be "
        "chance. An experiment with a hypothesis would tell."
    )
    return [*told, picked]


def _difference(data: ReportData, row: Mapping[str, Any]) -> str:
    arms = f"“{row['variant']}” differs from “{row['against']}” by {_size(row)}"
    return f"In “{row['prompt_set']}”, {_words(data, row['measure'])}: {arms}."


def _words(data: ReportData, measure: str) -> str:
    return MEASURES[measure].says.format(counts=data.summary["judge"]["counts"])


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _size(row: Mapping[str, Any]) -> str:
    """A difference with its interval, rounded."""
    return formatting.effect(row["difference"], row["low"], row["high"], row["measure"])
