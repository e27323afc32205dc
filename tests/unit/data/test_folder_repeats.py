"""Folders named for kohya's tools: their numbers are seen, their class words are no names."""

from __future__ import annotations

import pytest

from kindred.common.errors import Problems
from kindred.data.caption_records import hint_of
from kindred.data.folder_repeats import FolderRepeats, name_part, repeats_of
from kindred.specs.character import Character
from kindred.specs.dataset import CaptionSpec

WHO = {
    "A": Character(name="Ada", noun="woman"),
    "B": Character(name="Ben", noun="man"),
    "W": Character(name="Woman", noun="child"),
}


@pytest.mark.parametrize(
    ("folder", "found"),
    [
        ("10_ada woman", (10, "ada woman")),
        ("40_ben", (40, "ben")),
        ("1_woman", (1, "woman")),
        ("120_JRussell_man", (120, "JRussell_man")),
        ("2024_summer", None),
        ("01_beach", None),
        ("10_2023", None),
        ("ada_10", None),
        ("10 ada", None),
        ("10_", None),
        ("", None),
    ],
)
def test_repeats_are_told_from_years_dates_and_orders(folder, found):
    assert repeats_of(folder) == (found and FolderRepeats(*found))


@pytest.mark.parametrize(
    ("folder", "part"),
    [
        ("10_ada woman", "ada"),
        ("10_ada_woman", "ada"),
        ("10_A woman", "A"),
        ("5_woman", ""),
        ("5_ada", "ada"),
        ("5_ada stick figure", "ada stick figure"),
        ("ada woman", "ada woman"),
    ],
)
def test_the_class_word_is_no_part_of_a_name(folder, part):
    assert name_part(folder, WHO) == part


@pytest.mark.parametrize(
    ("folder", "letters"),
    [("10_ada woman", ["A"]), ("3_A woman", ["A"]), ("5_woman", []), ("40_B+A people", [])],
)
def test_hints_are_read_from_such_folders(folder, letters):
    problems = Problems()
    hint = hint_of(f"{folder}/1.jpg", None, CaptionSpec(characters=WHO), problems)
    assert hint.letters == letters and not problems
