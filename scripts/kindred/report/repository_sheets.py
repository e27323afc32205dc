"""Small contact sheets for a page of the repository: a row a variant, a column a prompt.

Knows which prompts and which size a sheet of few bytes has room for. A column is one prompt and
one seed, so the same starting noise in every row; pictures are those of each variant's first run.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from kindred.common.made_pictures import read_picture
from kindred.report.contact_sheet import Sheet, SheetRow, draw_sheet
from kindred.report.report_data import Place

COLUMNS = 4
BYTES = 35_000
METHOD = 6  # of WebP: the smallest files
# (columns, edge of a square picture in px, WebP quality), tried until the sheet is small enough:
# 10 variants come down to 3 columns, 22 to 2, coarse, but who is who can be told.
SIZES = (
    *((4, 160, 60), (4, 128, 60), (4, 112, 60), (4, 112, 45), (3, 112, 45), (3, 96, 45)),
    *((3, 96, 30), (3, 80, 30), (3, 80, 20), (3, 64, 20), (2, 64, 20)),
)
Column = tuple[str, int]  # prompt name, seed


def sets_shown(summary: Mapping[str, Any], verdicts: Mapping[str, Any]) -> list[str]:
    """The prompt set that most primary hypotheses are about; without hypotheses those of casts, or
    else the last one."""
    hypotheses = list(verdicts["hypotheses"].values())
    primary = [one for one in hypotheses if one["primary"]] or hypotheses
    known = [*summary["prompt_sets"]]
    named = Counter(one["prompt_set"] for one in primary if one["prompt_set"] in known)
    unnamed = [*summary.get("casts", ())] or known[-1:]
    return [name for name, _ in named.most_common(1)] or unnamed


def columns_of(prompts: Sequence[str], seeds: Mapping[str, Sequence[int]]) -> list[Column]:
    """Up to COLUMNS (prompt, seed): prompts evenly chosen with their first seed; where there are
    few, their further seeds as well."""
    prompts = [name for name in prompts if seeds.get(name)]
    count = min(len(prompts), COLUMNS)
    chosen = [prompts[n * len(prompts) // count] for n in range(count)]
    most = max((len(seeds[name]) for name in chosen), default=0)
    found = [(name, seeds[name][n]) for n in range(most) for name in chosen if n < len(seeds[name])]
    keep = set(found[:COLUMNS])
    return [(name, seed) for name in chosen for seed in seeds[name] if (name, seed) in keep]


def sheet_of(
    title: str,
    columns: Sequence[Column],
    variants: Mapping[str, Mapping[str, Any]],
    prompt_set: str,
    files: Mapping[Place, Path],
) -> Sheet:
    """The sheet in its largest size; a place without a file stays empty. Raises KindredError for a
    file that is no picture."""
    names = Counter(name for name, _ in columns)
    rows = []
    for variant, one in variants.items():
        places = [(variant, one["runs"][0], prompt_set, name, seed) for name, seed in columns]
        rows.append(SheetRow(variant, [_open(files.get(place)) for place in places]))
    labels = [name if names[name] == 1 else f"{name} · {seed}" for name, seed in columns]
    legend = "A column is one prompt and one seed: the same starting noise in every row. First run."
    return Sheet(title, labels, rows, legend=legend)


def _open(path: Path | None) -> Image.Image | None:
    return None if path is None else read_picture(path)


def small_webp(sheet: Sheet, limit: int = BYTES) -> tuple[bytes, list[int]] | None:
    """The sheet as WebP of at most `limit` bytes, and which of its columns it has; None when it is
    too large even with few and tiny pictures."""
    for count, edge, quality in SIZES:
        columns = _spread(len(sheet.columns), count)
        part = replace(
            sheet,
            columns=[sheet.columns[n] for n in columns],
            rows=[replace(row, pictures=[row.pictures[n] for n in columns]) for row in sheet.rows],
            cell=edge,
        )
        buffer = io.BytesIO()
        draw_sheet(part).save(buffer, format="WEBP", quality=quality, method=METHOD)
        if buffer.tell() <= limit:
            return buffer.getvalue(), columns
    return None


def _spread(total: int, count: int) -> list[int]:
    """`count` of `total` numbers, evenly chosen; all when there are no more."""
    count = min(total, count)
    return [n * total // count for n in range(count)]
