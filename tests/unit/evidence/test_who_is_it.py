"""What people say of who is in pictures: reading it, agreement, and the judge beside it."""

from __future__ import annotations

import pytest

from kindred.common.errors import ProblemsError
from kindred.evidence.who_is_it import (
    Answer,
    Judged,
    judged_pictures,
    read_answers,
    who_is_it,
)

HEAD = "rater,key,who,others,clothes,send\n"
FAMILY = frozenset("AJ")


def test_files_are_read_and_the_last_answer_counts(tmp_path):
    one, two = tmp_path / "x.who.csv", tmp_path / "x.who-bob.csv"
    one.write_text(f"{HEAD}me,k1,A,0,,1\nme,k1,A+J,1,0,0\nann,k1,,0,,1\n")
    two.write_text(f"{HEAD}me,k1,J,0,,1\n")
    found = {one.rater: one for one in read_answers([one, two])}
    assert set(found) == {"me (x.who)", "me (x.who-bob)", "ann"}
    assert found["me (x.who)"] == Answer("me (x.who)", "k1", FAMILY, 1, False, False)
    assert found["ann"].who == frozenset() and found["ann"].clothes is None
    assert read_answers([]) == []


def test_every_line_that_is_no_answer_is_named(tmp_path):
    bad, strange = tmp_path / "a.csv", tmp_path / "b.csv"
    bad.write_text(f"{HEAD}ann,k1,a,0,,1\nann,k2,A,x,,1\nann,k3,A,0,2,1\nann,k4,A+J,0,1,1\n")
    strange.write_text("rater,key\n")
    with pytest.raises(ProblemsError) as error:
        read_answers([bad, strange, tmp_path / "none.csv"])
    text = str(error.value)
    assert all(f"a.csv:{line}: " in text for line in (2, 3, 4)) and "a.csv:5" not in text
    assert "b.csv: has no column who, others, clothes, send" in text and "none.csv" in text


def row(**changes: str) -> dict[str, str]:
    told = {"kind": "image", "variant": "a", "key": "k", "asked": "A+J", "missing": "J"}
    return {**told, "unasked": "C", "cast_right": "0", "strangers_asked": "1"} | changes


def test_the_judge_finds_who_is_not_missing_and_who_was_not_asked_for():
    found = judged_pictures([row(), row(key="l", cast_right=""), row(kind="person")], "ACJ")
    assert found == {"k": Judged("a", frozenset("ACJ"), frozenset("AC"), False, frozenset("AJ"), 1)}


def judged(key: str, found: str, asked: str = "A", variant: str = "a") -> tuple[str, Judged]:
    whole = frozenset(found), found == asked, frozenset(asked), 0
    return key, Judged(variant, FAMILY, *whole)


def answers(rater: str, **who: str) -> list[Answer]:
    return [Answer(rater, key, frozenset(x), 0, None, True) for key, x in who.items()]


def test_raters_and_the_judge_are_compared_person_by_person():
    seen = dict([judged("k", "A"), judged("l", "J"), judged("m", "A", variant="b")])
    given = [*answers("ann", k="A", l="A", m="A", gone="A"), *answers("bob", k="A", l="A", m="J")]
    found = who_is_it(given, seen)
    # Of m one says A and one says J, so neither counts beside the judge.
    assert found["judge"]["people"]["same"] == 2 and found["judge"]["people"]["of"] == 4
    assert found["judge"]["pictures"] == {**found["judge"]["pictures"], "same": 1, "of": 2}
    assert found["judge"]["believed"] is False and found["strange"] == 1
    assert found["arms"]["a"] == {
        "pictures": 2, "right": 1.0, "judged_right": 0.5, "send": 1.0, "clothes": None,
    }  # fmt: skip
    assert found["arms"]["b"]["right"] == 0.5
    assert found["alpha"]["send"] is None and 0 < found["alpha"]["who"] < 1
    assert found["sentence"].startswith("2 people said who is in 3 pictures; they agree by an")


def test_a_judge_that_sees_what_people_see_is_believed_from_enough_of_them():
    many = dict(judged(f"k{n}", "A") for n in range(30))
    found = who_is_it(answers("ann", **dict.fromkeys(many, "A")), many)
    assert found["judge"]["believed"] and found["alpha"]["who"] is None
    few = dict(judged(f"k{n}", "A") for n in range(5))
    assert not who_is_it(answers("ann", **dict.fromkeys(few, "A")), few)["judge"]["believed"]
    assert who_is_it([], many) is None and who_is_it(answers("ann", x="A"), many) is None
