"""The coverage of a dataset as a picture: a bar a cell, and below it dots for who is in it.

After Lex et al. 2014, 'UpSet: Visualization of Intersecting Sets'. Plain SVG whose colours are the
page's CSS variables, so it suits light and dark.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from kindred.common.sentences import counted

COLUMN, ROW, BARS, TOP, GAP = 44, 30, 170, 26, 18


def coverage_svg(found: Mapping[str, int], names: Mapping[str, str]) -> str:
    """An <svg> for photos in each cell (`audit.coverage`) and trigger names by letter."""
    letters = list(names)
    cells = sorted(found, key=lambda cell: (cell.count("+"), cell))
    margin = 20 + 8 * max((len(name) for name in names.values()), default=0)
    width = margin + COLUMN * max(len(cells), 1) + 10
    height = TOP + BARS + GAP + ROW * len(letters)
    parts = [_labels(letters, names, margin, width)]
    tallest = max([*found.values(), 1])
    for index, cell in enumerate(cells):
        middle = margin + COLUMN * index + COLUMN / 2
        parts.append(_bar(cell, found[cell], tallest, middle))
        parts.append(_dots(cell.split("+"), letters, middle))
    label = "; ".join(f"{cell}: {found[cell]}" for cell in cells)
    return (
        f'<svg class="coverage" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="photos in each cell: {escape(label)}">{"".join(parts)}</svg>'
    )


def _labels(letters: list[str], names: Mapping[str, str], margin: int, width: int) -> str:
    parts = []
    for row, letter in enumerate(letters):
        y = TOP + BARS + GAP + ROW * row
        if row % 2 == 0:
            parts.append(
                f'<rect x="0" y="{y}" width="{width}" height="{ROW}" fill="var(--stripe)"/>'
            )
        parts.append(
            f'<text x="{margin - 10}" y="{y + ROW / 2 + 5}" text-anchor="end" '
            f'fill="var(--text)">{escape(names[letter])}</text>'
        )
    return "".join(parts)


def _bar(cell: str, count: int, tallest: int, middle: float) -> str:
    base = TOP + BARS
    height = BARS * count / tallest
    left = middle - COLUMN * 0.32
    width = COLUMN * 0.64
    title = f"<title>{escape(cell)}: {counted(count, 'photo')}</title>"
    if count == 0:
        shape = (
            f'<rect x="{left:g}" y="{base - 14}" width="{width:g}" height="14" rx="3" fill="none" '
            f'stroke="var(--warn)" stroke-dasharray="3 3">{title}</rect>'
        )
        return shape + _count(0, middle, base - 20, "var(--warn)")
    shape = (
        f'<rect x="{left:g}" y="{base - height:g}" width="{width:g}" height="{height:g}" rx="3" '
        f'fill="var(--bar)">{title}</rect>'
    )
    return shape + _count(count, middle, base - height - 7, "var(--text)")


def _count(count: int, x: float, y: float, colour: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="middle" fill="{colour}">{count}</text>'


def _dots(members: list[str], letters: list[str], middle: float) -> str:
    rows = [row for row, letter in enumerate(letters) if letter in members]
    centre = [TOP + BARS + GAP + ROW * row + ROW / 2 for row in range(len(letters))]
    line = ""
    if len(rows) > 1:
        line = (
            f'<line x1="{middle:g}" x2="{middle:g}" y1="{centre[rows[0]]:g}" '
            f'y2="{centre[rows[-1]]:g}" stroke="var(--bar)" stroke-width="4"/>'
        )
    dots = (
        f'<circle cx="{middle:g}" cy="{y:g}" r="7" '
        f'fill="{"var(--bar)" if row in rows else "var(--faint)"}"/>'
        for row, y in enumerate(centre)
    )
    return line + "".join(dots)
