"""Which photos are reference pictures, the sharpest of each character alone, and which are left to
judge by.

Knows rows of images.json and captions.jsonl; knows nothing of drawing or judging.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kindred.common.errors import KindredError, Problems
from kindred.common.files import read_json, read_jsonl
from kindred.common.sentences import counted, listing
from kindred.data.dataset_photos import DatasetPhoto, read_photos
from kindred.specs.reference_pictures import ShownPhotos
from kindred.specs.scoring import ReferenceSpec

RESOURCES = Path("resources")
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class ShownPhoto:
    """A prepared photo as a base is shown it. source: hash of the file it was made of."""

    path: Path
    pixel_hash: str
    width: int
    height: int
    source: str

    @property
    def content(self) -> dict[str, Any]:
        """What pictures that are drawn with it depend on."""
        return {"pixel_hash": self.pixel_hash, "width": self.width, "height": self.height}


def read_shown(spec: ShownPhotos, resources: Path = RESOURCES) -> dict[str, list[ShownPhoto]]:
    """Character -> its reference pictures, of a dataset as it was prepared. Raises ProblemsError as
    `choose` does."""
    folder = resources / spec.dataset
    rows = read_json(folder / "images.json"), read_jsonl(folder / "captions.jsonl")
    return choose(spec, *rows, folder)


def choose(
    spec: ShownPhotos, images: Rows, captions: Rows, folder: Path
) -> dict[str, list[ShownPhoto]]:
    """Character -> so many of its photos, the sharpest first, then by id: of those that show it
    alone, each in its largest size that the base takes, one of equal files.

    Raises ProblemsError naming every character with too few.
    """
    problems = Problems("there are too few photos for reference pictures")
    found = {}
    for letter, count in sorted(spec.photos.items()):
        alone = _alone(letter, spec.area, images, captions)
        if len(alone) < count:
            problems.add(
                f"{folder.name}: {letter}",
                f"`references` asks for {counted(count, 'photo')} of {letter} alone with at most "
                f"{spec.area} pixels, but the dataset has {len(alone)}",
                f"ask for fewer, or add photos. Their captions must name {letter}, and one of the "
                "dataset's `resolutions` must be small enough",
            )
        found[letter] = [_photo(row, folder) for row in alone[:count]]
    problems.raise_if_any()
    return found


def _alone(letter: str, area: int, images: Rows, captions: Rows) -> Rows:
    """Rows of a character's photos alone, the best first."""
    who = {row["id"]: set(row["characters"]) for row in captions}
    largest: dict[str, Mapping[str, Any]] = {}
    for row in sorted(images, key=lambda row: (row["width"] * row["height"], row["image_id"])):
        fits = row["width"] * row["height"] <= area and not row.get("made")
        if fits and who.get(row["image_id"]) == {letter}:
            largest[row["source_sha256"]] = row
    return sorted(largest.values(), key=lambda row: (-row["sharpness"], row["image_id"]))


def _photo(row: Mapping[str, Any], folder: Path) -> ShownPhoto:
    path = folder / "images" / f"{row['image_id']}.png"
    size = row["width"], row["height"]
    return ShownPhoto(path, row["pixel_hash"], *size, source=row["source_sha256"])


def photos_to_judge_by(
    spec: ReferenceSpec, resources: Path = RESOURCES
) -> dict[str, list[DatasetPhoto]]:
    """The prepared photos of each dataset that shows a judge the characters, but for reference
    pictures. Raises KindredError as `without_shown` does."""
    folders = {name: resources / name for name in spec.datasets}
    rows = {
        name: (read_json(folder / "images.json"), read_jsonl(folder / "captions.jsonl"))
        for name, folder in folders.items()
    }
    left = without_shown(rows, sources_shown(spec.shown, resources))
    return {name: read_photos(*left[name], folder / "images") for name, folder in folders.items()}


def sources_shown(specs: Iterable[ShownPhotos], resources: Path = RESOURCES) -> dict[str, set[str]]:
    """Character -> hashes of the files that are reference pictures of some variant."""
    found: dict[str, set[str]] = {}
    for spec in specs:
        for letter, photos in read_shown(spec, resources).items():
            found.setdefault(letter, set()).update(photo.source for photo in photos)
    return found


def without_shown(
    datasets: Mapping[str, tuple[Rows, Rows]], shown: Mapping[str, set[str]]
) -> dict[str, tuple[Rows, Rows]]:
    """Datasets' rows of images and captions but for images made of files that are reference
    pictures, in every size.

    Raises KindredError where that leaves no photo of a character alone in any of them.
    """
    if not shown:
        return dict(datasets)
    every = set().union(*shown.values())
    left: dict[str, tuple[Rows, Rows]] = {
        name: ([row for row in images if row["source_sha256"] not in every], captions)
        for name, (images, captions) in datasets.items()
    }
    lost = sorted(shown.keys() & _found_alone(datasets) - _found_alone(left))
    if lost:
        raise KindredError(
            f"every photo that shows {listing(lost)} alone is a reference picture, so none is "
            "left for the judge",
            "references",
            "add photos, or ask for fewer reference pictures",
        )
    return left


def _found_alone(datasets: Mapping[str, tuple[Rows, Rows]]) -> set[str]:
    """Characters that some photo shows alone."""
    found = set()
    for images, captions in datasets.values():
        ids = {row["image_id"] for row in images}
        cells = [row["characters"] for row in captions if row["id"] in ids]
        found |= {cell[0] for cell in cells if len(cell) == 1}
    return found
