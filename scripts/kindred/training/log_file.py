"""Reading what a training writes down of its steps. Imports no torch."""

from __future__ import annotations

import csv
from pathlib import Path


def read_rows(log: Path) -> list[dict[str, float]]:
    """The numbers of a training.csv; a column that a row leaves empty is not in it. Raises OSError,
    and TypeError or ValueError for a file that is no such log."""
    with log.open(newline="", encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    return [{name: float(text) for name, text in row.items() if text} for row in read]
