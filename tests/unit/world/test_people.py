"""People of the drawn world: names, traits, the dial of likeness."""

from random import Random

import pytest

from kindred.world.families import FAMILIES
from kindred.world.people import alike, named_strangers, random_person, restyle, surname
from kindred.world.scene import sample_people
from kindred.world.vocabulary import KINDS, TRAITS, adult


def test_named_strangers_are_360_distinct_people_with_every_initial():
    people = named_strangers()
    names = [person.name for person in people]
    assert len(set(names)) == 360
    assert len({surname(name) for name in names}) == 60
    assert {name[0] for name in names} == set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    for letter in "JAC":
        assert sum(name[0] == letter for name in names) == 60
    assert len({person.traits for person in people}) == 360


def test_families_are_strangers_to_pretraining():
    taken = {surname(person.name) for person in named_strangers()}
    for family in FAMILIES.values():
        assert not taken & {surname(person.name) for person in family.members}


def test_about_55_percent_of_people_are_named_and_surnames_meet():
    rng = Random(1)
    groups = [sample_people(rng, 3) for _ in range(1500)]
    named = [person.name is not None for group in groups for person in group]
    assert 0.52 < sum(named) / len(named) < 0.58
    mixed = sum(0 < sum(p.name is not None for p in group) < 3 for group in groups)
    assert mixed > 100
    shared = [g for g in groups if len({surname(p.name) for p in g if p.name}) == 1]
    assert sum(all(p.name for p in group) for group in shared) > 50
    assert all(
        len({p.name for p in g if p.name}) == sum(p.name is not None for p in g) for g in groups
    )


def test_traits_are_uniform_and_independent():
    rng = Random(2)
    columns = list(zip(*(random_person(rng).traits for _ in range(3000)), strict=True))
    assert len(columns) == len(TRAITS)
    for k, column in enumerate(columns):
        assert -1 <= min(column) < -0.98 and 0.98 < max(column) <= 1
        assert abs(sum(column) / len(column)) < 0.05
        for other in columns[:k]:
            covariance = sum(a * b for a, b in zip(column, other, strict=True)) / len(column)
            assert abs(covariance) < 0.03


@pytest.mark.parametrize("shared", [0, 3, 10, 16])
def test_alike_keeps_exactly_the_shared_traits(shared):
    rng = Random(shared)
    for _ in range(20):
        person = random_person(rng)
        double = alike(person, rng, shared)
        same = [a == b for a, b in zip(person.traits, double.traits, strict=True)]
        assert sum(same) == shared
        assert double.kind == person.kind and double.name is None


def test_alike_refuses_an_impossible_dial():
    with pytest.raises(ValueError, match="0 to 16"):
        alike(random_person(Random(0)), Random(0), 17)


def test_restyle_changes_looks_and_nothing_else():
    rng = Random(3)
    person = random_person(rng, "man", "JTest")
    others = [restyle(person, rng) for _ in range(30)]
    assert {(o.name, o.kind, o.traits) for o in others} == {("JTest", "man", person.traits)}
    assert len({(o.hair_style, o.hair_colour) for o in others}) > 5
    assert {o.beard for o in others} == {o.glasses for o in others} == {True, False}


def test_only_men_have_beards_and_only_adults_go_grey():
    rng = Random(4)
    people = [random_person(rng) for _ in range(800)]
    assert {p.kind for p in people} == set(KINDS)
    assert {p.kind for p in people if p.beard} == {"man"}
    assert all(adult(p.kind) for p in people if p.hair_colour == "grey")
