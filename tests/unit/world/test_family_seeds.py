"""Families drawn by seed: who they are, what their albums show, and what the base knows of them."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from tokenizers import Tokenizer

from kindred.specs.casts import UNTRAINED
from kindred.world.albums import truth_path, write_dataset
from kindred.world.families import (
    FAMILIES,
    SHARED_TRAITS,
    family,
    parse_coverage,
    share_traits,
)
from kindred.world.family_seeds import ALBUMS, LOOK_ALIKE, SEEDED, UNSEEN_STYLES, SeededFamily
from kindred.world.people import named_strangers
from kindred.world.vocabulary import HAIR_STYLES, STYLES_OF_KIND, TRAITS, adult

ROOT = Path(__file__).resolve().parents[3]
HELD_OUT = sorted(name for name, one in FAMILIES.items() if one.purpose == "held-out")
# Experiments that were written down before anything was trained for them.
MAY_USE_HELD_OUT: set[str] = set()
APART = 0.5  # root mean square difference of traits: three of four strangers have one nearer


def traits(people):
    return np.array([person.traits for person in people])


def nearest(people, others):
    """Root mean square difference of traits to the nearest of the others, one a person."""
    gaps = traits(people)[:, None] - traits(others)[None]
    return np.sqrt((gaps**2).mean(-1)).min(1)


def test_ten_are_held_out_and_four_to_develop_on():
    purposes = [one.purpose for one in SEEDED.values()]
    assert purposes.count("held-out") == 10 and purposes.count("development") == 4
    assert {FAMILIES[name].purpose for name in ("russell", "okorie")} == {"development"}


@pytest.mark.parametrize("name", SEEDED)
def test_a_family_is_people_of_its_own(name):
    people = FAMILIES[name].members
    assert len(set(FAMILIES[name].letters)) == len(people) == SEEDED[name].people
    assert 2 <= len(people) <= 4
    assert {adult(person.kind) for person in people} == {True, False}
    for person in people:
        assert person.name[1:] == SEEDED[name].surname
        assert re.fullmatch("[A-Z][A-Z][a-z]+", person.name)
    first_named = [one for one in FAMILIES.values() if one.name == one.drawn_as]
    names = [person.name for one in first_named for person in one.members]
    taken = {person.name for person in named_strangers()} | set(UNTRAINED)
    assert len(names) == len(set(names)) and not taken & set(names)


def test_most_families_are_three_and_albums_are_of_6_to_25_photos():
    held_out = [SEEDED[name] for name in HELD_OUT]
    for group in (held_out, list(SEEDED.values())):
        assert sum(one.people == 3 for one in group) > len(group) / 2
        assert {one.people for one in group} == {2, 3, 4}
    photos = [one.photos for one in held_out]
    assert min(photos) == 6 and max(photos) == 25 and len(set(photos)) == 10


@pytest.mark.parametrize("name", SEEDED)
def test_albums_have_their_photos_unevenly_and_everybody_alone(name):
    letters = FAMILIES[name].letters
    cells = parse_coverage(ALBUMS[name], letters)
    assert sum(cells.values()) == SEEDED[name].photos
    assert set(letters) <= set(cells)
    everyone = range(1, 2 ** len(letters))
    assert len({*cells.values(), *([0] if len(cells) < len(everyone) else [])}) > 1


def test_people_and_albums_are_drawn_by_seed():
    one = SeededFamily("Granger", "held-out", seed=1, photos=12)
    assert one.members() == SeededFamily("Granger", "held-out", seed=1, photos=12).members()
    other = SeededFamily("Granger", "held-out", seed=2, photos=12)
    assert not {person.traits for person in one.members()} & {p.traits for p in other.members()}
    assert one.coverage() != other.coverage()


def fits(people, known, look_alikes):
    """Whether nobody is like anybody known, and look-alikes, and nobody else, like one another."""
    same = (traits(people)[:, None] == traits(people)[None]).sum(-1)
    alike = same[np.triu_indices(len(people), 1)]  # the first pair is the first two people
    least, most = (LOOK_ALIKE, LOOK_ALIKE) if look_alikes else (0, LOOK_ALIKE // 2)
    others = alike[1:].max(initial=0) < LOOK_ALIKE // 2
    return bool(others and least <= alike[0] <= most and nearest(people, known).min() >= APART)


def test_each_seed_is_the_first_with_which_nobody_is_like_whom_the_base_knows():
    """Nor like somebody of a family before it; so no seed was chosen by what came of it."""
    known = [*named_strangers(), *FAMILIES["russell"].members, *FAMILIES["okorie"].members]
    for name, one in SEEDED.items():
        for seed in range(1, one.seed + 1):
            people = share_traits(replace(one, seed=seed).members(), SHARED_TRAITS)
            assert fits(people, known, one.look_alikes) is (seed == one.seed), (name, seed)
        known += FAMILIES[name].members


def test_look_alikes_have_one_face_but_for_four_traits_and_the_same_hair():
    for name in (name for name, one in SEEDED.items() if one.look_alikes):
        first, second = FAMILIES[name].members[:2]
        differ = [abs(a - b) for a, b in zip(first.traits, second.traits, strict=True) if a != b]
        assert len(differ) == len(TRAITS) - LOOK_ALIKE and min(differ) >= 0.25
        same = ("kind", "hair_style", "hair_colour", "beard", "glasses")
        assert all(getattr(first, key) == getattr(second, key) for key in same)


def test_two_held_out_families_and_one_to_develop_on_have_look_alikes():
    purposes = [one.purpose for one in SEEDED.values() if one.look_alikes]
    assert sorted(purposes) == ["development", "held-out", "held-out"]


@pytest.mark.parametrize("name", SEEDED)
def test_somebody_has_hair_that_pretraining_never_shows_on_their_kind(name):
    assert any(p.hair_style in UNSEEN_STYLES[p.kind] for p in FAMILIES[name].members)


def test_unseen_hair_is_hair_that_can_be_drawn():
    for kind, styles in UNSEEN_STYLES.items():
        assert set(styles) <= set(HAIR_STYLES) - set(STYLES_OF_KIND[kind])


@pytest.mark.parametrize("name", SEEDED)
def test_albums_draw_and_their_captions_name_who_is_there(name, tmp_path):
    out = tmp_path / name
    names = write_dataset(out, name, ALBUMS[name], seed=1, scale=1, any_shape=True)
    photos = json.loads(truth_path(out).read_text(encoding="utf-8"))["photos"]
    assert sorted(photos) == sorted(names)
    for photo, facts in photos.items():
        cell = set(photo.split("-")[0])
        assert {person["name"][0] for person in facts["people"]} == cell
        called = re.findall(rf"\b([A-Z]){SEEDED[name].surname}\b", facts["caption"])
        assert set(called) == cell


@pytest.mark.parametrize("shared", [0, 3, 16])
def test_the_dial_of_shared_traits_turns_them_too(shared):
    first, *others = family("ashford", shared).members
    same = [(np.array(first.traits) == np.array(one.traits)).sum() for one in others]
    assert min(same) >= shared and family("ashford", shared).purpose == "development"


def test_names_are_spelled_in_no_more_pieces_than_those_of_the_first_families():
    tokenizer = Tokenizer.from_file(str(ROOT / "lab/base/tokenizer_2/tokenizer.json"))
    names = {
        family: [tokenizer.encode(person.name).tokens for person in one.members]
        for family, one in FAMILIES.items()
    }
    longest = max(len(spelled) for spelled in names["russell"] + names["okorie"])
    for name in SEEDED:
        assert all(len(s) <= longest and "<unk>" not in s for s in names[name]), names[name]


def test_the_model_card_lists_them():
    card = (ROOT / "lab/README.md").read_text(encoding="utf-8")
    for name, one in SEEDED.items():
        people = ", ".join(f"{person.name} {person.kind}" for person in FAMILIES[name].members)
        assert f"| {name} | {one.purpose} | {people} | {ALBUMS[name]} |" in card


def test_no_experiment_uses_a_held_out_family():
    files = sorted((ROOT / "config/experiments").glob("*.yaml"))
    assert files
    for file in files:
        datasets = yaml.safe_load(file.read_text(encoding="utf-8")).get("datasets") or {}
        used = {(one.get("lab") or {}).get("family") for one in datasets.values() if one}
        if file.stem not in MAY_USE_HELD_OUT:
            assert not used & set(HELD_OUT), f"{file.name}: nobody may look at these families yet"
