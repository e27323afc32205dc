"""Prompts for every cast on every canvas: whom they ask for, and that no canvas tells."""

from collections import Counter, defaultdict

import pytest

from kindred.specs.casts import cast_prompts, noise_seeds

NAMES = {"J": "JRussell", "A": "ARussell", "C": "CRussell"}
SHAPES = [(144, 128), (192, 96)]


def test_twelve_casts_on_every_canvas_in_every_wording():
    found = cast_prompts(NAMES, SHAPES, 4)
    assert len(found) == 12 * 2 * 4
    cells = Counter((one.cast.name, one.cast.canvas) for one in found.values())
    assert len(cells) == 24 and set(cells.values()) == {4}
    groups = {"A", "C", "J", "A+C", "A+J", "C+J", "A+C+J"}
    beside = {"pair+1", "one+2", "names-2", "noun-1", "nouns-3"}
    assert {cast for cast, _ in cells} == groups | beside


def test_members_are_called_by_name_alone_and_heads_are_counted():
    found = cast_prompts(NAMES, SHAPES, 4)
    for one in found.values():
        called = [letter for letter, name in NAMES.items() if name in one.text]
        assert sorted(called) == sorted(one.cast.members)
        if one.cast.members and not one.cast.strangers:
            words = set(one.text.split())
            assert not words & {"man", "woman", "child", "adult", "boy", "girl"}
    heads = {one.cast.name: one.cast.heads for one in found.values()}
    assert heads["pair+1"] == heads["one+2"] == heads["nouns-3"] == heads["A+C+J"] == 3
    assert heads["names-2"] == 2 and heads["noun-1"] == heads["J"] == 1


def test_a_prompt_is_the_same_on_every_canvas():
    asked = defaultdict(set)
    for one in cast_prompts(NAMES, SHAPES, 4).values():
        asked[one.cast.name, one.text].add(one.cast.canvas)
    assert set(map(len, asked.values())) == {2}


def test_wordings_say_order_and_garments():
    found = cast_prompts(NAMES, SHAPES, 4)
    order = found["A+C+J.192x96.3"]
    assert order.text.startswith("from left to right: JRussell, ARussell and CRussell ")
    assert order.cast.order == ["J", "A", "C"] and order.cast.wears == {}
    pairs = [found[f"{pair}.192x96.3"].cast.order for pair in ("A+C", "A+J", "C+J")]
    assert {pair == sorted(pair) for pair in pairs} == {True, False}
    beside = found["pair+1.192x96.3"].cast
    assert beside.order.count("") == 1 and sorted(filter(None, beside.order)) == beside.members
    dressed = found["A+C.144x128.4"]
    assert set(dressed.cast.wears) == {"A", "C"} and len(set(dressed.cast.wears.values())) == 2
    for letter, garment in dressed.cast.wears.items():
        assert f"{NAMES[letter]} in a {garment}" in dressed.text
    assert found["noun-1.144x128.3"].cast.order == []


def test_a_cast_of_one_character_and_no_strangers():
    one = cast_prompts({"J": "JRussell"}, SHAPES, 1)
    assert {p.cast.name for p in one.values()} == {"J", "one+1", "one+2", "names-2", "noun-1",
                                                   "nouns-3"}  # fmt: skip
    alone = cast_prompts(NAMES, SHAPES, 1, strangers=False)
    assert len(alone) == 14 and all(p.cast.strangers == 0 for p in alone.values())


def test_noise_is_of_prompt_canvas_and_number():
    seeds = noise_seeds("a photo of J", (144, 128), 3)
    assert len(set(seeds)) == 3 and noise_seeds("a photo of J", (144, 128), 2) == seeds[:2]
    assert not {*seeds} & {*noise_seeds("a photo of A", (144, 128), 3)}
    assert not {*seeds} & {*noise_seeds("a photo of J", (192, 96), 3)}
    # Pinned: another seed would be another picture in the store.
    assert noise_seeds("x", (16, 16), 1) == [1929143412]


@pytest.mark.parametrize("wordings", [1, 2, 5, 8])
def test_no_two_prompts_of_a_cast_and_canvas_are_alike(wordings):
    found = cast_prompts(NAMES, SHAPES, wordings)
    texts = [(one.text, one.size) for one in found.values()]
    assert len(found) == 24 * wordings
    assert len(set(texts)) == len(texts)
