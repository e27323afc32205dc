"""Drawings: the same bytes by seed, true boxes and masks, heads apart, every trait visible."""

import hashlib
import json
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from PIL import ImageChops, ImageStat

from kindred.world.drawing import draw, truth
from kindred.world.people import named_strangers, random_person
from kindred.world.scene import Figure, Scene, sample_scene
from kindred.world.vocabulary import (
    EXPRESSIONS,
    GAZES,
    HATS,
    LANDSCAPE,
    PLACES,
    PORTRAIT,
    TRAITS,
    WIDE,
)

PINNED = {
    PORTRAIT: "adf4e07781c1063463f57247b30190d2b3f9cf50a9280855aae8f373811df5e5",
    LANDSCAPE: "94dbaf63d63e471e363cbcabee086c58c1108a0645a10f19232c91f0f25a9dc8",
    WIDE: "386a49f3fa1c2849c34532117c97ef7c9a55903b9de0d1ef9ca530fcc0102fb7",
}


def difference(a, b):
    """Mean absolute difference of two images, in grey levels."""
    return sum(ImageStat.Stat(ImageChops.difference(a, b)).mean) / 3


def portrait(person, expression="smiling", gaze="ahead", hat=None):
    figure = Figure(
        person, "shirt", "green", hat, hat and "blue", expression, gaze, "standing", 48, 54, 38
    )
    return Scene(96, 100, "studio", "headshot", (figure,))


@pytest.mark.parametrize("size", [PORTRAIT, LANDSCAPE, WIDE])
def test_the_same_seed_gives_the_pinned_bytes(size):
    rng = Random(2024)
    digest = hashlib.sha256()
    for _ in range(12):
        drawing = draw(sample_scene(rng, size=size))
        assert drawing.image.size == size
        digest.update(drawing.image.tobytes() + drawing.masks.tobytes())
    assert digest.hexdigest() == PINNED[size]


def test_larger_scales_draw_the_same_picture_crisply():
    scene = sample_scene(Random(5), count=3, size=WIDE)
    small, large = draw(scene), draw(scene, 4)
    assert large.image.size == (768, 384)
    assert difference(small.image, large.image.reduce(4)) < 2.5
    for a, b in zip(small.boxes + small.heads, large.boxes + large.heads, strict=True):
        assert all(abs(4 * x - y) < 4 for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("size", [PORTRAIT, LANDSCAPE, WIDE])
def test_heads_stay_apart_and_inside_the_frame(size):
    rng = Random(6)
    for _ in range(400):
        scene = sample_scene(rng, size=size)
        heads = [figure.head for figure in scene.figures]
        for left, right in pairwise(heads):
            assert left[2] <= right[0] + 0.1
        assert heads[0][0] >= -0.1 and heads[-1][2] <= size[0] + 0.1
        assert all(head[3] <= size[1] for head in heads)


def test_heads_of_a_trio_are_large_enough_to_tell_apart():
    rng = Random(7)
    for _ in range(100):
        scene = sample_scene(rng, count=3, size=WIDE, place="park")
        for figure in scene.figures:
            grown = figure.person.kind in ("man", "woman")
            assert figure.unit * 2 >= (44 if grown else 35)


def test_masks_and_boxes_say_where_people_are():
    rng = Random(8)
    for _ in range(15):
        scene = sample_scene(rng, count=3, size=WIDE)
        drawing = draw(scene)
        assert set(drawing.masks.tobytes()) == {0, 1, 2, 3}
        for k, figure in enumerate(scene.figures):
            assert drawing.masks.getpixel((int(figure.x), int(figure.y))) == k + 1
            seen = drawing.masks.point(lambda v, k=k: 255 * (v == k + 1)).getbbox()
            box = drawing.boxes[k]
            if figure.pose != "hugging":
                assert seen[0] >= box[0] - 2 and seen[1] >= box[1] - 2
                assert seen[2] <= box[2] + 2 and seen[3] <= box[3] + 2


@pytest.mark.parametrize("trait", range(len(TRAITS)), ids=TRAITS)
@pytest.mark.parametrize("kind", ["man", "girl"])
def test_every_trait_shows(trait, kind):
    person = replace(random_person(Random(9), kind), traits=(0.0,) * len(TRAITS), beard=False)
    views = []
    for value in (-1.0, -0.3, 0.3, 1.0):
        traits = tuple(value if k == trait else 0.0 for k in range(len(TRAITS)))
        views.append(draw(portrait(replace(person, traits=traits))).image)
    ends = difference(views[0], views[-1])
    assert ends > 0.25
    assert all(difference(a, b) > 0.1 * ends for a, b in pairwise(views))


@pytest.mark.parametrize(
    "values, key", [(EXPRESSIONS, "expression"), (GAZES, "gaze"), (HATS, "hat")]
)
def test_every_expression_gaze_and_hat_looks_different(values, key):
    person = random_person(Random(10), "woman")
    views = [draw(portrait(person, **{key: value})).image for value in values]
    for k, view in enumerate(views):
        assert all(difference(view, other) > 0.3 for other in views[:k])


def test_places_differ_behind_the_same_people():
    scene = sample_scene(Random(11), named_strangers()[:3], size=WIDE, place="park")
    views = [draw(replace(scene, place=place)).image for place in PLACES]
    for k, view in enumerate(views):
        assert all(difference(view, other) > 6 for other in views[:k])


def test_forced_attributes_hold_and_unknown_ones_are_refused():
    rng = Random(12)
    for _ in range(20):
        scene = sample_scene(rng, hat="cap", expression="sad", place="snow", clothes_colour="red")
        assert {(f.hat, f.expression, f.clothes_colour) for f in scene.figures} == {
            ("cap", "sad", "red")
        }
        assert scene.place == "snow"
        bare = sample_scene(rng, hat=None)
        assert {(f.hat, f.hat_colour) for f in bare.figures} == {(None, None)}
    with pytest.raises(ValueError, match="unknown attribute mood"):
        sample_scene(rng, mood="sad")
    with pytest.raises(ValueError, match="no headshot layout for 3 people at 128x144"):
        sample_scene(rng, count=3, size=PORTRAIT, framing="headshot")
    with pytest.raises(ValueError, match="1 to 4"):
        sample_scene(rng, named_strangers()[:5])


def test_truth_is_json_and_complete():
    scene = sample_scene(Random(13), count=2, size=LANDSCAPE)
    facts = json.loads(json.dumps(truth(scene, draw(scene))))
    assert facts["place"] == scene.place and facts["framing"] == scene.framing
    for figure, person in zip(scene.figures, facts["people"], strict=True):
        assert person["name"] == figure.person.name
        assert tuple(person["traits"]) == figure.person.traits
        for key in ("clothes", "clothes_colour", "hat", "expression", "gaze", "pose"):
            assert person[key] == getattr(figure, key)
        assert len(person["box"]) == len(person["head"]) == 4
