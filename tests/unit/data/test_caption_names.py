"""Captions of groups: everybody known is named once, with their own garments, and nobody else."""

from __future__ import annotations

import pytest

from kindred.characters.person_labels import order_said
from kindred.common.errors import Problems
from kindred.data.caption_names import (
    caption_of_one,
    named_caption,
    person_words,
    place_words,
    wrong_names,
)
from kindred.data.caption_records import Hint, by_captioner, hint_of
from kindred.data.captioning import strips_of
from kindred.data.people_file import PhotoEntry, PlacedFace
from kindred.specs.character import Character
from kindred.specs.dataset import CaptionSpec

SPEC = CaptionSpec.model_validate(
    {
        "characters": {
            "J": {"name": "JRussell", "class": "man"},
            "A": {"name": "ARussell", "class": "woman"},
            "C": {"name": "CRussell", "class": "child"},
        }
    }
)
WHO = SPEC.characters
COAT, DRESS = "a man in a blue coat standing on a beach", "A woman wearing a red dress."
GROUP = "a man in a blue coat and a woman in a red dress standing on a beach"


@pytest.mark.parametrize(
    "row, parts, whole, said",
    [
        ("JA", [COAT, DRESS], GROUP,
         "JRussell on the left, a man in a blue coat standing, and ARussell on the right, a woman "
         "wearing a red dress, on a beach"),
        ("AJ", [DRESS, COAT], "two people in the park",
         "ARussell on the left, a woman wearing a red dress, and JRussell on the right, a man in a "
         "blue coat standing, in the park"),
        ("J-C", [COAT, DRESS, "a boy in a green sweater"], "a family",
         "JRussell on the left, a man in a blue coat standing, another person in the middle, and "
         "CRussell on the right, a child in a green sweater"),
        ("JAC-", [COAT, DRESS, "", ""], GROUP,
         "from left to right: JRussell, a man in a blue coat standing, ARussell, a woman wearing a "
         "red dress, CRussell, a child, another person, on a beach"),
    ],
)  # fmt: skip
def test_groups(row, parts, whole, said):
    row = [letter.strip("-") for letter in row]
    caption = named_caption(row, parts, whole, WHO)
    assert caption == said and not wrong_names(caption, row, WHO)


@pytest.mark.parametrize("row", ["JA", "CAJ"])
def test_the_order_is_read_again_by_who_cuts_people_out(row):
    caption = named_caption(list(row), [""] * len(row), GROUP, WHO)
    assert order_said(caption, WHO) == list(row)


@pytest.mark.parametrize(
    "text, noun, said",
    [
        ("a tall man in a grey suit and a tie", "man", "in a grey suit and a tie"),
        ("This photo shows a man who is holding a cup in a kitchen.", "man", "holding a cup"),
        ("a man with red gloves on a bench", "man", "with red gloves"),
        ("a boy in a cap", "child", "in a cap"),
        ("a person in a hat", "woman", "in a hat"),
        ("a man in a blue coat next to a woman in a red dress", "man", ""),  # whose dress?
        ("a woman in a red dress", "man", ""),
        ("the man on the left in a coat", "man", ""),
        ("a man named John in a suit", "man", ""),
        ("a bench in a park", "man", ""),
        ("", "man", ""),
    ],
)
def test_words_of_one_person_are_taken_only_where_they_can_be_nobody_elses(text, noun, said):
    assert person_words(text, noun) == said


@pytest.mark.parametrize(
    "text, said",
    [
        (GROUP, "on a beach"),
        ("two people on a sofa in front of a window.", "on a sofa in front of a window"),
        ("a man in a blue coat and a woman in a red dress", ""),
        ("a man and a woman in the snow with red hats", ""),
        ("people in a garden beside Barack Obama", ""),
        ("a family portrait", ""),
    ],
)
def test_places_hold_no_person_and_no_garment(text, said):
    assert place_words(text) == said


