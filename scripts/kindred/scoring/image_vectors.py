"""A dataset's pictures as a judge compares them whole: a vector and a perceptual hash of each.

What rendered pictures are compared with to find copies: the photos and composites trained on, and
photos that nothing was trained on. Knows prepared pictures and judges; knows nothing of rendered
pictures, nor which of a dataset's pictures a variant is trained on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kindred.common.errors import KindredError
from kindred.common.files import atomic_write, read_json, write_json
from kindred.data import person_masks
from kindred.data.dataset import DatasetImage, read_dataset
from kindred.judges.finite_answers import check_vectors
from kindred.judges.interface import Judge
from kindred.scoring.image_distance import describe, kind_of
from kindred.scoring.references import ADVICE, read_images

VERSION = 1
BATCH = 32
Json = dict[str, Any]


@dataclass(frozen=True)
class ImageVectors:
    """A dataset's pictures, each photo once, in its largest size. facts: what the JSON file holds;
    its `pictures` are rows with `id`, `photo`, `cell`, `made` ('' of a photo, else 'composed' or
    'cropped'), `pixels` and `bits` (hashes), and `people`, from the left, where it is known who is
    where: each `letter` and `head`, a box in shares of width and height or null. vectors: [N, W] in
    the rows' order."""

    facts: Json
    vectors: np.ndarray

    @classmethod
    def of(
        cls, dataset: str, judge: str, distance: str, pictures: list[Json], vectors: np.ndarray
    ) -> ImageVectors:
        """Rows and vectors of a dataset, by a judge's identity, compared by a kind of distance."""
        told = {"version": VERSION, "dataset": dataset, "judge": judge, "distance": distance}
        return cls({**told, "vectors": _digest(vectors), "pictures": pictures}, vectors)

    @property
    def pictures(self) -> list[Json]:
        """The rows."""
        return self.facts["pictures"]


def describe_dataset(judge: Judge, dataset: str, folder: Path) -> ImageVectors:
    """Look at every picture of the prepared dataset in `folder`. Raises ProblemsError naming
    pictures that can't be read."""
    images, captions = folder / "images.json", folder / "captions.jsonl"
    rows = {row["image_id"]: row for row in read_json(images)}
    items = largest_of_each(read_dataset(images, captions))
    # Of photos it is somebody's guess; where composites show whom was decided when they were made.
    made = any(item.made for item in items)
    known = person_masks.read(folder / "masks.json") if made else {}
    pictures = [
        {
            "id": item.image_id,
            "photo": item.photo,
            "cell": item.cell,
            "made": item.made,
            "pixels": item.pixel_hash,
            "bits": rows[item.image_id]["perceptual_hash"],
            "people": _people(rows[item.image_id], known) if item.made else None,
        }
        for item in items
    ]
    paths = [folder / "images" / f"{item.image_id}.png" for item in items]
    whose = judge.identity, kind_of(judge)
    return ImageVectors.of(dataset, *whose, pictures, _vectors(judge, paths))


def largest_of_each(items: Sequence[DatasetImage]) -> list[DatasetImage]:
    """Each photo once, in its largest size, by photo."""
    by_size = sorted(items, key=lambda item: (item.width * item.height, item.image_id))
    largest = {item.photo: item for item in by_size}
    return [largest[photo] for photo in sorted(largest)]


def _people(row: Json, known: dict[str, person_masks.MaskedPhoto]) -> list[Json] | None:
    masked = known.get(row["source"])
    if masked is None:
        return None
    size = row["source_width"], row["source_height"]
    heads = person_masks.head_boxes(masked, size, (row["width"], row["height"]))
    return [
        {"letter": person.letter, "head": head and [round(edge, 4) for edge in head]}
        for person, head in zip(masked.people, heads, strict=True)
    ]


def _vectors(judge: Judge, paths: Sequence[Path]) -> np.ndarray:
    parts = [
        describe(judge, read_images(paths[first : first + BATCH]))
        for first in range(0, len(paths), BATCH)
    ]
    vectors = np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)
    check_vectors(vectors, paths)
    return vectors


def vectors_beside(facts: Path) -> Path:
    """Where the vectors of a file of facts lie."""
    return facts.with_suffix(".npy")


def save(found: ImageVectors, facts: Path) -> None:
    """Write the facts, and beside them the vectors."""
    with atomic_write(vectors_beside(facts)) as temporary, open(temporary, "wb") as file:
        np.save(file, found.vectors, allow_pickle=False)
    write_json(facts, found.facts)


def load(facts: Path) -> ImageVectors:
    """Read both files; imports no torch. Raises KindredError when one is missing or old, or when
    they are not of each other."""
    known, beside = read_json(facts), vectors_beside(facts)
    if not isinstance(known, dict) or known.get("version") != VERSION:
        raise KindredError("contains vectors of another version", str(facts), ADVICE)
    try:
        vectors = np.load(beside, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise KindredError(f"can't be read ({error})", str(beside), ADVICE) from None
    if _digest(vectors) != known["vectors"]:
        raise KindredError(f"does not belong to {facts.name}", str(beside), ADVICE)
    return ImageVectors(known, vectors)


def _digest(vectors: np.ndarray) -> str:
    plain = np.ascontiguousarray(vectors, "<f4")
    return hashlib.sha256(f"{plain.shape}".encode() + plain.tobytes()).hexdigest()[:40]
