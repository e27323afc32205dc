"""When copies leave cast accuracy, and what it is without them."""

from __future__ import annotations

from typing import Any

import pytest
from family_summaries import cast_figures

from kindred.evidence.family_copies import copies_read, without_copies
from kindred.specs.families import CopiesLimit

LIMIT = CopiesLimit(variant="a", above=0.05)


def summary(copied: float, held_out: float | None) -> dict[str, Any]:
    photos = None if held_out is None else {"copied": held_out}
    return {"copies": {"a": {"copied": {"mean": copied}, "held_out": photos}}}


def test_copies_leave_where_they_are_more_than_among_photos():
    few = {f"f{n}": summary(0.04, 0.01) for n in range(3)}
    assert not copies_read(LIMIT, few)["leave"]
    many = {f"f{n}": summary(0.1 + n / 100, 0.01) for n in range(3)}
    found = copies_read(LIMIT, many)
    assert found["leave"] and found["difference"]["mean"] == pytest.approx(0.1)
    assert found["sentence"].endswith("all casts are counted without copies.")
    enough = copies_read(LIMIT.model_copy(update={"fewest": 8}), many)["sentence"]
    assert enough.endswith("without copies, in claims those with 8 pictures or more left of both.")


def test_without_held_out_photos_none_leave():
    found = copies_read(LIMIT, {"f": summary(0.9, None), "g": {}})
    assert not found["leave"] and "not measured" in found["sentence"]


def row(cast: str, right: int, copied: str) -> dict[str, str]:
    told = {"kind": "image", "variant": "a", "prompt_set": "casts", "cast": cast}
    return {**told, "cast_right": str(right), "copied": copied}


def test_accuracy_without_copies_is_the_mean_over_casts_of_the_rest():
    rows = [row("A", 1, "1"), row("A", 0, "0"), row("A", 1, ""), row("pair+1", 1, "0")]
    casts = [{"name": "A", "strangers": 0}, {"name": "pair+1", "strangers": 1}]
    before = {
        "casts": {"casts": {"casts": casts}},
        "variants": {
            "a": {"measures": {"cast": {"all": 1}}, "casts": {"casts": cast_figures(0.9)}},
            "b": {"measures": {}, "casts": {}},
        },
    }
    found = without_copies(before, rows)["variants"]
    assert found["a"]["measures"]["cast"]["set:casts"]["mean"] == pytest.approx(0.75)
    told = found["a"]["casts"]["casts"]
    assert told["accuracy"]["family"]["mean"] == 0.5 and told["accuracy"]["others"]["mean"] == 1
    assert told["casts"]["A"] == {"mean": 0.5, "images": 2} and told["bits"] == {"mean": 1.5}
    assert found["b"] == before["variants"]["b"]
