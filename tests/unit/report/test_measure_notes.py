"""By which measure published pages read: their notes, and the same arms by both measures."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from kindred.report import published_tables
from kindred.report.measure_notes import END, START, both_measures, with_note, write_notes

PAGE = "# Title\n\nA question?\n\nExperiment `{name}`: 2 variants.\n\n## What came out\n\nMuch.\n"
LIKES = {"again": "old", "old": "study"}  # which experiment file is like which


def table(path: Path, columns: list[str], *lines: tuple[object, ...]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *lines])


@pytest.fixture
def docs(tmp_path) -> Path:
    """`again` is `old` by cast accuracy, with fewer runs; `alone` stands for itself."""
    (tmp_path / "config" / "experiments").mkdir(parents=True)
    for name, other in LIKES.items():
        path = tmp_path / "config" / "experiments" / f"{name}.yaml"
        path.write_text(f"like: {other}\n", encoding="utf-8")
    for name in ("old", "again", "alone"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "README.md").write_text(PAGE.format(name=name), encoding="utf-8")
    runs = ["variant", "run", "prompt_set", "success"]
    old = [("all", 1, "trio", 0.25), ("all", 2, "trio", 0.75), ("all", 3, "trio", 1)]
    table(
        tmp_path / "old" / "runs.csv", runs, *old, ("all", 1, "pair", 0.5), ("other", 1, "trio", 0)
    )
    new = [("all", 1, "trio", 0.5), ("all", 2, "trio", 0.5), ("all", 1, "casts", "")]
    table(tmp_path / "again" / "runs.csv", runs, *new, ("all", 1, "pair", ""))
    columns = ["variant", *published_tables.CASTS[4:-1]]
    line = ("all", 0.625, 0.5, 0.75, 0.9, 0.8, 1, 0.2, "", "")
    table(tmp_path / "again" / "casts.csv", columns, line)
    return tmp_path


def read(docs: Path, name: str) -> str:
    return (docs / name / "README.md").read_text(encoding="utf-8")


def test_the_control_compares_the_runs_that_both_have(docs):
    (row,) = both_measures(docs, "old", "again")
    assert (row["arm"], row["prompt_set"], row["runs"]) == ("all", "trio", 2)
    assert row["again"] == 0.5 and row["published"] == 0.5  # without run 3
    assert row["casts"][0] == {"mean": 0.625, "low": 0.5, "high": 0.75}
    assert row["casts"][2] == {"mean": 0.2, "low": None, "high": None}


def test_pages_without_casts_say_by_which_measure_they_read(docs):
    write_notes(docs, docs)
    for name in ("old", "alone"):
        head = read(docs, name).partition("\n## ")[0]
        assert (
            head.index("Experiment `") < head.index(START) < head.index("**By the old measure.**")
        )
    assert "cast accuracy" not in read(docs, "alone")
    line = "| all | 2 | 62 % (50–75) | 90 % (80–100) | 20 % | trio | 50 % | 50 % |"
    assert line in read(docs, "old") and line in read(docs, "again")
    assert "[again](../again/README.md)" in read(docs, "old")
    assert "[old](../old/README.md)" in read(docs, "again")
    assert "**Figures, no claims.**" in read(docs, "again")


def test_notes_are_written_once_and_follow_the_figures(docs):
    write_notes(docs, docs)
    first = {name: read(docs, name) for name in ("old", "again", "alone")}
    write_notes(docs, docs)
    assert first == {name: read(docs, name) for name in first}
    assert all(text.count(START) == text.count(END) == 1 for text in first.values())
    (docs / "again" / "casts.csv").unlink()
    write_notes(docs, docs)
    assert "[again]" not in read(docs, "old") and "By the old measure" in read(docs, "again")


def test_a_page_without_a_note_is_as_it_was():
    page = PAGE.format(name="old")
    assert with_note(page, "") == page
    assert with_note(with_note(page, "Mind."), "") == page


def test_casts_have_a_line_a_variant_with_every_cast():
    accuracy = {
        "all": {"mean": 0.58333, "low": 0.5, "high": 0.66, "runs": 5},
        "others": {"mean": 0.2, "low": None, "high": None, "runs": 5},
    }
    casts = {"A+J": {"mean": 0.75, "images": 80}, "noun-1": {"mean": 0.0, "images": 80}}
    own = {"images": 960, "accuracy": accuracy, "worst": {"mean": 0.1}, "casts": casts}
    columns, (line,) = published_tables.of_casts({"all": {"casts": {"c": own}}, "none": {}})
    assert columns[-2:] == ["A+J", "noun-1"] and set(line) <= set(columns)
    assert (line["variant"], line["prompt_set"], line["runs"]) == ("all", "c", "5")
    assert (line["all"], line["all low"], line["worst"]) == ("0.5833", "0.5", "0.1")
    assert line["family"] == line["others low"] == ""
    assert (line["A+J"], line["noun-1"], line["pictures"]) == ("0.75", "0", "960")


def test_runs_of_other_numbers_are_not_the_same_arms_again(docs):
    text = (docs / "again" / "runs.csv").read_text(encoding="utf-8")
    changed = text.replace("all,1,", "all,11,").replace("all,2,", "all,12,")
    (docs / "again" / "runs.csv").write_text(changed, encoding="utf-8")
    assert both_measures(docs, "old", "again") == []
    write_notes(docs, docs)
    assert read(docs, "again") == PAGE.format(name="again")
    assert "[again]" not in read(docs, "old")
