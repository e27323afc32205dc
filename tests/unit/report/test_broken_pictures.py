"""Broken pictures are found by their pixels, whole ones are left alone."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from PIL import Image

from kindred.rendering.manifest import Row
from kindred.report.broken_pictures import broken_pictures, fault_of
from kindred.world.drawing import draw
from kindred.world.people import random_person
from kindred.world.scene import sample_scene

RNG = np.random.default_rng(0)
SIZE = (96, 128)


def latent_noise():
    """What a decoder makes of noise: alike within 8 px, unrelated beyond."""
    cells = RNG.integers(0, 256, (SIZE[1] // 8, SIZE[0] // 8, 3), dtype=np.uint8)
    soft = Image.fromarray(cells).resize(SIZE, Image.Resampling.NEAREST)
    grain = RNG.integers(-20, 20, (SIZE[1], SIZE[0], 3))
    return np.clip(np.asarray(soft, dtype=int) + grain, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("fault", "pixels"),
    [
        ("black", np.zeros((128, 96, 3), dtype=np.uint8)),
        ("white", np.full((128, 96, 3), 255, dtype=np.uint8)),
        ("of one colour", np.full((128, 96, 3), 128, dtype=np.uint8)),
        ("noise", RNG.integers(0, 256, (128, 96, 3), dtype=np.uint8)),
        ("noise", latent_noise()),
    ],
)
def test_what_is_broken_is_named(tmp_path, fault, pixels):
    path = tmp_path / "one.png"
    Image.fromarray(pixels).save(path)
    row = Row("p", "a prompt", 1, 96, 128, "key", path)
    assert fault_of(path) == fault and broken_pictures({"key": row}) == {"key": fault}


def test_drawn_people_and_lost_files_are_not_broken(tmp_path):
    rng = Random(1)
    scene = sample_scene(rng, [random_person(rng) for _ in range(2)])
    path = tmp_path / "drawn.png"
    draw(scene, masks=False).image.save(path)
    width, height = Image.open(path).size
    rows = {
        "a": Row("p", "a", 1, width, height, "a", path),
        "b": Row("p", "b", 1, width, height, "b", tmp_path / "lost.png"),
    }
    assert fault_of(path) == "" and broken_pictures(rows) == {}
