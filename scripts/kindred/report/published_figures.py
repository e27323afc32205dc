"""Figures as published tables have them: of runs, of casts, and of tables in published pages.

Knows these tables; knows nothing of the pages that say a figure again.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev

from kindred.common.errors import KindredError, did_you_mean
from kindred.common.sentences import counted
from kindred.specs.measures import MEASURES

WHOLE, SPREAD = " (…)", " sd"
Rows = Sequence[Mapping[str, str]]


def cell_of(page: str, what: str) -> str:
    """'row: heading', or 'section > row: heading', of the first table of a page, or of a section,
    that has both: not bold, without the interval in brackets behind it, which a last ' (…)' asks
    for.

    Raises KindredError where there is none.
    """
    section, _, place = what.rpartition(" > ")
    if section and f"\n## {section}\n" not in page:
        raise KindredError(f"no section '{section}'", "", "write it as `section > row: heading`")
    whole, asked = place.endswith(WHOLE), place.removesuffix(WHOLE)
    words = asked.split(": ")  # names of rows may have a colon of their own
    pairs = [(": ".join(words[:n]), ": ".join(words[n:])) for n in range(1, len(words))]
    headings: list[str] = []
    for line in page[page.index(f"## {section}\n") if section else 0 :].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            headings = []
        elif not headings:
            headings = cells
        for row, heading in pairs:
            if headings != cells and cells[0] == row and heading in headings:
                cell = cells[headings.index(heading)].strip("*")
                return cell if whole else cell.partition(" (")[0]
    row, _, heading = asked.partition(": ")
    raise KindredError(
        f"no row '{row}' with a column '{heading}'", "", "write it as `row: heading`"
    )


def figure_of(rows: Rows, what: str) -> str:
    """'variant prompt_set measure', or the same and ' - other variant', as text; with ' sd' behind
    it the standard deviation over runs, in points or on the measure's scale.

    Raises KindredError where the table has no such figure.
    """
    first, _, against = what.partition(" - ")
    spread, words = first.endswith(SPREAD), first.removesuffix(SPREAD).split()
    if len(words) != 3:
        raise KindredError(
            f"'{what}' does not name a figure", "", "write it as `variant prompt_set measure`"
        )
    variant, prompt_set, measure = words
    mean = _mean(rows, variant, prompt_set, measure)
    percent = measure not in MEASURES or MEASURES[measure].kind.percent  # accuracy of casts
    if spread:
        wide = _mean(rows, variant, prompt_set, measure, stdev)
        return f"{100 * wide:.0f}" if percent else f"{wide:.2f}"
    if against:
        gap = mean - _mean(rows, against, prompt_set, measure)
        text = counted(f"{100 * gap:+.0f}", "point") if percent else f"{gap:+.2f}"
        return text.replace("-", "−")
    return _percent(mean) if percent else f"{mean:.2f}".replace("-", "−")


def _percent(share: float) -> str:
    """Whole, but for what would be rounded to all."""
    close = 0.99 < share < 1
    return f"{100 * share:.1f} %" if close else f"{100 * share:.0f} %"


def read_table(table: Path) -> Rows:
    """The rows of a published table. Raises KindredError where there is none."""
    return list(csv.DictReader(text_of(table).splitlines()))


def text_of(table: Path) -> str:
    """A table, or a page with one. Raises KindredError where there is none."""
    try:
        return table.read_text(encoding="utf-8")
    except FileNotFoundError:
        advice = "publish the experiment, or correct the path"
        raise KindredError("there is no such table", str(table), advice) from None


def _measures(rows: Rows) -> set[str]:
    """The columns that are figures: of a table of casts all behind the first ones."""
    columns = list(rows[0]) if rows else []
    return {*columns[4:]} if "worst" in columns else {*columns} & {*MEASURES}


def _mean(
    rows: Rows,
    variant: str,
    prompt_set: str,
    measure: str,
    of: Callable[[Sequence[float]], float] = fmean,
) -> float:
    """Mean over runs of the variant's value, or something else `of` the values."""
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
    return of(values)
