"""What people say about pictures: reading it, and how far they and the judge agree."""

from __future__ import annotations

import pytest

from kindred.common.errors import KindredError, ProblemsError
from kindred.evidence.human_ratings import (
    Rating,
    judge_agreement,
    known_ratings,
    krippendorff_alpha,
    mean_ratings,
    read_ratings,
)


def ratings(table: dict[str, str]) -> list[Rating]:
    """{'ann': '13.2'}: one digit a picture, '.' for none."""
    return [
        Rating(rater, f"p{n}", int(grade))
        for rater, grades in table.items()
        for n, grade in enumerate(grades)
        if grade != "."
    ]


def test_files_are_read_and_the_last_opinion_counts(tmp_path):
    one, two = tmp_path / "a.csv", tmp_path / "b.csv"
    one.write_text("\ufeffrater,key,rating,seconds\nann,k1,1,3\nann,k2,3,2\nann,k1,2,9\n")
    two.write_text("key,rater,rating\nk1,bob,3\n")
    assert read_ratings([one, two]) == [
        Rating("ann", "k1", 2),
        Rating("ann", "k2", 3),
        Rating("bob", "k1", 3),
    ]
    assert read_ratings([]) == []


def test_two_files_by_one_name_are_two_people(tmp_path):
    one, two = tmp_path / "e.ratings.csv", tmp_path / "e.ratings-bob.csv"
    one.write_text("rater,key,rating\nme,k1,1\nann,k1,2\nme,k1,3\n")
    two.write_text("rater,key,rating\nme,k1,2\n")
    assert read_ratings([one, two]) == [
        Rating("me (e.ratings)", "k1", 3),
        Rating("ann", "k1", 2),
        Rating("me (e.ratings-bob)", "k1", 2),
    ]
    assert mean_ratings(read_ratings([one, two])) == {"k1": pytest.approx(2 / 3)}


def test_every_broken_line_is_named(tmp_path):
    bad, strange = tmp_path / "a.csv", tmp_path / "b.csv"
    bad.write_text("rater,key,rating\nann,k1,5\nann,,2\nann,k2,2\nann,k3,good\nann,k4\n")
    strange.write_text("who,what\nann,k1\n")
    with pytest.raises(ProblemsError) as error:
        read_ratings([bad, strange, tmp_path / "none.csv"])
    text = str(error.value)
    for part in ("a.csv:2: rating '5'", "a.csv:3: names no picture", "a.csv:5: rating 'good'"):
        assert part in text
    assert "a.csv:6: rating ''" in text
    assert "b.csv: has no column rater, key, rating" in text and "none.csv" in text


def test_ratings_of_other_pictures_are_left_out_and_said_unless_all_are(tmp_path):
    given = ratings({"ann": "123"})
    known, warnings = known_ratings(given, {"p0", "p1"}, "r.csv")
    assert [r.key for r in known] == ["p0", "p1"]
    assert warnings == ["r.csv: 1 rated picture is not in this experiment (p2); left out"]
    assert known_ratings(given, {"p0", "p1", "p2", "p3"}, "r.csv")[1] == []
    assert known_ratings([], {"p0"}, "") == ([], [])
    with pytest.raises(KindredError, match=r"r\.csv: rates 3 pictures, but none that this"):
        known_ratings(given, {"q"}, "r.csv")


def test_means_are_between_bad_and_good():
    assert mean_ratings(ratings({"ann": "123", "bob": "3.."})) == {"p0": 0.5, "p1": 0.5, "p2": 1.0}


def test_alpha_of_perfect_agreement_and_of_chance():
    assert krippendorff_alpha(ratings({"ann": "1231", "bob": "1231"})) == 1
    assert krippendorff_alpha(ratings({"ann": "13", "bob": "31"})) == pytest.approx(-0.5)
    assert krippendorff_alpha(ratings({"ann": "123"})) is None
    assert krippendorff_alpha(ratings({"ann": "22", "bob": "22"})) is None


def test_alpha_by_hand():
    """Four pictures, one of them rated 1 and 2; in all three 1, three 2, two 3. Distances: between
    1 and 2 (6 - 3)^2, 2 and 3 (5 - 2.5)^2, 1 and 3 (8 - 2.5)^2."""
    alpha = krippendorff_alpha(ratings({"ann": "1123", "bob": "1223"}))
    by_chance = 2 * (3 * 3 * 9 + 3 * 2 * 6.25 + 3 * 2 * 30.25) / 7
    assert alpha == pytest.approx(1 - 2 * 9 / by_chance)


def test_a_judge_that_sees_what_people_see():
    rated = {"a": 1.0, "b": 0.5, "c": 0.0, "d": 0.0}
    success = {"a": 1.0, "b": 1.0, "c": 0.0, "d": 0.0, "unrated": 1.0}
    found = judge_agreement(rated, success, {"a": 0.9, "b": 0.6, "c": 0.2, "d": 0.1})
    assert found["auc"] == 1.0 and found["images"] == 4
    assert found["spearman"] == pytest.approx(0.948, abs=0.01)
    assert judge_agreement({"a": 0.5, "c": 0.5}, success, {})["auc"] == 0.5
    assert judge_agreement({"a": 1.0}, success, {"a": 0.5}) == {
        "auc": None,
        "spearman": None,
        "images": 1,
    }
