"""Heads in one row and in two: apart, inside the frame, and as large as fit."""

from itertools import combinations
from random import Random

import numpy as np
import pytest

from kindred.world.captions import caption
from kindred.world.drawing import draw, truth
from kindred.world.ground_truth_masks import mask_of
from kindred.world.layouts import HEAD_X, framings, two_rows
from kindred.world.people import random_person
from kindred.world.scene import front_row, sample_scene
from kindred.world.vocabulary import LANDSCAPE, PORTRAIT, SIZES, WIDE, adult

ROWS_OF = [(PORTRAIT, 3), (PORTRAIT, 4), (LANDSCAPE, 4), ((96, 192), 3), ((160, 160), 4)]


def scenes(size, count, number=60, **options):
    for seed in range(number):
        rng = Random(seed)
        yield sample_scene(rng, [random_person(rng) for _ in range(count)], size=size, **options)


def apart(one, other):
    """Whether two head boxes have no more in common than rounding does."""
    (a, b, c, d), (e, f, g, h) = one.head, other.head
    return c <= e + 0.1 or g <= a + 0.1 or d <= f + 0.1 or h <= b + 0.1


@pytest.mark.parametrize(("size", "count"), ROWS_OF)
@pytest.mark.parametrize("place", ["park", "christmas card"])
def test_in_two_rows_heads_are_apart_inside_and_from_left_to_right(size, count, place):
    for scene in scenes(size, count, place=place):
        figures = scene.figures
        assert all(apart(*pair) for pair in combinations(figures, 2))
        assert [f.x for f in figures] == sorted(f.x for f in figures)
        assert len(front_row(scene)) in ((1, 2) if count == 3 else (2,))
        for left, top, right, bottom in (figure.head for figure in figures):
            assert left >= 0 and top >= 0 and right <= size[0] and bottom <= size[1]
        gaps = np.diff([figure.x for figure in figures])
        assert gaps.min() > 0.25 * min(figure.unit for figure in figures)


def test_whoever_pretraining_shows_stands_in_one_row():
    shown = [(size, count) for size in SIZES.values() for count in (1, 2)]
    shown += [(LANDSCAPE, 3), (WIDE, 3), (WIDE, 4), ((256, 96), 3)]
    for size, count in shown:
        assert not two_rows(size, count)
        assert not any(front_row(scene) for scene in scenes(size, count, 20))


def test_heads_of_an_upright_trio_are_larger_than_in_a_landscape_one():
    def largest(size):
        found = scenes(size, 3, place="park")
        return [max(figure.unit for figure in scene.figures) for scene in found]

    in_a_row = PORTRAIT[0] / (2 * HEAD_X * 3)
    assert min(largest(PORTRAIT)) > 1.2 * in_a_row
    assert np.mean(largest(PORTRAIT)) > 1.15 * np.mean(largest(LANDSCAPE))


def test_children_stand_in_front_of_grown_ups_and_lower():
    mixed = 0
    for scene in scenes(PORTRAIT, 3, 200):
        children = {k for k, f in enumerate(scene.figures) if not adult(f.person.kind)}
        if children in ({1}, {0, 2}):
            assert front_row(scene) == children
            mixed += 1
        elif children:
            assert children & front_row(scene)
    assert mixed > 20


def test_among_grown_ups_one_or_two_stand_in_front():
    fronts = set()
    for seed in range(20):
        rng = Random(seed)
        people = [random_person(rng, "man") for _ in range(3)]
        fronts.add(frozenset(front_row(sample_scene(rng, people, size=PORTRAIT))))
    assert fronts == {frozenset({1}), frozenset({0, 2})}


def test_who_stands_in_front_hides_others_and_nobody_their_face():
    for scene in scenes(PORTRAIT, 3, 20):
        assert all(figure.pose != "hugging" for figure in scene.figures)
        drawing = draw(scene)
        masks = np.array(drawing.masks)
        for k, figure in enumerate(scene.figures):
            x, y, reach = int(figure.x), int(figure.y), int(figure.unit * 0.5)
            face = masks[y - reach : y + reach, x - reach : x + reach]
            assert (face == k + 1).mean() > 0.95
            x0, y0, x1, y1 = drawing.boxes[k]
            rows, columns = np.nonzero(masks == k + 1)
            assert x0 - 2 <= columns.min() and columns.max() <= x1 + 2
            assert y0 - 2 <= rows.min() and rows.max() <= y1 + 2


def test_masks_come_again_from_the_truth_alone():
    scene = next(scenes(PORTRAIT, 3, place="park"))
    drawing = draw(scene)
    assert (mask_of(truth(scene, drawing)) == np.array(drawing.masks)).all()


def test_captions_say_left_and_right_of_two_rows_truly():
    for seed, scene in enumerate(scenes(PORTRAIT, 3, 20)):
        kinds = [figure.person.kind for figure in scene.figures]
        if len({adult(kind) or kind for kind in kinds}) == 1 or "child" in kinds:
            continue
        text = caption(scene, Random(seed), "short", looks=False, sides=True, call="plain")
        found = [text.find(kind) for kind in kinds if kinds.count(kind) == 1 and kind in text]
        assert found == sorted(found)


def test_one_framing_fits_where_pretraining_has_none():
    assert list(framings(PORTRAIT, 3)) == ["bust"] and list(framings(WIDE, 3)) == ["bust"]
