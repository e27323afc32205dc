"""Drawings for learning who is who: many made-up people, each seen several times under other looks.

A face keeps its traits while hair, beard, glasses, hat, clothes, expression, place, framing, size
and often the kind change, so that nothing but the face tells who it is. Identities come in pairs
of look-alikes that share some traits. Knows nothing of networks.
"""

from __future__ import annotations

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np

from kindred.common.files import atomic_write, make_folder
from kindred.common.progress import Progress
from kindred.lab.judge_labels import MOST, SIZES, label_arrays
from kindred.world.drawing import draw
from kindred.world.people import Person, alike, random_person, restyle
from kindred.world.scene import Scene, sample_scene

COUNTS, COUNT_WEIGHTS = (1, 2, 3, 4), (40, 25, 25, 10)
OTHER_SEX = {"man": "woman", "woman": "man", "boy": "girl", "girl": "boy"}
OTHER_AGE = {"man": "boy", "boy": "man", "woman": "girl", "girl": "woman"}


@dataclass(frozen=True)
class View:
    """One appearance to draw: which identity of the shard, and how it looks this time."""

    identity: int
    person: Person


def sample_identities(rng: Random, count: int) -> list[Person]:
    """`count` (even) unnamed people; 2k and 2k + 1 share 0 to 12 traits."""
    people: list[Person] = []
    for _ in range(count // 2):
        person = random_person(rng)
        people += [person, alike(person, rng, rng.randrange(13))]
    return people


def sample_view(person: Person, rng: Random, constancy: tuple[bool, bool]) -> Person:
    """The same face with new looks; (sex, age) may change where `constancy` is False."""
    kind = person.kind
    if not constancy[0] and rng.random() < 0.5:
        kind = OTHER_SEX[kind]
    if not constancy[1] and rng.random() < 0.5:
        kind = OTHER_AGE[kind]
    return restyle(replace(person, kind=kind), rng)


def sample_views(people: list[Person], views: int, rng: Random) -> list[View]:
    """`views` appearances of everybody. Half keep their sex, 85 % their age throughout."""
    out = []
    for identity, person in enumerate(people):
        constancy = (rng.random() < 0.5, rng.random() < 0.85)
        out += [View(identity, sample_view(person, rng, constancy)) for _ in range(views)]
    return out


def group(views: list[View], rng: Random) -> list[list[View]]:
    """Split the views, shuffled, into pictures of one to four; nobody is twice in one."""
    views = list(views)
    rng.shuffle(views)
    pictures: list[list[View]] = []
    while views:
        count = rng.choices(COUNTS, COUNT_WEIGHTS)[0]
        picture: list[View] = []
        while views and len(picture) < count:
            if any(view.identity == views[-1].identity for view in picture):
                break
            picture.append(views.pop())
        pictures.append(picture)
    return pictures


def shard_scenes(seed: int, identities: int, views: int) -> tuple[list[Scene], list[list[int]]]:
    """The scenes of a shard, sorted by size, and who (index in the shard) stands in each."""
    rng = Random(seed)
    people = sample_identities(rng, identities)
    made = []
    for picture in group(sample_views(people, views, rng), rng):
        scene = sample_scene(rng, [view.person for view in picture], shuffle=False)
        made.append((scene, [view.identity for view in picture]))
    made.sort(key=lambda pair: SIZES.index((pair[0].width, pair[0].height)))
    return [scene for scene, _ in made], [who for _, who in made]


def draw_identity_shard(seed: int, identities: int, views: int, out: Path | str) -> int:
    """Draw a shard into `out` (npz); returns its number of pictures.

    images_0..2: uint8 [n, H, W, 3], one array a size in the order of SIZES; then the arrays of
    `label_arrays` and identity int32 [N, MOST] (-1: nobody), rows in the order of the images.
    """
    scenes, who = shard_scenes(seed, identities, views)
    drawings = [draw(scene, masks=False) for scene in scenes]
    labels = label_arrays(scenes, drawings)
    labels["identity"] = np.full((len(scenes), MOST), -1, np.int32)
    for row, indices in enumerate(who):
        labels["identity"][row, : len(indices)] = indices
    for k, (width, height) in enumerate(SIZES):
        rows = [d.image for d in drawings if d.image.size == (width, height)]
        shape = (len(rows), height, width, 3)
        labels[f"images_{k}"] = np.array([np.asarray(i) for i in rows], np.uint8).reshape(shape)
    with atomic_write(Path(out)) as temporary:
        np.savez(temporary, **labels)
    return len(scenes)


def draw_corpus(out: Path, identities: int, views: int, shard: int, seed: int, workers: int) -> int:
    """Draw the shards of a corpus that are not there yet, several at once; how many there are."""
    make_folder(out)
    jobs = {
        k: out / f"identities-{seed}-{views}x{shard}-{k:04d}.npz"
        for k in range(identities // shard)
    }
    todo = {k: path for k, path in jobs.items() if not path.exists()}
    # Fork: the children draw with Pillow only, and start at once.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with (
        Progress("identities", len(jobs), "shard", initial=len(jobs) - len(todo)) as progress,
        ProcessPoolExecutor(workers, context) as pool,
    ):
        futures = [
            pool.submit(draw_identity_shard, seed * 100_003 + k, shard, views, path)
            for k, path in todo.items()
        ]
        for future in as_completed(futures):
            future.result()
            progress.update()
    return len(jobs)
