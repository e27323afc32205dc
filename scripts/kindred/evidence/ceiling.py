"""The ceiling of cast accuracy: what the judge says of drawings that show just who was asked for.

Knows lists of pictures and rows of scores; knows nothing of how they were drawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from kindred.common.files import read_json
from kindred.common.sentences import percent
from kindred.rendering.manifest import Manifest

LEAST = 0.95  # of a cast's drawings must be judged right
Rows = Sequence[Mapping[str, str]]
Json = dict[str, Any]


def ceiling_figures(tables: Iterable[tuple[Manifest, Rows]]) -> Json:
    """{"mean", "casts": {cast: {canvas: share}}, "pictures"} of lists of pictures and their rows.

    share: of the pictures of that cast on that canvas, those judged right. mean: over casts of the
    means within casts, as in cast accuracy; None where nothing can be judged.
    """
    right: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for manifest, rows in tables:
        canvas = {row.key: f"{row.width}x{row.height}" for row in manifest.rows}
        for row in rows:
            if row["kind"] == "image" and row["cast_right"]:
                right[row["cast"]][canvas[row["key"]]].append(float(row["cast_right"]))
    every = [[value for cell in cells.values() for value in cell] for cells in right.values()]
    return {
        "mean": fmean(map(fmean, every)) if every else None,
        "casts": {cast: {where: fmean(v) for where, v in c.items()} for cast, c in right.items()},
        "pictures": sum(map(len, every)),
    }


def add_ceiling(summary: Json, files: Sequence[Path]) -> None:
    """Put the ceiling, and what it warns of, into summary.json. files: ceiling.json, or none."""
    for file in files:
        summary["ceiling"] = read_json(file)
        summary["warnings"] = [*summary["warnings"], *ceiling_warnings(summary["ceiling"])]


def ceiling_warnings(figures: Json) -> list[str]:
    """A sentence about the casts of whose drawings fewer than 95 % are judged right, the mean over
    canvases; none where there are none."""
    low = [
        f"{cast} ({', '.join(f'{percent(share)} on {canvas}' for canvas, share in cells.items())})"
        for cast, cells in figures["casts"].items()
        if fmean(cells.values()) < LEAST
    ]
    if not low:
        return []
    return [
        f"ceiling: of drawings of just who was asked for, less than {percent(LEAST)} are judged "
        f"right: {', '.join(low)}; {figures['pictures']} pictures in all -> no base can do better "
        "there; look at the pictures that ceiling/images lists, and mend judge or layout before "
        "training"
    ]


def ceiling_table(figures: Json) -> str:
    """The shares as text, a line a cast."""
    shapes = list(dict.fromkeys(canvas for cells in figures["casts"].values() for canvas in cells))
    lines = [f"{'ceiling':12}" + "".join(f"{shape:>10}" for shape in shapes)]
    for cast, cells in figures["casts"].items():
        shares = (f"{cells[shape]:10.2f}" if shape in cells else " " * 10 for shape in shapes)
        lines.append(f"{cast:12}" + "".join(shares))
    return "\n".join(lines)