@pytest.mark.parametrize(
    "text, letter, said, wrong",
    [
        ("a man in a black sweater", "A", "the woman ARussell in a black sweater", "man"),
        ("a close up of a young girl in a hat", "A", "a close up of the woman ARussell in a hat",
         "girl"),
        ("Smiling man with glasses.", "A", "the woman ARussell with glasses.", "man"),
        ("a tall woman on a beach", "J", "the man JRussell on a beach", "woman"),
        ("a bearded man on a beach", "A", "the woman ARussell on a beach", "man"),
        ("a man with a beard on a beach", "A", "ARussell, a woman, on a beach", "man"),
        ("a man standing in his kitchen", "A", "ARussell, a woman", "man"),
        ("a woman with her dog on a beach", "J", "JRussell, a man, on a beach", "woman"),
        ("a man in his coat", "C", "the child CRussell in his coat", "man"),
        ("two men on a beach", "A", "ARussell, a woman, on a beach", "men"),
        ("a man and a boy on a beach", "A", "ARussell, a woman, on a beach", "man"),
        ("a group of men on a beach", "A", "ARussell, a woman, on a beach", "men"),
        # What says the own class, nobody's, or only another person beside stays.
        ("a woman holding a baby", "A", "the woman ARussell holding a baby", ""),
        ("a boy in a cap", "C", "the boy CRussell in a cap", ""),
        ("a person holding a baby", "A", "the woman ARussell: a person holding a baby", ""),
        ("a bench in a park", "A", "the woman ARussell: a bench in a park", ""),
        ("a group of people", "A", "the woman ARussell: a group of people", ""),
        ("", "A", "the woman ARussell", ""),
    ],
)  # fmt: skip
def test_one_person_never_keeps_the_captioners_wrong_class(text, letter, said, wrong):
    assert caption_of_one(text, letter, WHO) == (said, wrong)


@pytest.mark.parametrize(
    "noun, said",
    [("young woman", "the young woman Ada in a hat"), ("robot", "the robot Ada: a man in a hat")],
)
def test_nouns_of_two_words_and_of_no_person(noun, said):
    who = {"A": Character.model_validate({"name": "Ada", "class": noun})}
    assert caption_of_one("a man in a hat", "A", who)[0] == said


@pytest.mark.parametrize(
    "hint", [Hint(["A"], "people.yaml", ("A",), (50,)), Hint(["A"], "the file's name")]
)
def test_a_wrong_class_is_told_wherever_the_name_comes_from(hint):
    row = by_captioner("a man in a black sweater", "captioner x", hint, SPEC)
    assert row["caption"] == "the woman ARussell in a black sweater"
    assert row["nouns"] == ["woman"]
    told = [one["what"] for one in row["warnings"] if one["kind"] == "class"]
    assert told == ["the captioner calls ARussell 'man'; left out"]


def test_wrong_names_are_told():
    assert wrong_names("JRussell and ARussell", ["J", "C"], WHO) == [
        "names who is not there: ARussell",
        "leaves out CRussell",
    ]


def seen(*faces):
    return PhotoEntry(faces=tuple(PlacedFace(who, (x, 40)) for x, who in faces))


def test_the_row_is_from_the_left_without_faces_too_small_to_see():
    entry = seen((70, "A"), (20, "J sure"), (90, "too small to see"), (45, "stranger"))
    hint = hint_of("x.jpg", None, SPEC, Problems(), entry)
    assert (hint.row, hint.at, hint.letters) == (("J", "", "A"), (20, 45, 70), ["A", "J"])


def test_one_person_is_named_as_before_and_an_invented_name_goes():
    hint = hint_of("x.jpg", None, SPEC, Problems(), seen((50, "J")))
    row = by_captioner("a man in a coat at home", "captioner x", hint, SPEC)
    assert row["caption"] == "the man JRussell in a coat at home"
    row = by_captioner("a man called Barack Obama in a suit", "captioner x", hint, SPEC)
    assert row["caption"] == "JRussell, a man"


def test_a_captioner_that_says_somebodys_name_who_is_not_there_is_not_followed():
    hint = Hint(["J", "A"], "people.yaml", ("J", "A"), (20, 70))
    parts = ["a man holding crussell", "a woman in a hat"]
    row = by_captioner("two people at a table", "captioner x", hint, SPEC, parts)
    assert row["characters"] == ["A", "J"] and "CRussell" not in row["caption"]
    assert any("names who is not there: CRussell" in one["what"] for one in row["warnings"])


def test_only_strangers_are_described_without_a_name():
    hint = hint_of("x.jpg", None, SPEC, Problems(), seen((50, "stranger")))
    assert by_captioner("a man at home", "captioner x", hint, SPEC)["caption"] == "a man at home"


PHOTO = {"source_width": 400, "source_height": 200, "width": 200, "height": 200}


@pytest.mark.parametrize(
    "at, strips",
    [
        ([40, 60], [(0.0, 0.5), (0.5, 1.0)]),
        ([30, 50, 70], [(0.0, 0.3), (0.3, 0.7), (0.7, 1.0)]),
        ([40, 43], []),  # too near each other
        ([10, 60], []),  # cut off
    ],
)
def test_everybody_has_a_strip_of_the_prepared_picture(at, strips):
    assert strips_of(PHOTO, at) == strips
