"""Figures in pages that people write, kept true by the published tables that they come from.

A figure is a Markdown link whose title says what it is: `[95 %](alike/runs.csv "any-heads trio
success")`, a variant's mean over its runs, `"any-heads trio success - family"`, a difference in
points, or `"any-heads trio success sd"`, how much runs differ, in points; of cast accuracy, of a
kind of cast or of one cast, `[87 %](casts-alike/casts.csv "any-heads casts family")`; of a
hypothesis its effect or label, `(likeness/verdicts.csv "right effect")`; and what stands in a table
of another page, `[94 %](likeness/README.md "any: … and as asked")`. So a reader sees the source
by pointing at it, and no figure can grow old: `filled` writes what the table says, and a test fails
where a page says something else. Knows published tables; knows nothing of what pages are about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from kindred.common.errors import KindredError, Problems, did_you_mean
from kindred.common.page_blocks import with_block
from kindred.report import repository_pages
from kindred.report.published_figures import Rows, cell_of, figure_of, read_table, text_of
from kindred.report.published_labels import labels_table, words_of

FIGURE = re.compile(
    r"\[(?P<said>[^\]]*)\]\((?P<table>[\w./-]+/(?:(?:runs|casts|verdicts)\.csv|[\w-]+\.md)) "
    r'"(?P<what>[^"]+)"\)'
)


def filled(page: Path) -> str:
    """The page's text with every figure as its table has it.

    Raises ProblemsError naming figures whose table, variant, prompt set or measure there isn't.
    """
    problems = Problems("figures can't be read from the published tables")

    def figure(match: re.Match[str]) -> str:
        where = f'{page}: {match["table"]} "{match["what"]}"'
        try:
            said = _said(page.parent / match["table"], match["what"])
        except KindredError as error:
            problems.add_error(where, error)
            return match[0]
        return f'[{said}]({match["table"]} "{match["what"]}")'

    text = FIGURE.sub(figure, page.read_text(encoding="utf-8"))
    problems.raise_if_any()
    return text


def pages_as_now(root: Path) -> dict[Path, str]:
    """README.md and all pages of docs/ and lab/ with their figures and tables as published tables
    have them. root: holds README.md. Raises ProblemsError as `filled` does."""
    pages = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    pages += sorted((root / "lab").rglob("*.md"))
    texts = {page: filled(page) for page in pages if page.is_file()}
    page = root / "docs/reference/statistics.md"
    if page in texts:
        published = repository_pages.read_published(root / "docs/findings").values()
        table = labels_table([line for lines in published for line in lines])
        texts[page] = with_block(texts[page], "labels", table, str(page))
    return texts


def _said(table: Path, what: str) -> str:
    if table.suffix == ".md":
        return cell_of(text_of(table), what)
    rows = read_table(table)
    return verdict_of(rows, what) if table.stem == "verdicts" else figure_of(rows, what)


def verdict_of(rows: Rows, what: str) -> str:
    """'hypothesis effect' or 'hypothesis label' of a table of verdicts, as text.

    Raises KindredError where the table has no such figure.
    """
    name, _, asked = what.partition(" ")
    lines = {row["hypothesis"]: dict(row) for row in rows}
    if name not in lines:
        raise KindredError(f"no hypothesis '{name}'", "", did_you_mean(name, lines))
    told = {"effect": _effect, "label": words_of}
    if asked not in told:
        raise KindredError(
            f"'{what}' does not name a figure",
            "",
            "write it as `hypothesis effect` or `hypothesis label`",
        )
    return told[asked](lines[name])


def _effect(line: Mapping[str, str]) -> str:
    return repository_pages.said(dict(line))
