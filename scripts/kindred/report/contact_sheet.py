"""Contact sheets: pictures in rows and columns with labels, a title and a legend.

Knows layout; knows nothing of manifests, variants or characters. The same sheet gives the same
bytes.
"""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

from PIL import Image, ImageDraw

from kindred.common.files import atomic_write
from kindred.report.image_text import (
    CARD,
    INK,
    MUTED,
    PAPER,
    RULE,
    SHADOW,
    fit_within,
    line_height,
    text_width,
    wrap,
    write,
)

MARGIN, GAP, MAT, BAND = 32, 14, 5, 26
TITLE, HEADING, LABEL, SMALL = 28, 19, 16, 13
LABEL_WIDTH = (90, 210)
LARGEST_WIDTH, LARGEST_HEIGHT = 2400, 4000


@dataclass(frozen=True)
class SheetRow:
    """Pictures beside one label; None leaves a place empty."""

    label: str
    pictures: list[Image.Image | None]
    section: str = ""


@dataclass(frozen=True)
class Sheet:
    """What a sheet shows. Consecutive rows of one section stand under its heading.

    `bands` are runs of columns set apart, as (name, number of columns); one nameless band when
    there are none.
    """

    title: str
    columns: list[str]
    rows: Sequence[SheetRow]
    subtitle: str = ""
    legend: str = ""
    bands: Sequence[tuple[str, int]] = ()
    cell: int = 196
    page: str = field(default="", compare=False)


@dataclass(frozen=True)
class _Grid:
    """Measures of a sheet in px: a picture's edge, the cells' box, x of each column, widths of
    labels and page."""

    cell: int
    cell_width: int
    cell_height: int
    label_width: int
    xs: list[int]
    width: int


def draw_sheet(sheet: Sheet) -> Image.Image:
    """The sheet as one picture, however large."""
    grid = _measure(sheet)
    page = Image.new("RGB", (grid.width, _height(sheet, grid)), PAPER)
    draw = ImageDraw.Draw(page)
    y = _draw_head(draw, sheet, grid)
    y = _draw_columns(draw, sheet, grid, y)
    for section, rows in groupby(sheet.rows, key=lambda row: row.section):
        if section:
            draw.line((MARGIN, y, grid.width - MARGIN, y), fill=RULE)
            lines = wrap(section, HEADING, grid.width - 2 * MARGIN)
            y = write(draw, (MARGIN, y + 10), lines, HEADING) + 8
        for row in rows:
            _draw_row(page, draw, row, grid, y)
            y += grid.cell_height + 2 * MAT + GAP
    draw.line((MARGIN, y, grid.width - MARGIN, y), fill=RULE)
    write(draw, (MARGIN, y + 10), _legend_lines(sheet, grid), SMALL, MUTED)
    return page


def pages(sheet: Sheet, width: int = LARGEST_WIDTH, height: int = LARGEST_HEIGHT) -> list[Sheet]:
    """The sheet split by columns, then by rows, so that each page fits; numbered when several.

    A section stays together where it can. A row is never split, so a page may be larger than
    asked when one cell is.
    """
    grid = _measure(sheet)
    # Bands (photos beside renderings) belong together, so such a sheet keeps its columns.
    fitting = (width - 2 * MARGIN - grid.label_width) // (grid.cell_width + 2 * MAT + GAP)
    across = len(sheet.columns) if sheet.bands else max(1, fitting)
    result = []
    for start in range(0, len(sheet.columns), across):
        columns = slice(start, start + across)
        rows = [replace(row, pictures=row.pictures[columns]) for row in sheet.rows]
        part = replace(sheet, columns=sheet.columns[columns], rows=rows, page="page 1 of 1")
        result += [replace(part, rows=rows) for rows in _row_pages(part, height)]
    if len(result) <= 1:
        return [sheet]
    return [
        replace(part, page=f"page {number} of {len(result)}")
        for number, part in enumerate(result, 1)
    ]


def _row_pages(sheet: Sheet, height: int) -> list[list[SheetRow]]:
    """The rows of each page, filled section by section, or row by row where one is too long."""
    grid = _measure(sheet)

    def fits(rows: list[SheetRow]) -> bool:
        return _height(replace(sheet, rows=rows), grid) <= height

    result: list[list[SheetRow]] = [[]]
    for _, group in groupby(sheet.rows, key=lambda row: row.section):
        section = list(group)
        if result[-1] and not fits([*result[-1], *section]):
            result.append([])
        for row in section:
            if result[-1] and not fits([*result[-1], row]):
                result.append([])
            result[-1].append(row)
    return result


