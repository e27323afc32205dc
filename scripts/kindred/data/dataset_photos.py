"""Prepared photos with their captions, as people look at them and judges compare with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class DatasetPhoto:
    """A prepared training photo and the letters of the characters in it."""

    image_id: str
    path: Path
    letters: frozenset[str]


def read_photos(
    images: Sequence[Mapping[str, Any]], captions: Sequence[Mapping[str, Any]], folder: Path
) -> list[DatasetPhoto]:
    """Photos out of images.json and captions.jsonl rows, each in its largest size; those without
    a caption are left out."""
    who = {row["id"]: frozenset(row["characters"]) for row in captions}
    largest: dict[str, Mapping[str, Any]] = {}
    for row in sorted(images, key=lambda row: (row["width"] * row["height"], row["image_id"])):
        if row["image_id"] in who:
            largest[row["photo"]] = row
    ids = sorted(row["image_id"] for row in largest.values())
    return [DatasetPhoto(name, folder / f"{name}.png", who[name]) for name in ids]
