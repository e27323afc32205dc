"""Pictures of kept steps that lie nearest to something trained on, and what that is, to be looked
at side by side: copying shows there first.

Knows series.json, lists of pictures and where prepared photos lie; opens no picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kindred.rendering.manifest import Row, read_manifest
from kindred.report.step_words import distinct
from kindred.specs.step_series import step_file

MOST = 24  # pairs on a page, of all variants


@dataclass(frozen=True)
class CopyPair:
    """A picture of a training's last step, and the photo or composite of its training nearest to
    it. prompt: its text; name: of the photo, with its dataset; copy: whether it lies nearer than
    photos lie to each other."""

    variant: str
    run: int
    prompt: str
    seed: int
    key: str
    picture: Path
    photo: Path
    name: str
    distance: float
    copy: bool


def read_copy_pairs(series: Mapping[str, Any], folder: Path, resources: Path) -> list[CopyPair]:
    """The nearest pairs of each variant of a series, nearest first, each picture once, at most
    MOST. folder: results/<experiment>. Raises KindredError for a list of pictures that can't be
    read."""
    found: dict[tuple[str, str], CopyPair] = {}
    lists: dict[tuple[str, int], dict[str, Row]] = {}
    for variant, one in distinct(series).items():
        for pair in one["pairs"]:
            run = int(pair["run"])
            if (variant, run) not in lists:
                file = folder / step_file(variant, run, one["steps"][-1], "images", "json")
                lists[variant, run] = {row.key: row for row in read_manifest(file).rows}
            row = lists[variant, run][pair["key"]]
            dataset, _, image = pair["photo"].partition("/")
            found.setdefault(
                (variant, row.key),
                CopyPair(
                    variant,
                    run,
                    row.prompt,
                    row.seed,
                    row.key,
                    row.path,
                    resources / dataset / "images" / f"{image}.png",
                    pair["photo"],
                    pair["distance"],
                    pair["copy"],
                ),
            )
    return sorted(found.values(), key=lambda one: one.distance)[:MOST]
