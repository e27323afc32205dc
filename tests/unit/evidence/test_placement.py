"""Order and garments: of the right pictures, beside what chance gives."""

from __future__ import annotations

import pytest
from casts_drawn import asked, drawn

from kindred.evidence.placement import garments, order, reads_garments


def test_order_is_read_where_the_cast_is_right():
    row = asked("ACJ", wording="order", order=("J", "A", "C"))
    images = [
        drawn(row, "JAC", seed=1),
        drawn(row, "ACJ", seed=2),
        drawn(row, "JA.", seed=3),
        drawn("A", "A"),
    ]
    told = order(images)
    assert (told["images"], told["right"]) == (3, 2)
    assert told["share"]["mean"] == pytest.approx(1 / 2)
    assert told["both"]["mean"] == pytest.approx(1 / 3, abs=1e-4)
    assert told["chance"] == pytest.approx(1 / 6, abs=1e-4)


def test_two_strangers_are_alike_so_chance_is_larger():
    row = asked("J", 2, wording="order", order=("", "J", ""))
    told = order([drawn(row, ".J."), drawn(row, "J..", seed=2)])
    assert told["chance"] == pytest.approx(1 / 3, abs=1e-4)
    assert told["share"]["mean"] == 0.5


def test_no_order_asked_and_no_right_picture():
    row = asked("AJ", wording="order", order=("A", "J"))
    assert order([drawn("A", "A"), drawn(asked("A", order=("A",)), "A")]) is None
    told = order([drawn(row, "A.")])
    assert (told["share"], told["chance"], told["both"]["mean"]) == (None, None, 0.0)


def test_garments_on_their_people_swapped_and_the_same_on_all():
    worn = asked("AJ", wording="garments", wears={"A": "red shirt", "J": "blue coat"})
    images = [
        drawn(worn, "AJ", seed=1, wears=("red shirt", "blue coat")),  # both right
        drawn(worn, "AJ", seed=2, wears=("blue coat", "red shirt")),  # both swapped
        drawn(worn, "AJ", seed=3, wears=("red shirt", "red shirt")),  # A right, the same on all
        drawn(worn, "A.", seed=4, wears=("", "blue coat")),  # A wears neither; J was not found
    ]
    told = garments(images)
    assert (told["people"], told["asked"]) == (7, 8)
    assert told["right"]["mean"] == pytest.approx(3 / 7, abs=1e-4)
    assert told["swapped"]["mean"] == pytest.approx(2 / 7, abs=1e-4)
    assert told["same"]["mean"] == pytest.approx(2 / 7, abs=1e-4)
    assert told["chance"] == 0.5


def test_garments_of_one_person_tell_nothing():
    alone = asked("A", wording="garments", wears={"A": "red shirt"})
    assert garments([drawn(alone, "A", wears=("red shirt",))]) is None


def test_a_judge_that_never_sees_a_garment_reads_none():
    assert not reads_garments([drawn("AJ", "AJ")])
    assert reads_garments([drawn("AJ", "AJ", wears=("", "red shirt"))])
