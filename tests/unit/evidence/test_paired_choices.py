"""Choices between two pictures: read with their problems, and turned into shares with intervals."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from kindred.common.errors import ProblemsError
from kindred.evidence import paired_choices
from kindred.evidence.paired_choices import Choice, preferences, read_choices

VARIANTS = ("weak", "middle", "strong")
STRENGTH = {"weak": -1.0, "middle": 0.0, "strong": 1.0}
PICTURES = {f"{v}-{n}": (v, ("headshot", f"p{n}", n)) for v in VARIANTS for n in range(40)}


def chosen(rng: Random, a: str, b: str, n: int, rater: str = "me") -> Choice:
    chance = 1 / (1 + np.exp(STRENGTH[b] - STRENGTH[a]))
    return Choice(rater, "J", f"{a}-{n}", f"{b}-{n}", "left" if rng.random() < chance else "right")


def every(seed=1, rater="me"):
    rng = Random(seed)
    pairs = [("weak", "middle"), ("middle", "strong"), ("strong", "weak")]
    return [chosen(rng, a, b, n, rater) for n in range(40) for a, b in pairs]


def test_planted_strengths_are_found_in_order_within_their_intervals():
    found = preferences(every(), PICTURES)
    assert [one.variant for one in found] == ["strong", "middle", "weak"]
    truth = {
        a: np.mean([1 / (1 + np.exp(STRENGTH[b] - STRENGTH[a])) for b in VARIANTS if b != a])
        for a in VARIANTS
    }
    for one in found:
        assert one.low < one.share < one.high and one.low < truth[one.variant] < one.high
        assert one.compared == 80
    assert sum(one.share for one in found) == pytest.approx(1.5)  # of two, one is chosen


def test_several_raters_of_the_same_pictures_are_no_more_pictures():
    one = preferences(every(), PICTURES)[0]
    same = preferences([*every(), *every(rater="you")], PICTURES)[0]
    assert same.high - same.low == pytest.approx(one.high - one.low, rel=0.15)


def test_who_always_wins_is_not_infinitely_strong():
    told = [Choice("me", "J", f"strong-{n}", f"weak-{n}", "left") for n in range(5)]
    first, last = preferences(told, PICTURES)
    assert first.variant == "strong" and 0.8 < first.share < 1 and last.share < 0.2


def test_equal_is_half_a_choice_each_and_unknown_pictures_are_left_out():
    told = [Choice("me", "J", f"strong-{n}", f"weak-{n}", "equal") for n in range(9)]
    told.append(Choice("me", "J", "gone", "weak-1", "left"))
    assert {one.share for one in preferences(told, PICTURES)} == {0.5}
    assert preferences([told[-1]], PICTURES) == []


def test_of_the_same_two_pictures_the_last_choice_counts(tmp_path):
    path = tmp_path / "family.pairs.csv"
    head = ",".join(paired_choices.COLUMNS)
    path.write_text(f"{head}\nme,J,a,b,left,1,x\nme,J,b,a,left,1,x\n", encoding="utf-8")
    (one,) = read_choices([path])
    assert (one.left, one.choice) == ("b", "left")


def test_lines_that_are_no_choice_are_all_named(tmp_path):
    path = tmp_path / "family.pairs.csv"
    head = ",".join(paired_choices.COLUMNS)
    path.write_text(f"{head}\nme,J,a,b,both,1,x\nme,J,a,,left,1,x\n", encoding="utf-8")
    other = tmp_path / "other.csv"
    other.write_text("who\nJ\n", encoding="utf-8")
    with pytest.raises(ProblemsError) as caught:
        read_choices([path, other, tmp_path / "lost.csv"])
    said = str(caught.value)
    assert f"{path}:2" in said and f"{path}:3" in said and "no column rater" in said
    assert "lost.csv" in said and "Save it again" in said
