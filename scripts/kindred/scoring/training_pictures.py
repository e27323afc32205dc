"""What a variant was trained on, and which rendered pictures are copies of it.

A picture is called a copy when it lies nearer to a picture trained on than photos lie to one
another: nearer than the 1 % quantile of photos' distances to their nearest other photo. Whether
that is more than chance is told by photos that were not trained on (Meehan et al. 2020, "A
Non-Parametric Test to Detect Data-Copying in Generative Models", arXiv 2004.05675). Imports no
torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from kindred.common.errors import KindredError
from kindred.data.dataset import DatasetImage
from kindred.data.subset_selection import select
from kindred.judges.interface import Box
from kindred.scoring.image_distance import distances
from kindred.scoring.image_vectors import ImageVectors, load
from kindred.scoring.references import ADVICE
from kindred.specs.scoring import CompareSpec, TrainedOn

QUANTILE = 0.01
NEAR = 0.05  # of a picture's width, between edges of heads at the same place
Json = dict[str, Any]
Size = tuple[int, int]  # width, height
Person = tuple[str, Box]  # letter, '' of a stranger; the head's box in pixels


@dataclass(frozen=True)
class Pictures:
    """Pictures as they are compared: vectors [N, W]; hashes [N, 16] uint8, the 128 bits of the
    difference hash; rows of the facts, with `name` ('dataset/id')."""

    rows: Sequence[Json]
    vectors: np.ndarray
    hashes: np.ndarray

    def subset(self, chosen: Sequence[int]) -> Pictures:
        """Some of them, in the order given."""
        places = np.array(chosen, dtype=int)
        return Pictures([self.rows[n] for n in chosen], self.vectors[places], self.hashes[places])


@dataclass(frozen=True)
class Nearest:
    """Of M pictures: name of the nearest one of some others, its row and distance [M]; without any
    others no names and NaN."""

    rows: Sequence[Json | None]
    distance: np.ndarray

    @property
    def names(self) -> list[str]:
        """'dataset/id', or ''."""
        return [row["name"] if row else "" for row in self.rows]


@dataclass(frozen=True)
class Comparison:
    """A picture's columns of scores about copies, and the row of the composite nearest to it."""

    columns: Json
    composite: Json | None


@dataclass(frozen=True)
class TrainingPictures:
    """The photos and the pictures made of photos that a variant was trained on, all photos of
    those datasets, and photos that it was not trained on. No picture stands in one of them twice.
    kind: what distances are measured by."""

    kind: str
    photos: Pictures
    composites: Pictures
    every_photo: Pictures
    held_out: Pictures

    @cached_property
    def line(self) -> float | None:
        """The 1 % quantile of the distance of photos to their nearest other photo, linear between
        the two nearest values; None with fewer than two photos."""
        return _low_quantile(
            distances(self.every_photo.vectors, self.every_photo.vectors, self.kind)
        )

    @cached_property
    def line_bits(self) -> float | None:
        """The same of the number of bits in which hashes differ."""
        return _low_quantile(differing_bits(self.every_photo.hashes, self.every_photo.hashes))

    def nearest_photo(self, vectors: np.ndarray) -> Nearest:
        """Of pictures by their vectors [M, W]."""
        return _nearest(vectors, self.photos, self.kind)

    def nearest_composite(self, vectors: np.ndarray) -> Nearest:
        """Of pictures by their vectors [M, W]."""
        return _nearest(vectors, self.composites, self.kind)

    def distance(self, vectors: np.ndarray) -> np.ndarray:
        """Distance [M] to the nearest picture trained on, photo or composite; NaN without any."""
        both = self.nearest_photo(vectors).distance, self.nearest_composite(vectors).distance
        return np.fmin(*both)

    def bits(self, hashes: np.ndarray) -> np.ndarray:
        """Fewest bits [M] in which hashes [M, 16] differ from one trained on; NaN without any."""
        known = np.concatenate([self.photos.hashes, self.composites.hashes])
        if not len(known):
            return np.full(len(hashes), np.nan)
        return differing_bits(hashes, known).min(1).astype(float)

    def comparisons(self, vectors: np.ndarray, hashes: np.ndarray) -> list[Comparison]:
        """Of pictures by their vectors [M, W] and hashes [M, 16]: what is like them."""
        photo, composite = self.nearest_photo(vectors), self.nearest_composite(vectors)
        distance, bits = np.fmin(photo.distance, composite.distance), self.bits(hashes)
        return [
            Comparison(
                {
                    "nearest": photo.names[n],
                    "nearest_distance": _known(photo.distance[n]),
                    "nearest_composite": composite.names[n],
                    "nearest_composite_distance": _known(composite.distance[n]),
                    "nearest_bits": None if np.isnan(bits[n]) else int(bits[n]),
                    "copied": _below(distance[n], self.line),
                    "copied_by_bits": _below(bits[n], self.line_bits),
                },
                composite.rows[n],
            )
            for n in range(len(vectors))
        ]

    def told(self) -> Json:
        """What comparing needs to know: how many pictures there are, the lines, and how far the
        photos that were not trained on are from those that were."""
        held = self.held_out
        return {
            "photos": len(self.photos.rows),
            "composites": len(self.composites.rows),
            "real_photos": len(self.every_photo.rows),
            "line": self.line,
            "line_bits": self.line_bits,
            "held_out": [x for x in self.distance(held.vectors).tolist() if not np.isnan(x)],
            "held_out_bits": [x for x in self.bits(held.hashes).tolist() if not np.isnan(x)],
        }


def read_vectors(files: Sequence[Path]) -> dict[str, ImageVectors]:
    """Dataset -> its vectors. Raises KindredError as `load` does."""
    return {one.facts["dataset"]: one for one in map(load, files)}


