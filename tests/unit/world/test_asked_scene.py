"""Scenes by what prompts ask for: strangers, place, order, garments, and layouts on any canvas."""

from __future__ import annotations

import re
from itertools import combinations
from random import Random

import numpy as np
import pytest

from kindred.specs import casts
from kindred.specs.casts import cast_prompts
from kindred.world.asked_scene import asked_scene, strangers_in
from kindred.world.drawing import draw
from kindred.world.families import FAMILIES
from kindred.world.people import named_strangers, random_person
from kindred.world.phrases import PLACE_PHRASES, TOKEN_LIMIT, place_in, token_count
from kindred.world.scene import sample_scene
from kindred.world.vocabulary import (
    CLOTHES_OF_KIND,
    COLOURS,
    KINDS,
    LANDSCAPE,
    PORTRAIT,
    WIDE,
    noun,
)

RUSSELLS = ["JRussell", "ARussell", "CRussell"]


def kinds(text, count, seed=0):
    return [person.kind for person in strangers_in(text, RUSSELLS, count, Random(seed))]


def test_strangers_are_those_mentioned_who_are_no_members():
    assert kinds("a photo of JRussell, a woman and a man", 2) == ["woman", "man"]
    assert kinds("a man, JRussell and ARussell in the park", 1) == ["man"]
    assert kinds("a photo of JRussell and CRussell", 0) == []
    assert kinds("adult man JRussell and a boy", 1) == ["boy"]
    assert {kinds("a child", 1, seed)[0] for seed in range(20)} == {"boy", "girl"}


def test_whom_a_text_calls_in_other_words_is_somebody():
    first, *others = kinds("JRussell, a woman, somebody tall and tom", 3)
    assert first == "woman" and len(others) == 2
    assert len(kinds("in the park", 2)) == 2


def test_a_name_is_its_person_where_the_world_knows_it_and_somebody_new_elsewhere():
    known = named_strangers()[7]
    first, second = strangers_in(f"{known.name} and TMarlow", RUSSELLS, 2, Random(1))
    assert first == known
    assert second.name is None and second.traits not in {p.traits for p in named_strangers()}
    assert len({kinds("TMarlow", 1, seed)[0] for seed in range(40)}) == 4


def test_place_order_and_garments_are_those_asked():
    people = [FAMILIES["russell"].member(letter) for letter in "CJA"]
    text = "from left to right: CRussell, JRussell and ARussell by the lake"
    wear = ["yellow sweater", None, "green cap"]
    for seed in range(8):
        scene = asked_scene(text, people, WIDE, Random(seed), wear)
        assert [figure.person for figure in scene.figures] == people
        assert scene.place == "lake"
        first, second, third = scene.figures
        assert (first.clothes, first.clothes_colour, first.hat) == ("sweater", "yellow", None)
        assert second.hat is None
        assert (third.hat, third.hat_colour) == ("cap", "green")
    places = {asked_scene("x", people, WIDE, Random(s), wear).place for s in range(30)}
    assert len(places) > 5  # where the text says none: any


@pytest.mark.parametrize("size", [PORTRAIT, LANDSCAPE, WIDE, (96, 192), (160, 160)])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_every_canvas_has_a_layout_in_which_heads_stand_apart(size, count):
    for seed in range(6):
        rng = Random(seed)
        scene = sample_scene(rng, [random_person(rng) for _ in range(count)], size=size)
        drawing = draw(scene)
        assert drawing.image.size == size and len(scene.figures) == count
        for one, other in combinations(drawing.heads, 2):
            beside = max(one[0], other[0]) + 0.5 >= min(one[2], other[2])
            assert beside or max(one[1], other[1]) + 0.5 >= min(one[3], other[3])
        for figure, head in zip(scene.figures, drawing.heads, strict=True):
            assert head == pytest.approx(figure.head, abs=0.011)  # not cut off by an edge
        seen = np.unique(np.array(drawing.masks))
        assert list(seen[seen > 0]) == list(range(1, count + 1))


NAMES = {"J": "JRussell", "A": "ARussell", "C": "CRussell"}


def test_whatever_prompts_of_casts_ask_for_the_world_has_words_for():
    """Places, garments on everybody, and how many people, of the prompts as they are made."""
    for prompt in cast_prompts(NAMES, [WIDE, PORTRAIT], wordings=8).values():
        asked = prompt.cast
        said = [place for place in casts.PLACES if place in prompt.text]
        assert place_in(prompt.text) == (place_in(said[0]) if said else None)
        assert said or asked.wording in ("bare", "garments")
        assert token_count(prompt.text) <= TOKEN_LIMIT
        strangers = strangers_in(prompt.text, list(NAMES.values()), asked.strangers, Random(1))
        nouns = re.findall(r"\ba (man|woman|child)\b", prompt.text)
        assert [noun(person.kind) for person in strangers][: len(nouns)] == nouns
        people = [*(FAMILIES["russell"].member(letter) for letter in asked.members), *strangers]
        garments = [*(asked.wears.get(letter) for letter in asked.members)]
        garments += [None] * asked.strangers
        scene = asked_scene(prompt.text, people, prompt.size, Random(1), garments)
        for figure, garment in zip(scene.figures, garments, strict=True):
            assert garment in (None, f"{figure.clothes_colour} {figure.clothes}")


def test_every_place_and_garment_of_casts_is_one_that_the_base_was_shown():
    assert len({place_in(place) for place in casts.PLACES}) == len(casts.PLACES)
    for place in casts.PLACES:
        assert place in PLACE_PHRASES[place_in(place)]
    for garment in casts.GARMENTS:
        colour, clothes = garment.split()
        assert colour in COLOURS
        assert all(clothes in worn for worn in CLOTHES_OF_KIND.values())  # whoever is asked
    assert set(casts.STRANGERS) == {noun(kind) for kind in KINDS}
