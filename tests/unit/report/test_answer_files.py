"""Tables of answers that a page's server keeps: one a person, resumable, nothing else let in."""

from __future__ import annotations

import csv

import pytest

from kindred.common.errors import KindredError
from kindred.evidence.human_ratings import read_ratings
from kindred.evidence.paired_choices import read_choices
from kindred.evidence.who_is_it import read_answers
from kindred.report.answer_files import KINDS, AnswerFiles, answer

RATINGS, PAIRS, WHO = KINDS
ROW = {"key": "k1", "rating": 2, "reference": 1, "seconds": 1.5, "rated_at": "2026-11-29T12:00:00Z"}


@pytest.fixture
def files(tmp_path):
    return AnswerFiles(RATINGS, "ours", tmp_path)


def grades(folder):
    found = read_ratings(sorted(folder.glob("ours.ratings*.csv")))
    return {(one.rater, one.key): one.grade for one in found}


def test_answers_of_several_people_are_kept_apart_and_changed(files, tmp_path):
    answer(files, {"rater": "Anna", "rows": [ROW]})
    answer(files, {"rater": "Ben B.", "rows": [ROW | {"rating": 3}]})
    told = answer(files, {"rater": "Anna", "rows": [ROW | {"rating": 1}, ROW | {"key": "k2"}]})
    assert told == {"file": str(tmp_path / "ours.ratings-anna.csv")}
    assert (tmp_path / "ours.ratings-ben-b.csv").exists()
    assert grades(tmp_path) == {("Anna", "k1"): 1, ("Anna", "k2"): 2, ("Ben B.", "k1"): 3}
    before = answer(files, {"rater": "Anna"})["rows"]
    assert [(row["key"], row["rating"], row["seconds"]) for row in before] == [
        ("k1", "1", "1.5"),
        ("k2", "2", "1.5"),
    ]


def test_somebody_goes_on_in_the_table_that_has_their_answers(files, tmp_path):
    """A table that was sent back and put in place, with others' answers and pictures of old."""
    sent = tmp_path / "ours.ratings.csv"
    with open(sent, "w", newline="") as file:
        table = csv.writer(file)
        table.writerows([RATINGS.columns, ["me", "old", 3, 0, 1, ""], ["you", "k1", 1, 0, 1, ""]])
    assert [row["key"] for row in answer(files, {"rater": "me"})["rows"]] == ["old"]
    assert answer(files, {"rater": "me", "rows": [ROW]})["file"] == str(sent)
    assert list(tmp_path.iterdir()) == [sent]
    assert grades(tmp_path) == {("me", "old"): 3, ("me", "k1"): 2, ("you", "k1"): 1}


def test_choices_and_who_is_it_are_read_as_they_are_saved(tmp_path):
    pair = {"who": "J", "left": "a", "right": "b", "choice": "left", "seconds": 1, "rated_at": ""}
    answer(AnswerFiles(PAIRS, "ours", tmp_path), {"rater": "me", "rows": [pair]})
    (choice,) = read_choices([tmp_path / "ours.pairs-me.csv"])
    assert (choice.rater, choice.who, choice.left, choice.choice) == ("me", "J", "a", "left")
    seen = {"key": "k", "who": "A+J", "others": 1, "clothes": "", "send": "1"}
    answer(AnswerFiles(WHO, "ours", tmp_path), {"rater": "me", "rows": [seen]})
    assert [one.key for one in read_answers([tmp_path / "ours.who-me.csv"])] == ["k"]


@pytest.mark.parametrize(
    "change",
    [
        [],
        {"rater": "me", "rows": {}},
        {"rater": "me", "rows": ["x"]},
        {"rater": "", "rows": [ROW]},
        {"rater": "x" * 41, "rows": [ROW]},
        {"rater": "me", "rows": [ROW | {"rating": 4}]},
        {"rater": "me", "rows": [ROW | {"key": ""}]},
        {"rater": "me", "rows": [ROW, ROW | {"key": "k" * 300}]},
        {"rater": "m\x00e", "rows": [ROW]},
    ],
)
def test_what_no_page_sends_changes_nothing(files, tmp_path, change):
    with pytest.raises(KindredError):
        answer(files, change)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["../../etc/x", "..", "/", "Ünal Ö"])
def test_a_name_is_no_path(files, tmp_path, name):
    answer(files, {"rater": name, "rows": [ROW]})
    (file,) = tmp_path.iterdir()
    assert file.name.startswith("ours.ratings-") and len(grades(tmp_path)) == 1
