"""What a picture's shape tells of who is in it."""

from __future__ import annotations

import math
from random import Random

import pytest

from kindred.data.audit import cast_shapes
from kindred.specs.character import Character

WHO = {
    letter: Character(name=f"{letter}Russell", **{"class": noun})
    for letter, noun in {"J": "man", "A": "woman"}.items()
}


def photo(cell: str, caption: str, width: int, height: int) -> dict:
    image = {"width": width, "height": height}
    return {"cell": cell, "image": image, "caption": {"caption": caption}}


def test_casts_count_people_without_names():
    photos = [
        photo("J", "JRussell in the park", 512, 640),
        photo("J", "a man, JRussell and an old woman", 768, 512),
        photo("J", "JRussell and a boy", 384, 480),
        photo("", "a child at the beach", 512, 640),
        photo("", "the sea", 512, 640),
    ]
    assert cast_shapes.casts_by_shape(photos, WHO) == {
        "1": {"4:5": 1, "3:2": 0},
        "J": {"4:5": 1, "3:2": 0},
        "J+1": {"4:5": 1, "3:2": 0},
        "J+2": {"4:5": 0, "3:2": 1},
        "nobody": {"4:5": 1, "3:2": 0},
    }


def test_a_stranger_with_a_made_up_name_counts_once():
    one = photo("J", "a photo of woman BRenol and adult man JRussell", 512, 512)
    one["image"]["named"] = ["BRenol"]
    assert cast_shapes.casts_by_shape([one], WHO) == {"J+1": {"1:1": 1}}


def test_bits_of_known_tables():
    told = {"J": {"1:1": 400, "2:1": 0}, "A": {"1:1": 0, "2:1": 400}}
    untold = {"J": {"1:1": 200, "2:1": 200}, "A": {"1:1": 200, "2:1": 200}}
    assert cast_shapes.bits(told) == pytest.approx(1) and cast_shapes.entropy(told) == 1
    assert cast_shapes.bits(untold) == 0
    # H(1/4) of a shape that is wide for A three times of four and for J once of four.
    some = {"J": {"1:1": 300, "2:1": 100}, "A": {"1:1": 100, "2:1": 300}}
    known = 1 + 0.25 * math.log2(0.25) + 0.75 * math.log2(0.75)
    assert cast_shapes.bits(some) == pytest.approx(known - 1 / (1600 * math.log(2)))


def test_few_photos_on_shapes_by_chance_tell_next_to_nothing():
    rng, found = Random(1), []
    for _ in range(200):
        table = {cast: {"1:1": 0, "3:2": 0, "2:1": 0} for cast in "ABCDEF"}
        for _ in range(40):
            table[rng.choice("ABCDEF")][rng.choice(("1:1", "3:2", "2:1"))] += 1
        found.append(cast_shapes.bits(table))
    assert sum(found) / len(found) < 0.1  # half of a spread about 0
    assert sum(one > cast_shapes.MOST_BITS for one in found) <= 10


def test_a_note_only_where_shapes_tell():
    told = {"J": {"1:1": 20, "2:1": 0}, "A+J": {"1:1": 0, "2:1": 20}}
    (finding,) = cast_shapes.shape_findings(told)
    assert "1.0 of the 1.0 bits" in finding.what and "canvas: any" in finding.cure
    assert finding.items == ["J: 20 on 1:1", "A+J: 20 on 2:1"]
    assert cast_shapes.shape_findings({"J": {"1:1": 9, "2:1": 9}, "A": {"1:1": 9, "2:1": 9}}) == []