def _measure(sheet: Sheet) -> _Grid:
    pictures = [picture for row in sheet.rows for picture in row.pictures if picture is not None]
    fitted = [fit_within(picture, sheet.cell).size for picture in pictures] or [(sheet.cell,) * 2]
    cell_width, cell_height = (max(edge) for edge in zip(*fitted, strict=True))
    low, high = LABEL_WIDTH
    widest = max((text_width(row.label, LABEL) for row in sheet.rows), default=0)
    label_width = min(max(widest, low), high) + GAP if any(r.label for r in sheet.rows) else 0
    x, xs = MARGIN + label_width, []
    for _, count in sheet.bands or [("", len(sheet.columns))]:
        for _ in range(count):
            xs.append(x)
            x += cell_width + 2 * MAT + GAP
        x += BAND
    title = text_width(sheet.title, TITLE) + 2 * MARGIN
    return _Grid(
        sheet.cell, cell_width, cell_height, label_width, xs, max(x - GAP - BAND + MARGIN, title)
    )


def _head_lines(sheet: Sheet, grid: _Grid) -> tuple[list[str], list[str]]:
    width = grid.width - 2 * MARGIN
    subtitle = " · ".join(part for part in (sheet.subtitle, sheet.page) if part)
    return wrap(sheet.title, TITLE, width), wrap(subtitle, LABEL, width)


def _legend_lines(sheet: Sheet, grid: _Grid) -> list[str]:
    return wrap(sheet.legend, SMALL, grid.width - 2 * MARGIN)


def _height(sheet: Sheet, grid: _Grid) -> int:
    """Height of the page, found by the same steps as drawing it."""
    title, subtitle = _head_lines(sheet, grid)
    y = MARGIN + len(title) * line_height(TITLE) + len(subtitle) * line_height(LABEL) + 14
    y += line_height(SMALL) * (2 if any(name for name, _ in sheet.bands) else 1) + 6
    for section, rows in groupby(sheet.rows, key=lambda row: row.section):
        if section:
            y += 18 + line_height(HEADING) * len(wrap(section, HEADING, grid.width - 2 * MARGIN))
        y += (grid.cell_height + 2 * MAT + GAP) * len(list(rows))
    return y + 10 + line_height(SMALL) * len(_legend_lines(sheet, grid)) + MARGIN


def _draw_head(draw: ImageDraw.ImageDraw, sheet: Sheet, grid: _Grid) -> int:
    title, subtitle = _head_lines(sheet, grid)
    y = write(draw, (MARGIN, MARGIN), title, TITLE)
    return write(draw, (MARGIN, y), subtitle, LABEL, MUTED) + 14


def _draw_columns(draw: ImageDraw.ImageDraw, sheet: Sheet, grid: _Grid, y: int) -> int:
    """Names of bands and columns, each over the middle of what it names."""
    full = grid.cell_width + 2 * MAT
    if any(name for name, _ in sheet.bands):
        first = 0
        for name, count in sheet.bands:
            if count:
                middle = (grid.xs[first] + grid.xs[first + count - 1] + full) // 2
                write(draw, (middle, y), [name], SMALL, INK, "ma")
            first += count
        y += line_height(SMALL)
    for x, name in zip(grid.xs, sheet.columns, strict=True):
        write(draw, (x + full // 2, y), wrap(name, SMALL, full, lines=1), SMALL, MUTED, "ma")
    return y + line_height(SMALL) + 6


def _draw_row(
    page: Image.Image, draw: ImageDraw.ImageDraw, row: SheetRow, grid: _Grid, y: int
) -> None:
    full_width, full_height = grid.cell_width + 2 * MAT, grid.cell_height + 2 * MAT
    lines = wrap(row.label, LABEL, grid.label_width - GAP, lines=full_height // line_height(LABEL))
    top = y + (full_height - len(lines) * line_height(LABEL)) // 2
    write(draw, (MARGIN, top), lines, LABEL)
    for x, picture in zip(grid.xs, row.pictures, strict=True):
        if picture is None:
            continue
        fitted = fit_within(picture, grid.cell)
        left = x + (full_width - fitted.width) // 2
        upper = y + (full_height - fitted.height) // 2
        box = (left - MAT, upper - MAT, left + fitted.width + MAT, upper + fitted.height + MAT)
        draw.rounded_rectangle((box[0] + 2, box[1] + 3, box[2] + 2, box[3] + 3), 4, fill=SHADOW)
        draw.rounded_rectangle(box, 4, fill=CARD)
        page.paste(fitted, (left, upper))


def save_pages(sheet: Sheet, out: Path) -> list[Path]:
    """Write the pages; pages of an earlier, larger sheet are removed."""
    parts = pages(sheet)
    for old in out.parent.glob(f"{glob.escape(out.stem)}.page*{out.suffix}"):
        old.unlink()
    paths = [out]
    paths += [out.with_suffix(f".page{n}{out.suffix}") for n in range(2, len(parts) + 1)]
    for path, part in zip(paths, parts, strict=True):
        with atomic_write(path) as temporary:
            # Smallest takes eleven times as long and saves an eighth.
            draw_sheet(part).save(temporary, format="PNG", compress_level=3)
    return paths
