"""Designs of many families in one log: short, and exactly what was declared."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from kindred.common.chained_log import read_log
from kindred.common.errors import KindredError
from kindred.common.hashing import spec_hash
from kindred.evidence.preregistration import Found, design_of, preregister
from kindred.evidence.stored_designs import restored, stored
from kindred.specs.casts import cast_prompts, noise_seeds
from kindred.specs.declaration import Declaration

SHAPES = [(144, 128), (192, 96)]


def design(album: str, letters: str, steps: int = 2000) -> dict[str, Any]:
    """The design of an album whose people are called like it."""
    names = {who: f"{who}{album.capitalize()}" for who in letters}
    prompts = {
        name: {
            "text": one.text,
            **dict(zip(("width", "height"), one.size, strict=True)),
            "seeds": noise_seeds(one.text, one.size, 2),
        }
        for name, one in cast_prompts(names, SHAPES, 4).items()
    }
    made = f"{album}-composed-{spec_hash(album)[:8]}"
    people = {who: {"class": "child", "name": name} for who, name in names.items()}
    recipe = {"batch": 8, "rank": 16, "schedule": "cosine", "steps": steps}
    trained = {"datasets": [album, made], "training": {"characters": people, "recipe": recipe}}
    return {
        "hypotheses": {},
        "variants": {name: {**trained, "runs": [1, 2]} for name in ("composed", "dealt", "null")},
        "prompt_sets": {"casts": {"prompts": prompts, "steps": 24, "width": 144}},
        "datasets": {made: {"composites": {"of": album, "characters": people}}},
        "bases": {"lab": {"version": None}},
    }


def families(**albums: str) -> dict[str, Any]:
    claim = {"claim": "a", "variant": "composed", "against": "dealt", "prompt_set": "casts"}
    return {
        "hypotheses": {"names": {**claim, "margin": 0.1}},
        "families": [*albums],
        "experiments": {f"study-{name}": design(name, own) for name, own in albums.items()},
    }


FOUR = families(zeller="IRU", hadley="EKS", hollis="CQ", penrose="DNVW")


def size(value: Any) -> int:
    return len(json.dumps(value))


def test_every_album_comes_back_to_the_byte_and_takes_little_room():
    held = stored(FOUR)
    assert restored(json.loads(json.dumps(held, sort_keys=True))) == FOUR
    assert size(held) < size(FOUR) / 4
    first, *others = held["experiments"].values()
    assert "design" in first and all(one["like"] == "study-zeller" for one in others)
    # Three people like the first three: nothing but names and what is drawn of them.
    assert size(others[0]) < 600
    assert others[0]["names"]["IZeller"] == "EHadley"


def test_a_design_of_one_experiment_and_a_log_from_before_stay_as_they_are():
    one = design("zeller", "IRU")
    assert stored(one) == restored(one) == one
    assert restored(FOUR) == FOUR  # as logs held it at first


def test_prompts_that_follow_no_rule_are_kept_as_they_are():
    other = copy.deepcopy(FOUR)
    asked = other["experiments"]["study-hadley"]["prompt_sets"]["casts"]["prompts"]
    name = next(iter(asked))
    asked[name]["seeds"] = [1, 2]
    asked["own"] = {"text": "EHadley swims"}
    held = stored(other)
    assert restored(held) == other


def test_what_can_not_be_said_as_a_difference_is_stored_whole():
    other = copy.deepcopy(FOUR)
    other["experiments"]["study-hollis"]["bases"]["big"] = {"version": None}  # null removes a key
    held = stored(other)
    assert held["experiments"]["study-hollis"] == other["experiments"]["study-hollis"]
    assert restored(held) == other


@pytest.mark.parametrize("album", ["study-zeller", "study-hollis"])
def test_a_tampered_difference_is_noticed(album):
    held = copy.deepcopy(stored(FOUR))
    one = held["experiments"][album]
    place = one.get("design") or one["differs"]
    place["bases"] = {"lab": {"version": "another"}}
    with pytest.raises(KindredError, match=f"the design of {album} is not the one"):
        restored(held)


def test_names_that_were_swapped_and_a_missing_first_are_noticed():
    held = copy.deepcopy(stored(FOUR))
    names = held["experiments"]["study-hadley"]["names"]
    names["IZeller"], names["RZeller"] = names["RZeller"], names["IZeller"]
    with pytest.raises(KindredError, match="study-hadley"):
        restored(held)
    held = copy.deepcopy(stored(FOUR))
    del held["experiments"]["study-zeller"]
    with pytest.raises(KindredError, match="study-hadley"):
        restored(held)


def declared(log: Path, now: dict[str, Any]) -> list[dict[str, Any]]:
    return preregister(log, Declaration(now, {}, {}, "why"), Found())


def test_an_amendment_of_one_album_is_one_change(tmp_path):
    log = tmp_path / "study.jsonl"
    declared(log, FOUR)
    assert design_of(read_log(log)) == FOUR
    assert declared(log, copy.deepcopy(FOUR)) == read_log(log) and len(read_log(log)) == 1
    now = copy.deepcopy(FOUR)
    now["experiments"]["study-hollis"] = design("hollis", "CQ", steps=3000)
    entries = declared(log, now)
    assert [one["kind"] for one in entries] == ["declared", "amended"]
    paths = [" ".join(one["path"]) for one in entries[1]["changes"]]
    assert paths == [
        f"experiments study-hollis variants {name} training recipe steps"
        for name in ("composed", "dealt", "null")
    ]
    assert entries[1]["scope"] == ["names"]
    assert design_of(read_log(log)) == now
    assert design_of(read_log(log)[:1]) == FOUR
