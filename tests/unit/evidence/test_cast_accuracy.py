"""Cast accuracy: means over casts, runs, halves and thresholds, against figures by hand."""

from __future__ import annotations

import pytest
from casts_drawn import LANDSCAPE, WIDE, asked, drawn
from scipy import stats

from kindred.evidence import cast_accuracy
from kindred.evidence.cast_images import cast_images, over_casts, over_runs


def test_runs_that_are_all_alike_tell_no_spread():
    told = over_runs([drawn("A", "A", run=run) for run in (1, 2, 3)], over_casts)
    assert (told["mean"], told["low"], told["high"], told["runs"]) == (1.0, None, None, 3)


def test_every_cast_weighs_the_same_however_many_pictures_it_has():
    images = [drawn("A", "A", seed=n) for n in range(9)] + [drawn("J", "A")]
    assert over_casts(images) == pytest.approx(0.5)


def test_the_interval_is_students_over_runs():
    shares = {1: 0.5, 2: 0.75, 3: 1.0}
    images = [
        drawn("A", "A" if n < 4 * share else ".", run=run, seed=n)
        for run, share in shares.items()
        for n in range(4)
    ]
    told = over_runs(images, over_casts)
    low, high = stats.t.interval(0.95, 2, loc=0.75, scale=0.25 / 3**0.5)
    assert told["mean"] == pytest.approx(0.75)
    assert (told["low"], told["high"]) == pytest.approx((low, high), abs=1e-4)
    assert (told["runs"], told["images"]) == (3, 12)


def test_one_run_has_no_interval():
    told = over_runs([drawn("A", "A")], over_casts)
    assert (told["mean"], told["low"], told["high"]) == (1.0, None, None)


def test_the_worst_cast_is_named_on_one_half_and_read_on_the_other():
    """A: wrong on the first half alone; J: wrong on half of the second. So A is named on the first
    (0) and reads 1 on the second; J is named on the second (0.5) and reads 1 on the first."""
    pictures = {"A": "....AAAA", "J": "JJJJ..JJ"}
    images = []
    for cast, found in pictures.items():
        for n in range(4):  # the halves alternate
            images += [drawn(cast, found[n], seed=2 * n), drawn(cast, found[4 + n], seed=2 * n + 1)]
    told = cast_accuracy.worst_cast(images)
    assert told == {"mean": 1.0, "casts": ["A", "J"]}
    plain = min(one["mean"] for one in cast_accuracy.by_cast(images).values())
    assert plain == 0.5


def test_with_one_picture_a_canvas_and_run_both_halves_have_every_canvas():
    """Wide pictures are always wrong: halves by canvas would name and read different things."""
    images = [
        drawn(asked(cast, canvas=canvas), cast if canvas == LANDSCAPE else ".", run=run)
        for run in (1, 2, 3, 4)
        for cast in ("A", "J")
        for canvas in (WIDE, LANDSCAPE)
    ]
    assert cast_accuracy.worst_cast(images)["mean"] == pytest.approx(0.5)


def test_few_pictures_of_a_cast_have_no_worst():
    images = [drawn(cast, "A", seed=n) for cast in "AJ" for n in range(8)]
    assert cast_accuracy.worst_cast(images) == {"mean": 0.0, "casts": ["J"]}
    assert cast_accuracy.worst_cast(images[1:]) is None
    assert cast_accuracy.worst_cast([]) is None


def test_recognition_is_read_anew_at_every_threshold():
    images = [drawn("A", "A", likeness=0.55), drawn("J", "J", likeness=0.75)]
    curve = cast_accuracy.threshold_curve(images)
    assert curve == {"0.3": 1, "0.4": 1, "0.5": 1, "0.6": 0.5, "0.7": 0.5, "0.8": 0}


def test_at_a_low_threshold_a_stranger_becomes_a_member():
    """Nobody is alike by more than 0.1, so that only a threshold below that finds somebody."""
    image = drawn(asked("", 1), ".")
    assert cast_accuracy.right_at(image, 0.3)
    assert not cast_accuracy.right_at(image, 0.05)


def test_an_order_of_arms_that_turns_along_the_curve_is_said():
    curves = {
        "a": {"0.3": 0.9, "0.8": 0.2},
        "b": {"0.3": 0.6, "0.8": 0.5},
        "c": {"0.3": 0.59, "0.8": 0.51},
    }
    assert cast_accuracy.turning(curves) == [
        {"arms": ["a", "b"], "above": ["0.3"], "below": ["0.8"]},
        {"arms": ["a", "c"], "above": ["0.3"], "below": ["0.8"]},
    ]


def _row(kind: str, **values: str) -> dict[str, str]:
    plain = {"prompt_set": "casts", "prompt": "p", "seed": "7", "run": "1", "cast_right": "1"}
    return plain | {"kind": kind, "found": "", "likeness": "", "wears": "", "box": ""} | values


def test_rows_become_pictures_with_people_from_left_to_right():
    rows = [
        _row("image"),
        _row("person", found="J", box="60 0 90 50", likeness="A:0.01 J:0.91", wears="red shirt"),
        _row("person", found="", box="5 0 30 50", likeness="A:-0.05 J:0.20"),
        _row("image", prompt_set="trio"),
        _row("image", prompt="q", cast_right=""),
    ]
    casts = {"p": asked("J", 1), "q": asked("J")}
    (image,) = cast_images(rows, "casts", casts)
    assert image.found == ("", "J")
    assert image.likeness == ({"A": -0.05, "J": 0.2}, {"A": 0.01, "J": 0.91})
    assert image.wears == ("", "red shirt")
    assert (image.run, image.seed, image.right, image.family) == (1, 7, True, False)
