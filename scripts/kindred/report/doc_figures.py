"""Figures in pages that people write, kept true by the published tables that they come from.

A figure is a Markdown link whose title says what it is: `[95 %](alike/runs.csv "any-heads trio
success")`, a variant's mean over its runs, or `"any-heads trio success - family"`, a difference in
points; of cast accuracy, of a kind of cast or of one cast, `[87 %](casts-alike/casts.csv "any-heads
casts family")`. So a reader sees the source by pointing at it, and no figure can grow old: `filled`
writes what the table says, and a test fails where a page says something else. Knows tables of runs
and of casts; knows nothing of what pages are about.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from kindred.common.errors import KindredError, Problems, did_you_mean
from kindred.specs.measures import MEASURES

FIGURE = re.compile(
    r'\[(?P<said>[^\]]*)\]\((?P<table>[\w./-]+/(?:runs|casts)\.csv) "(?P<what>[^"]+)"\)'
)
Rows = Sequence[Mapping[str, str]]


def filled(page: Path) -> str:
    """The page's text with every figure as its table has it.

    Raises ProblemsError naming figures whose table, variant, prompt set or measure there isn't.
    """
    problems = Problems("figures can't be read from published tables")

    def figure(match: re.Match[str]) -> str:
        where = f'{page}: {match["table"]} "{match["what"]}"'
        try:
            said = figure_of(_rows(page.parent / match["table"]), match["what"])
        except KindredError as error:
            problems.add_error(where, error)
            return match[0]
        return f'[{said}]({match["table"]} "{match["what"]}")'

    text = FIGURE.sub(figure, page.read_text(encoding="utf-8"))
    problems.raise_if_any()
    return text


def figure_of(rows: Rows, what: str) -> str:
    """'variant prompt_set measure', or the same and ' - other variant', as text.

    Raises KindredError where the table has no such figure.
    """
    first, _, against = what.partition(" - ")
    words = first.split()
    if len(words) != 3:
        raise KindredError(f"'{what}' is no figure", "", "write: variant prompt_set measure")
    variant, prompt_set, measure = words
    mean = _mean(rows, variant, prompt_set, measure)
    percent = measure not in MEASURES or MEASURES[measure].kind.percent  # accuracy of casts
    if against:
        gap = mean - _mean(rows, against, prompt_set, measure)
        text = f"{100 * gap:+.0f} points" if percent else f"{gap:+.2f}"
        return text.replace("-", "−")
    return _percent(mean) if percent else f"{mean:.2f}".replace("-", "−")


def _percent(share: float) -> str:
    """Whole, but for what would be rounded to all."""
    close = 0.99 < share < 1
    return f"{100 * share:.1f} %" if close else f"{100 * share:.0f} %"


def _rows(table: Path) -> Rows:
    try:
        with open(table, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError:
        advice = "publish the experiment, or correct the path"
        raise KindredError("no such table", str(table), advice) from None


def _measures(rows: Rows) -> set[str]:
    """The columns that are figures: of a table of casts all behind the first ones."""
    columns = list(rows[0]) if rows else []
    return {*columns[4:]} if "worst" in columns else {*columns} & {*MEASURES}


def _mean(rows: Rows, variant: str, prompt_set: str, measure: str) -> float:
    """Mean over runs of the variant's value."""
    for column, value in (("variant", variant), ("prompt_set", prompt_set)):
        known = {row[column] for row in rows}
        if value not in known:
            raise KindredError(f"no {column} '{value}'", "", did_you_mean(value, known))
    known = _measures(rows)
    if measure not in known:
        raise KindredError(f"no measure '{measure}'", "", did_you_mean(measure, known))
    values = [
        float(row[measure])
        for row in rows
        if (row["variant"], row["prompt_set"]) == (variant, prompt_set) and row[measure]
    ]
    if not values:
        what = f"{variant} has no {measure} in {prompt_set}"
        raise KindredError(what, "", "name another figure")
    return sum(values) / len(values)
