"""Crops around heads, and how what was drawn is blended in."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from kindred.rendering.face_crops import DrawnFace, blended, crop_of, drawn_size, weights

HEAD, SIZE = (40.0, 20.0, 60.0, 48.0), (192, 96)


def picture(seed: int = 0, size: tuple[int, int] = SIZE) -> Image.Image:
    values = np.random.RandomState(seed).randint(0, 256, (size[1], size[0], 3))
    return Image.fromarray(values.astype(np.uint8))


def plain(colour: int, crop: tuple[int, int, int, int]) -> Image.Image:
    return Image.new("RGB", (crop[2] - crop[0], crop[3] - crop[1]), (colour,) * 3)


def test_a_crop_is_a_square_around_the_head():
    x0, y0, x1, y1 = crop_of(HEAD, SIZE, 0.6)
    assert x1 - x0 == y1 - y0 == round(28 * 2.2)
    assert abs((x0 + x1) / 2 - 50) <= 1 and abs((y0 + y1) / 2 - 34) <= 1


@pytest.mark.parametrize(
    ("head", "crop"),
    [
        ((10, 20, 30, 48), (0, 3, 40, 65)),  # near the edge: cut on both sides
        ((0, 0, 20, 20), (0, 0, 24, 24)),  # in the corner
        ((-6, 76, 14, 100), (0, 71, 19, 96)),  # a head that reaches beyond the edge
        ((60, 4, 120, 92), (0, 0, 180, 96)),  # larger than the picture
    ],
)
def test_it_lies_in_the_picture_with_the_head_in_the_middle(head, crop):
    assert crop_of(head, SIZE, 0.6) == crop


def test_it_is_drawn_in_as_many_pixels_as_the_square_and_in_its_own_shape():
    assert drawn_size((10, 10, 72, 72), 128, 16) == (128, 128)
    assert drawn_size((0, 0, 192, 96), 128, 16) == (176, 96)
    assert drawn_size((0, 0, 60, 60), 135.8, 16) == (128, 128)
    assert drawn_size((0, 0, 4, 4), 2, 16) == (16, 16)


def test_weights_are_whole_in_the_head_and_nothing_at_the_border():
    crop = crop_of(HEAD, SIZE, 0.6)
    found = weights(HEAD, crop)
    x0, y0 = crop[:2]
    assert (found[20 - y0 : 48 - y0, 40 - x0 : 60 - x0] == 1).all()
    border = np.concatenate([found[0], found[-1], found[:, 0], found[:, -1]])
    assert border.max() < 0.01 and border.min() >= 0


def test_they_do_not_fall_where_the_head_is_cut_by_the_picture():
    head = (0.0, 20.0, 20.0, 48.0)
    found = weights(head, crop_of(head, SIZE, 0.6))
    assert found[:, 0].max() == 1


def test_outside_the_crop_pixels_stay_and_inside_the_head_they_are_those_drawn():
    before, crop = picture(), crop_of(HEAD, SIZE, 0.6)
    after = np.asarray(blended(before, [DrawnFace(HEAD, crop, plain(200, crop))]))
    outside = np.ones(after.shape[:2], bool)
    outside[crop[1] : crop[3], crop[0] : crop[2]] = False
    assert (after[outside] == np.asarray(before)[outside]).all()
    assert (after[20:48, 40:60] == 200).all()
    assert (after[~outside] != np.asarray(before)[~outside]).any()


def test_the_same_pixels_change_nothing():
    before, crop = picture(), crop_of(HEAD, SIZE, 0.6)
    again = blended(before, [DrawnFace(HEAD, crop, before.crop(crop))])
    assert again.tobytes() == before.tobytes()


def test_nothing_drawn_changes_nothing():
    assert blended(picture(), []).tobytes() == picture().tobytes()


def test_a_face_that_stays_is_not_touched_by_its_neighbour():
    near = (66.0, 20.0, 86.0, 48.0)
    crop, kept = crop_of(HEAD, SIZE, 0.6), (near, crop_of(near, SIZE, 0.6))
    assert crop[2] > near[0], "they overlap"
    before = picture()
    after = np.asarray(blended(before, [DrawnFace(HEAD, crop, plain(200, crop))], [kept]))
    assert (after[20:48, 66:86] == np.asarray(before)[20:48, 66:86]).all()


def test_each_of_two_neighbours_is_their_own():
    near = (66.0, 20.0, 86.0, 48.0)
    faces = [
        DrawnFace(head, crop_of(head, SIZE, 0.6), plain(colour, crop_of(head, SIZE, 0.6)))
        for head, colour in ((HEAD, 50), (near, 200))
    ]
    there = np.asarray(blended(picture(), faces)).astype(int)
    back = np.asarray(blended(picture(), faces[::-1])).astype(int)
    assert (there == back).all(), "whichever comes first"
    assert abs(there[30:40, 48:52] - 50).max() <= 8 and abs(there[30:40, 74:78] - 200).max() <= 8
