"""The families to develop on under other names: the same photos, and names that fit their kind."""

import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from kindred.config.lab_album import LabFamily
from kindred.specs.casts import UNTRAINED
from kindred.world.albums import write_dataset
from kindred.world.families import FAMILIES
from kindred.world.family_seeds import ALBUMS
from kindred.world.people import named_strangers
from kindred.world.renamed_families import KINDS_OF_NAMES, first_name_of

ROOT = Path(__file__).resolve().parents[3]
RENAMED = sorted(name for name, one in FAMILIES.items() if one.drawn_as != name)


def in_a_row(name: str) -> set[str]:
    """Letters of a name that stand beside each other, in pairs."""
    return {name[k : k + 2].lower() for k in range(len(name) - 1)}


def test_each_family_to_develop_on_has_every_kind_of_names():
    develop = {
        name for name, one in FAMILIES.items() if one.purpose == "development" and "-" not in name
    }
    assert set(RENAMED) == {f"{name}-{kind}" for name in develop for kind in KINDS_OF_NAMES}
    assert len(develop) == 6


@pytest.mark.parametrize("name", RENAMED)
def test_they_are_the_same_people_under_names_that_have_little_in_common(name):
    people, first = FAMILIES[name].members, FAMILIES[first_name_of(name)].members
    assert [replace(one, name=None) for one in people] == [replace(one, name=None) for one in first]
    assert [one.name[0] for one in people] == [one.name[0] for one in first]
    for one, other in combinations(people, 2):
        assert not in_a_row(one.name) & in_a_row(other.name)
    known = {person.name[1:] for person in named_strangers()} | {name[1:] for name in UNTRAINED}
    form = "[A-Z][A-Z][a-z]+" if name.endswith("-own") else "[A-Z][a-z]+"
    for person in people:
        assert re.fullmatch(form, person.name) and person.name[1:] not in known


@pytest.mark.parametrize("name", RENAMED)
def test_the_bases_encoders_can_spell_them(name):
    for folder in ("tokenizer", "tokenizer_2"):
        tokenizer = Tokenizer.from_file(str(ROOT / "lab/base" / folder / "tokenizer.json"))
        for person in FAMILIES[name].members:
            assert "<unk>" not in tokenizer.encode(person.name).tokens


def test_photos_and_captions_are_the_same_but_for_the_names(tmp_path):
    coverage = {"J": 1, "AC": 2}
    for name in ("russell", "russell-words"):
        write_dataset(tmp_path / name, name, coverage, seed=3, scale=1, any_shape=True)
    one, other = tmp_path / "russell", tmp_path / "russell-words"
    for photo in sorted(one.glob("*.jpg")):
        assert photo.read_bytes() == (other / photo.name).read_bytes()
    said = (one / "captions.csv").read_text(encoding="utf-8")
    for old, new in zip(FAMILIES["russell"].members, FAMILIES[other.name].members, strict=True):
        assert old.name in said
        said = said.replace(old.name, new.name)
    assert said == (other / "captions.csv").read_text(encoding="utf-8")


def test_their_album_is_the_familys():
    assert LabFamily(family="ashford-own").coverage == ALBUMS["ashford"]
