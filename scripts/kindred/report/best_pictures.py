"""The best picture of every prompt, to keep: chosen by people's ratings first, then by the judge.

Knows scores, ratings and places of pictures. What is written lies in results/<experiment>/best/.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kindred.common.files import write_json
from kindred.rendering.manifest import Row
from kindred.report.report_data import Place, ReportData

MOST = 60  # prompts; the page shows a few of them
OURS = (
    "*-seed-*"  # files of an earlier report; a variant may be called `best` and have its own here
)
GOOD = 0.5  # mean rating, 0 bad to 1 good, above which people want to keep a picture


@dataclass(frozen=True)
class BestPicture:
    """A picture to keep, the name of its file, and its mean rating where somebody rated it."""

    place: Place
    row: Row
    asked: str
    file: str
    rating: float | None

    def told(self) -> dict[str, Any]:
        """What the list beside the files says of it."""
        variant, run, prompt_set, prompt, seed = self.place
        told = {"file": self.file, "prompt": self.row.prompt, "seed": seed, "variant": variant}
        told |= {"run": run, "prompt_set": prompt_set, "name": prompt}
        return told | {"size": [self.row.width, self.row.height], "rating": self.rating}


def best_pictures(
    data: ReportData,
    variants: Collection[str],
    ratings: Mapping[str, float],
    broken: Collection[str],
) -> list[BestPicture]:
    """One picture at most of every prompt that names somebody, by the first of `variants` where
    equal. ratings: key -> mean, 0 bad to 1 good. Left out: what is broken (keys), copies of photos,
    and what is neither right nor rated good. Prompts that ask for most people come first."""
    order = {name: n for n, name in enumerate(variants)}
    of_prompt: dict[tuple[str, str], list[Place]] = {}
    for place, row in data.pictures.items():
        if place[0] in order and row.key not in broken and _wanted(data, place, ratings):
            of_prompt.setdefault((place[2], place[3]), []).append(place)

    def rank(place: Place) -> tuple[float, ...]:
        row, rating = data.scores[place], ratings.get(data.pictures[place].key)
        liked = 0.5 if rating is None else rating
        numbers = [float(row[name] or 0) for name in ("identity", "adherence")]
        return (liked, float(is_right(row)), *numbers, -order[place[0]], -place[1], -place[4])

    found = []
    for prompt_set, name, _, asked in data.prompts:
        places = of_prompt.get((prompt_set, name))
        if asked and places:
            place = max(places, key=rank)
            row = data.pictures[place]
            file = _file_name(prompt_set, name, place[4], row.path.suffix)
            found.append(BestPicture(place, row, asked, file, ratings.get(row.key)))
    found.sort(key=lambda one: -one.asked.count("+"))
    return found[:MOST]


def prompts_without(data: ReportData, best: Collection[BestPicture]) -> list[str]:
    """Texts of the prompts that name somebody and have no picture to keep."""
    had = {one.place[2:4] for one in best}
    return [text for key, name, text, asked in data.prompts if asked and (key, name) not in had]


def write_best(path: Path, best: Collection[BestPicture]) -> None:
    """Copy the pictures beside the list of their prompts and seeds at `path`, in place of those of
    an earlier report."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.glob(OURS):
        old.unlink()
    for one in best:
        shutil.copyfile(one.row.path, path.parent / one.file)
    write_json(path, [one.told() for one in best])


def is_right(row: Mapping[str, str]) -> bool:
    """Whether exactly those asked for are in a picture, by the judge; with strangers, as many."""
    return (row["cast_right"] or row["success"]) == "1"


def _wanted(data: ReportData, place: Place, ratings: Mapping[str, float]) -> bool:
    row, rating = data.scores.get(place), ratings.get(data.pictures[place].key)
    if row is None or row["copied"] == "1":
        return False
    return rating > GOOD if rating is not None else is_right(row)


def _file_name(prompt_set: str, prompt: str, seed: int, suffix: str) -> str:
    words = re.sub(r"[^\w.+-]+", "-", f"{prompt_set}-{prompt}")
    return f"{words}-seed-{seed}{suffix}"
