"""Who stands for whom in a picture."""

from __future__ import annotations

import numpy as np
import pytest

from kindred.scoring.identity_assignment import (
    IdentityScale,
    assign_identities,
    identity_margin,
    too_near,
)

LETTERS = ["A", "C", "J"]


def people(*rows: str) -> np.ndarray:
    """Identity of people: 'J' is surely J, '-' nobody, 'x' can't be read."""
    table = np.zeros((len(rows), 3))
    for n, who in enumerate(rows):
        table[n] = np.nan if who == "x" else 0.05
        if who in LETTERS:
            table[n, LETTERS.index(who)] = 0.9
    return table


@pytest.mark.parametrize(
    ("asked", "seen", "success", "count", "missing", "duplicated", "unasked", "strangers"),
    [
        ("ACJ", "JAC", True, True, "", "", "", 0),
        ("ACJ", "JA", False, False, "C", "", "", 0),
        ("ACJ", "JJA", False, True, "C", "J", "", 0),
        ("ACJ", "JAC-", False, False, "", "", "", 1),
        ("AJ", "JC", False, True, "A", "", "C", 0),
        ("J", "-", False, True, "J", "", "", 1),
        ("J", "", False, False, "J", "", "", 0),
        ("J", "x", False, True, "J", "", "", 1),
        ("", "J-", None, None, "", "", "J", 1),
    ],
)
def test_pictures_that_are_right_and_wrong(
    asked, seen, success, count, missing, duplicated, unasked, strangers
):
    found = assign_identities(list(asked), people(*seen), LETTERS, 0.5)
    assert found.success is success
    assert found.count is count
    assert "".join(found.missing) == missing
    assert "".join(found.duplicated) == duplicated
    assert "".join(found.unasked) == unasked
    assert found.strangers == strangers


def test_assignment_has_the_largest_sum_and_not_the_greediest_first():
    identity = np.array([[0.9, 0.8], [0.85, 0.1]])
    found = assign_identities(["A", "J"], identity, ["A", "J"], 0.5)
    assert found.assigned == ("J", "A")
    assert found.identity == pytest.approx((0.8 + 0.85) / 2)
    assert found.found == ("A", "A")
    assert found.success is False and found.duplicated == ("A",)


def test_more_people_than_asked_leaves_the_rest_unassigned():
    found = assign_identities(["J"], people("C", "J", "-"), LETTERS, 0.5)
    assert found.assigned == ("", "J", "")
    assert found.identity == pytest.approx(0.9)


def test_somebody_missing_counts_as_no_likeness():
    found = assign_identities(["A", "J"], people("J"), LETTERS, 0.5)
    assert found.identity == pytest.approx(0.45)
    found = assign_identities(["J"], people("x"), LETTERS, 0.5)
    assert found.assigned == ("J",) and found.identity == 0


def test_without_reference_photos_success_cannot_be_said_but_the_count_can():
    identity = people("J", "-")
    identity[:, LETTERS.index("A")] = np.nan
    found = assign_identities(["A", "J"], identity, LETTERS, 0.5, known={"C", "J"})
    assert found.count is True
    assert found.success is None and found.identity is None
    assert found.missing == ()
    assert assign_identities(["C", "J"], people("J"), LETTERS, 0.5, known={"J"}).count is False


def test_scale_puts_strangers_at_0_and_own_photos_at_1():
    scale = IdentityScale(0.1, {"J": 0.9, "A": 0.5})
    found = scale.identity(np.array([[0.1, 0.5, 0.3], [0.9, 0.1, 0.5]]), ["J", "C", "A"])
    np.testing.assert_allclose(found[:, [0, 2]], [[0, 0.5], [1, 1]])
    assert np.isnan(found[:, 1]).all()


def test_margin_is_over_the_best_other():
    row = np.array([0.2, 0.5, 0.9])
    assert identity_margin(row, 2) == pytest.approx(0.4)
    assert identity_margin(row, 0) == pytest.approx(-0.7)
    assert identity_margin(row[:1], 0) is None
    assert identity_margin(np.array([0.2, np.nan]), 0) is None


@pytest.mark.parametrize(
    ("asked", "strangers", "seen", "right"),
    [
        ("J", 0, ["J"], True),
        ("J", 0, ["J", "x"], False),
        ("J", 1, ["x", "J"], True),
        ("J", 1, ["J", "J"], False),
        ("J", 1, ["J", "A"], False),
        ("AJ", 1, ["A", "J"], False),
        ("AJ", 1, ["A", "J", "x"], True),
        ("", 1, ["x"], True),
        ("", 1, ["J"], False),
        ("", 3, ["x", "x"], False),
        ("J", None, ["J"], None),
    ],
)
def test_a_cast_is_right_when_exactly_those_asked_for_are_there(asked, strangers, seen, right):
    found = assign_identities(list(asked), people(*seen), LETTERS, 0.5, strangers=strangers)
    assert found.cast_right is right
    if asked:
        assert found.success is (right if strangers is not None else True)
    else:
        assert found.success is None and found.count is (len(seen) == strangers)


def test_a_cast_with_somebody_without_reference_photos_can_t_be_told():
    seen = people("J", "x")
    found = assign_identities(["A", "J"], seen, LETTERS, 0.5, known={"J"}, strangers=0)
    assert found.cast_right is None


def test_somebody_who_can_not_be_read_is_not_missing():
    open_ = assign_identities(list("AJ"), people("J", "x"), LETTERS, 0.5, open_=[1])
    assert (open_.found, open_.missing, open_.strangers) == (("J", ""), (), 0)
    assert open_.success is None and open_.identity is None and open_.count is True
    wrong = assign_identities(list("AJ"), people("C", "x"), LETTERS, 0.5, open_=[1])
    assert (wrong.success, wrong.missing, wrong.unasked) == (False, ("A", "J"), ("C",))
    more = assign_identities(list("AJ"), people("J", "x", "-"), LETTERS, 0.5, open_=[1])
    assert (more.success, more.count, more.strangers) == (False, False, 1)
    cast = assign_identities(["J"], people("J", "x"), LETTERS, 0.5, None, 1, open_=[1])
    assert cast.cast_right is None and cast.success is None


def test_each_may_have_a_threshold_of_their_own():
    table = np.array([(0.6, 0.0, 0.62)])
    assert assign_identities(["J"], table, LETTERS, 0.5).found == ("J",)
    assert assign_identities(["J"], table, LETTERS, [0.5, 0.5, 0.7]).found == ("A",)
    assert assign_identities(["J"], table, LETTERS, [0.7, 0.5, 0.7]).found == ("",)


def test_two_names_equally_near_are_neither():
    row = np.array([0.9, 0.2, 0.8])
    assert too_near(row, [0.5] * 3, 0.2)
    assert not too_near(row, [0.5] * 3, 0.05)
    assert not too_near(row, [0.95] * 3, 0.2)
    assert not too_near(np.full(3, np.nan), [0.5] * 3, 0.2)


def test_a_clipped_scale_keeps_who_is_nearer():
    table = np.array([(1.3, 0.0, 1.6)])
    found = assign_identities(["J"], table, LETTERS, 0.5, cut=True)
    assert (found.found, found.identity) == (("J",), 1.0)
    scale = IdentityScale(0.8, {"J": 0.9}, cut=True)
    assert scale.identity(np.array([[0.7], [0.85], [0.97]]), ["J"]).tolist() == [
        [0.0],
        [pytest.approx(0.5)],
        [1.0],
    ]
