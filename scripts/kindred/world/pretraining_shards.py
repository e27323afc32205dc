"""Shards of drawings for pretraining: pictures, captions and the truth as arrays.

One size a shard; the same seed gives the same shard. Knows files and arrays, nothing of models.

A shard `NAME.npz` (uncompressed) holds, for N pictures of at most P = 4 people:
images uint8 [N, H, W, 3]; n_people uint8 [N]; boxes, heads float32 [N, P, 4] (x0, y0, x1, y1 in
pixels, 0 beyond n_people); traits float32 [N, P, 16]; names int16 [N, P] (index in
`named_strangers()`, -1 unnamed or nobody); place, framing int8 [N]; and int8 [N, P] for each key of
ATTRIBUTES (index in its values, -1 nobody). `NAME.jsonl` beside it has a line a picture:
{"short": ..., "detailed": ...}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from random import Random

import numpy as np

from kindred.common.files import atomic_write, read_jsonl, write_jsonl
from kindred.common.progress import Progress
from kindred.world.captions import caption
from kindred.world.drawing import draw
from kindred.world.people import named_strangers
from kindred.world.scene import Figure, sample_scene
from kindred.world.vocabulary import (
    CLOTHES,
    COLOURS,
    EXPRESSIONS,
    FRAMINGS,
    GAZES,
    HAIR_COLOURS,
    HAIR_STYLES,
    HATS,
    KINDS,
    PLACES,
    POSES,
    SIZES,
    TRAITS,
)

MAX_PEOPLE = 4
ATTRIBUTES: dict[str, tuple] = {
    "kind": KINDS,
    "hair_style": HAIR_STYLES,
    "hair_colour": HAIR_COLOURS,
    "beard": (False, True),
    "glasses": (False, True),
    "clothes": CLOTHES,
    "clothes_colour": COLOURS,
    "hat": HATS,
    "hat_colour": (None, *COLOURS),
    "expression": EXPRESSIONS,
    "gaze": GAZES,
    "pose": POSES,
}
_OF_PERSON = ("kind", "hair_style", "hair_colour", "beard", "glasses")
SHARD = 2000  # pictures in one
SHARES = {"portrait": 0.40, "landscape": 0.26, "wide": 0.34}  # of sizes in a mixture


def attribute(figure: Figure, key: str) -> int:
    """Index of a figure's value in ATTRIBUTES[key]."""
    source = figure.person if key in _OF_PERSON else figure
    return ATTRIBUTES[key].index(getattr(source, key))


def draw_arrays(
    seed: int, count: int, size: tuple[int, int], people_each: int | None = None
) -> tuple[dict[str, np.ndarray], list[dict[str, str]]]:
    """Arrays and captions of `count` random scenes; see the module for shapes. `people_each`: in
    every scene; one to four, at random, when None."""
    width, height = size
    people = (count, MAX_PEOPLE)
    arrays = {
        "images": np.zeros((count, height, width, 3), np.uint8),
        "n_people": np.zeros(count, np.uint8),
        "boxes": np.zeros((*people, 4), np.float32),
        "heads": np.zeros((*people, 4), np.float32),
        "traits": np.zeros((*people, len(TRAITS)), np.float32),
        "names": np.full(people, -1, np.int16),
        "place": np.zeros(count, np.int8),
        "framing": np.zeros(count, np.int8),
    } | {key: np.full(people, -1, np.int8) for key in ATTRIBUTES}
    index = {person.name: k for k, person in enumerate(named_strangers())}
    captions = []
    for n in range(count):
        rng = Random(seed * 1_000_003 + n)
        scene = sample_scene(rng, size=size, count=people_each)
        drawing = draw(scene, masks=False)
        arrays["images"][n] = np.asarray(drawing.image)
        arrays["n_people"][n] = len(scene.figures)
        arrays["place"][n] = PLACES.index(scene.place)
        arrays["framing"][n] = FRAMINGS.index(scene.framing)
        for k, figure in enumerate(scene.figures):
            arrays["boxes"][n, k] = drawing.boxes[k]
            arrays["heads"][n, k] = drawing.heads[k]
            arrays["traits"][n, k] = figure.person.traits
            arrays["names"][n, k] = index.get(figure.person.name, -1)
            for key in ATTRIBUTES:
                arrays[key][n, k] = attribute(figure, key)
        captions.append({key: caption(scene, rng, detail=key) for key in ("short", "detailed")})
    return arrays, captions


def person_facts(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Everything about each person as numbers, float16 [N, P, F]: traits scaled to variance 1 over
    all people, then each of ATTRIBUTES one-hot. Zero where there is nobody."""
    parts = [arrays["traits"] * np.float32(np.sqrt(3))]
    for key, values in ATTRIBUTES.items():
        parts.append(arrays[key][..., None] == np.arange(len(values)))
    return np.concatenate(parts, axis=-1, dtype=np.float16, casting="unsafe")


@dataclass(frozen=True)
class Shard:
    """One shard to be drawn: `count` pictures of `size` (width, height), with so many people in
    each; 1 to 4 at random for None."""

    seed: int
    count: int
    size: tuple[int, int]
    path: Path
    people: int | None = None

    @property
    def is_there(self) -> bool:
        """Whether it was drawn before, with its captions."""
        return self.path.exists() and captions_path(self.path).exists()

    def draw(self) -> int:
        """Draw it; how many pictures."""
        draw_shard(self.seed, self.count, self.size, self.path, self.people)
        return self.count


def plan_shards(
    out: Path, size: str, seed: int, count: int, most: int, people: int | None
) -> list[Shard]:
    """`count` pictures in shards of at most `most`. size: a name in SIZES, or 'mixed'."""
    shares = SHARES if size == "mixed" else {size: 1.0}
    shards = []
    for k, (name, share) in enumerate(shares.items()):
        left, number = round(count * share), 0
        while left > 0:
            path = out / f"{name}-{seed}-{number:04d}.npz"
            own = seed * 100_000 + k * 10_000 + number
            shards.append(Shard(own, min(most, left), SIZES[name], path, people))
            left, number = left - shards[-1].count, number + 1
    return shards


def draw_missing(shards: Sequence[Shard], workers: int) -> None:
    """Draw the shards that are not there yet, several at once."""
    missing = [shard for shard in shards if not shard.is_there]
    total, waiting = (sum(shard.count for shard in group) for group in (shards, missing))
    with Progress("drawing", total, "picture", initial=total - waiting) as progress:
        if workers <= 1:
            for shard in missing:
                progress.update(shard.draw())
        elif missing:
            with get_context("spawn").Pool(min(workers, len(missing))) as pool:
                for count in pool.imap_unordered(Shard.draw, missing):
                    progress.update(count)


def draw_shard(
    seed: int,
    count: int,
    size: tuple[int, int],
    out_path: Path | str,
    people_each: int | None = None,
) -> Path:
    """Write one shard (`out_path` ends in .npz) and its captions; the .npz appears last, whole."""
    out_path = Path(out_path)
    arrays, captions = draw_arrays(seed, count, size, people_each)
    write_jsonl(captions_path(out_path), captions)
    with atomic_write(out_path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)
    return out_path


def captions_path(shard: Path | str) -> Path:
    """The captions that belong to a shard."""
    return Path(shard).with_suffix(".jsonl")


def read_shard(path: Path | str) -> tuple[dict[str, np.ndarray], list[dict[str, str]]]:
    """Arrays and captions of a shard written by `draw_shard`."""
    with np.load(path) as file:
        arrays = {key: file[key] for key in file.files}
    return arrays, read_jsonl(captions_path(path))