def told_of_variants(spec: CompareSpec, files: Sequence[Path]) -> dict[str, Json]:
    """Variant -> what comparing needs to know of what it was trained on."""
    known, letters = read_vectors(files), sorted(spec.characters)
    return {
        name: training_pictures(one.trained_on, one.held_out, known, letters).told()
        for name, one in spec.variants.items()
        if one.trained_on
    }


def training_pictures(
    parts: Sequence[TrainedOn],
    held_out: Sequence[str],
    known: Mapping[str, ImageVectors],
    letters: Sequence[str],
) -> TrainingPictures:
    """What `parts` take of the datasets in `known`, dataset -> vectors. held_out: datasets that
    nothing is trained on; without any, the photos count that `parts` leave out. letters: of all
    characters. Raises KindredError for a dataset without vectors, and when vectors are not by one
    judge."""
    lacking = {*(part.dataset for part in parts), *held_out} - known.keys()
    if lacking:
        what = f"the vectors of {', '.join(sorted(lacking))} are missing"
        raise KindredError(what, "copies of training pictures", "run `snakemake`, which makes them")
    if len({one.facts["judge"] for one in known.values()}) > 1:
        raise KindredError("were made by different judges", "vectors of the datasets", ADVICE)
    kinds = {one.facts["distance"] for one in known.values()}
    datasets = list(dict.fromkeys(part.dataset for part in parts))
    every = _together([(name, known[name]) for name in datasets])
    chosen: set[str] = set()
    for part in parts:
        chosen |= _chosen(part, known[part.dataset], letters)
    trained = [n for n, row in enumerate(every.rows) if row["pixels"] in chosen]
    photos = [n for n, row in enumerate(every.rows) if not row["made"]]
    if held_out:
        other = _together([(name, known[name]) for name in held_out])
        held = other.subset([n for n, x in enumerate(other.rows) if x["pixels"] not in chosen])
    else:
        held = every.subset([n for n in photos if every.rows[n]["pixels"] not in chosen])
    return TrainingPictures(
        kind=kinds.pop() if kinds else "",
        photos=every.subset([n for n in trained if not every.rows[n]["made"]]),
        composites=every.subset([n for n in trained if every.rows[n]["made"]]),
        every_photo=every.subset(photos),
        held_out=held,
    )


def _together(parts: Sequence[tuple[str, ImageVectors]]) -> Pictures:
    """The pictures of several datasets, those of equal pixels once."""
    rows: dict[str, Json] = {}
    vectors: dict[str, np.ndarray] = {}
    for name, one in parts:
        for row, vector in zip(one.pictures, one.vectors, strict=True):
            rows.setdefault(row["pixels"], {**row, "name": f"{name}/{row['id']}"})
            vectors.setdefault(row["pixels"], vector)
    listed = list(rows.values())
    stacked = np.stack(list(vectors.values())) if vectors else np.zeros((0, 1), np.float32)
    return Pictures(listed, stacked, hash_bytes([row["bits"] for row in listed]))


def _chosen(part: TrainedOn, known: ImageVectors, letters: Sequence[str]) -> set[str]:
    """Hashes of the pixels of what is taken of a dataset."""
    items = [
        DatasetImage(x["id"], x["photo"], x["cell"], 0, 0, x["pixels"], "", "", x["made"])
        for x in known.pictures
    ]
    return {item.pixel_hash for item in select(items, part.selection, letters)}


def hash_bytes(texts: Sequence[str]) -> np.ndarray:
    """Difference hashes as hex -> [N, 16] uint8."""
    return np.array([list(bytes.fromhex(text)) for text in texts], np.uint8).reshape(-1, 16)


def differing_bits(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Hashes [M, 16] and [N, 16] -> number of bits [M, N] in which they differ."""
    return np.bitwise_count(a[:, None] ^ b[None]).sum(-1, dtype=np.int64)


def _low_quantile(between: np.ndarray) -> float | None:
    """Of the distances to the nearest other, by the distances [N, N] of all to all."""
    if len(between) < 2:
        return None
    others = between.astype(float)
    np.fill_diagonal(others, np.inf)
    return float(np.quantile(others.min(1), QUANTILE))


def _nearest(vectors: np.ndarray, among: Pictures, kind: str) -> Nearest:
    if not len(among.rows):
        return Nearest([None] * len(vectors), np.full(len(vectors), np.nan))
    far = distances(vectors, among.vectors, kind)
    return Nearest([among.rows[n] for n in far.argmin(1)], far.min(1))


def same_layout(composite: Json | None, size: Size, people: Sequence[Person]) -> bool | None:
    """Whether a picture of `size` shows the same people from left to right as a composite, with
    every edge of their heads within 5 % of the picture's width. The composite is laid over the
    picture, stretched to its size where that differs. None without a composite whose heads are all
    known."""
    known = composite and composite["people"]
    if not known or any(one["head"] is None for one in known):
        return None
    there = [(one["letter"], _scaled(one["head"], size)) for one in known]
    ours, theirs = (sorted(some, key=_middle) for some in (people, there))
    if [letter for letter, _ in ours] != [letter for letter, _ in theirs]:
        return False
    edges = np.array([head for _, head in ours]) - np.array([head for _, head in theirs])
    return bool((np.abs(edges) <= NEAR * size[0]).all())


def _scaled(head: Sequence[float], size: Size) -> Box:
    return head[0] * size[0], head[1] * size[1], head[2] * size[0], head[3] * size[1]


def _middle(person: Person) -> float:
    return person[1][0] + person[1][2]


def _below(value: float, line: float | None) -> bool | None:
    """None where either is not known."""
    return None if line is None or np.isnan(value) else bool(value < line)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
