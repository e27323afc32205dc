"""Every label by intervals made for it, in the order in which rules hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kindred.evidence.labels import (
    Label,
    Reading,
    equivalence_margin,
    excluded,
    label_of,
    words,
)

MIDDLE = ((0.4, 0.6), (0.3, 0.5))
ONE = Reading("success", 0.10, 10, (0.12, 0.3), (0.14, 0.28), MIDDLE)


def of(low: float, high: float, **changes) -> Label:
    """By an interval, and one with twice the tail that is a tenth narrower at either end."""
    tenth = (high - low) / 10
    return label_of(
        replace(ONE, interval=(low, high), within=(low + tenth, high - tenth), **changes)
    )


def test_how_an_interval_lies_to_the_margin_and_to_0():
    assert of(0.12, 0.30) == Label("supported")
    assert of(0.10, 0.30) == Label("undecided")  # above it, not at it
    assert of(-0.09, 0.09) == Label("no difference", 0.10)
    assert of(-0.30, -0.05) == Label("contradicted")
    assert of(-0.30, -0.11) == Label("contradicted", beyond=True)
    assert of(-0.05, 0.30) == Label("undecided")


def test_no_difference_is_read_at_ninety_per_cent():
    assert of(-0.105, 0.105) == Label("no difference", 0.10)
    assert of(-0.13, 0.13) == Label("undecided")
    assert of(-0.08, -0.01) == Label("no difference", 0.10)  # it comes before contradicted


def test_nothing_is_told_apart_at_the_ends_of_the_scale():
    floor = ((0.0, 0.04), (0.0, 0.05))
    assert of(-0.01, 0.01, arms=floor) == Label("both at the floor")
    assert of(-0.01, 0.01, arms=((0.0, 0.04), (0.0, 0.06))).name == "no difference"
    assert of(-0.01, 0.01, arms=((0.95, 1.0), (0.97, 1.0))) == Label("both at the ceiling")
    assert of(-0.01, 0.01, arms=None).name == "no difference"
    cast = {"measure": "cast", "arms": ((0.0, 0.13), (0.0, 0.10))}
    assert of(-0.01, 0.01, **cast) == Label("both at the floor")  # one of twelve by the canvas


def test_the_ends_of_what_is_better_when_less_and_of_what_has_no_end():
    missing = {"measure": "missing", "arms": ((0.96, 1.0), (0.95, 1.0))}
    assert of(-0.01, 0.01, **missing) == Label("both at the floor")
    assert of(-0.01, 0.01, measure="missing", arms=((0.0, 0.04), (0.0, 0.05))).name == (
        "both at the ceiling"
    )
    alike = {"measure": "identity", "arms": ((0.96, 1.1), (0.97, 1.0))}
    assert of(-0.01, 0.01, **alike).name == "no difference"
    nobody = {"measure": "pull", "arms": ((0.0, 0.01), (0.0, 0.01))}
    assert of(-0.01, 0.01, **nobody).name == "both at the ceiling"


@pytest.mark.parametrize(
    ("runs", "named", "clear", "alike"),
    [
        (1, True, "one training", "one training"),
        (2, True, "pilot", "pilot"),
        (3, False, "pilot", "pilot"),
        (3, True, "supported", "undecided"),
        (5, False, "supported", "no difference"),
        (10, False, "supported", "no difference"),
        (None, False, "supported", "no difference"),
    ],
)
def test_few_runs_say_little(runs, named, clear, alike):
    assert of(0.12, 0.30, runs=runs, named=named).name == clear
    assert of(-0.05, 0.05, runs=runs, named=named).name == alike


def test_five_runs_show_no_difference_of_fifteen_points_at_best():
    assert of(-0.02, 0.02, runs=5).x == 0.15 and of(-0.02, 0.02, runs=10).x == 0.10
    assert equivalence_margin(0.5, 5) == 0.5 and equivalence_margin(0.02, 10) == 0.02
    assert equivalence_margin(0.1, 4) is None and equivalence_margin(0.1, None) == 0.1


def test_a_failed_control_comes_before_what_numbers_say_but_not_before_too_few_runs():
    assert of(0.12, 0.30, control_failed=True).name == "control failed"
    assert of(0.12, 0.30, control_failed=True, runs=2).name == "pilot"
    assert label_of(replace(ONE, interval=None)) == Label("not measured")


def test_words():
    assert words(Label("no difference", 0.15), 0.10, "success") == (
        "No difference larger than 15 points"
    )
    assert words(Label("no difference", 0.05), 0.05, "identity") == "No difference larger than 0.05"
    assert words(Label("contradicted", beyond=True), 0.1, "success") == (
        "Contradicted by more than 10 points"
    )
    assert words(Label("contradicted", beyond=True), 0.0, "success") == "Contradicted"
    assert words(Label("supported"), 0.1, "success") == "Supported"


def test_an_undecided_interval_says_which_side_it_excludes():
    assert excluded((0.01, 0.3), 0.1, "success").startswith("a difference is there")
    assert excluded((-0.3, 0.05), 0.1, "success").startswith("a difference of 10 points or more")
    assert "the other way is excluded" in excluded((-0.05, 0.3), 0.1, "success")
    assert excluded((-0.3, 0.3), 0.1, "success") == "neither side is excluded"
