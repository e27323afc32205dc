"""Pictures of a class that a base drew, as an ordinary dataset folder for prior preservation."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from kindred.common.errors import Problems
from kindred.common.files import atomic_write, write_csv

COLUMNS = ("Filename", "Label")


class ClassImage(Protocol):
    """A rendered picture: its prompt with its name, its seed, and where it lies."""

    name: str
    prompt: str
    seed: int

    @property
    def path(self) -> Path:
        """Of the picture in the store."""


def write_dataset(pictures: Iterable[ClassImage], out: Path, advice: str) -> int:
    """Copy the pictures and write captions.csv; how many there are. Raises ProblemsError listing
    every picture that is missing from the store, with what to do (`advice`)."""
    problems, captions = Problems("class images are missing from the store"), []
    for row in pictures:
        name = f"{row.name}-{row.seed:04d}.png"
        if not row.path.exists():
            problems.add(str(row.path), "is missing", advice)
            continue
        with atomic_write(out / name) as temporary:
            shutil.copyfile(row.path, temporary)
        captions.append({"Filename": name, "Label": row.prompt})
    problems.raise_if_any()
    write_csv(out / "captions.csv", COLUMNS, captions)
    return len(captions)
