"""Words for pictures made of photos: what captions give, and who is said to stand where."""

import numpy as np
import pytest

from kindred.characters import person_labels
from kindred.data.composites import captions
from kindred.specs.character import Character

CHARACTERS = {
    "J": Character(**{"name": "JRussell", "class": "man"}),
    "A": Character(**{"name": "ARussell", "class": "woman"}),
    "C": Character(**{"name": "CRussell", "class": "child"}),
}


@pytest.mark.parametrize(
    ("caption", "called"),
    [
        ("a photo of adult man JRussell in the park", "adult man JRussell"),
        ("the little boy CRussell runs", "the little boy CRussell"),
        ("JRussell smiles", "JRussell"),
        ("a big JRussell", "JRussell"),
    ],
)
def test_calling(caption, called):
    letter = called.split()[-1][0]
    assert captions.calling(caption, letter, CHARACTERS) == called


@pytest.mark.parametrize(
    ("caption", "clothes"),
    [
        ("JRussell in a dark blue shirt at the beach", "in a dark blue shirt"),
        (
            "JRussell wearing red overalls and a green cap sits",
            "wearing red overalls and a green cap",
        ),
        ("JRussell in the park", ""),
        ("JRussell and ARussell in a red dress", ""),
        ("JRussell smiles in a red sweater", ""),
    ],
)
def test_wearing(caption, clothes):
    assert captions.wearing(caption, "J", CHARACTERS) == clothes


@pytest.mark.parametrize(
    ("caption", "place"),
    [
        ("JRussell in a blue shirt in front of the house", "in front of the house"),
        ("JRussell in red overalls in a studio", "in a studio"),
        ("In the living room, JRussell waves", "in the living room"),
        ("JRussell at night", "at night"),
        ("JRussell in a blue shirt", ""),
        ("ARussell on the left and JRussell on the right", ""),
        ("on a Christmas card, JRussell waves", "on a Christmas card"),
        ("A Christmas card with JRussell", "on a Christmas card"),
        ("a postcard with JRussell and CRussell", "on a postcard"),
        ("JRussell holds a red card", ""),
        ("JRussell is on a card", ""),
    ],
)
def test_place_is_said_or_nothing(caption, place):
    assert captions.place(caption) == place


@pytest.mark.parametrize(
    ("caption", "found"),
    [
        ("a man in the park", ("man", "")),
        ("a portrait of an old man in a red coat", ("man", "in a red coat")),
        ("the little girl wearing a blue hat by the lake", ("girl", "wearing a blue hat")),
        ("headshot of a smiling young woman", ("woman", "")),
        ("a man and a woman in the park", None),
        ("two men in the park", None),
        ("a woman with her child", None),
        ("JRussell in a red coat", None),
        ("a mantelpiece", None),
    ],
)
def test_a_stranger_is_somebody_said_by_a_noun_alone(caption, found):
    assert captions.stranger(caption) == found


def test_group_says_sides_of_two_and_three_and_lists_more():
    assert captions.group_caption(["X", "Y"], "at home", "", False) == (
        "X on the left and Y on the right at home"
    )
    assert captions.group_caption(["X", "Y", "Z"], "", "a photo of ", False) == (
        "a photo of X on the left, Y in the middle and Z on the right"
    )
    assert (
        captions.group_caption(list("WXYZ"), "", "", False) == "from left to right: W, X, Y and Z"
    )
    assert (
        captions.side_by_side_caption(list("XYZ"), "at home", "a photo of ")
        == "a photo of X, Y and Z at home"
    )


def test_opening_only_where_most_captions_have_it():
    assert captions.frame(["a photo of X", "photo of Y", "a photo of Z", "W"]) == "a photo of "
    assert captions.frame(["a photo of X", "Y"]) == ""


@pytest.mark.parametrize(
    ("caption", "order"),
    [
        ("from left to right: CRussell, JRussell and ARussell", ["C", "J", "A"]),
        ("JRussell on the right and CRussell on the left", ["C", "J"]),
        ("on the left JRussell, on the right CRussell in the park", ["J", "C"]),
        (
            "CRussell on the left, ARussell in the middle and JRussell on the right",
            ["C", "A", "J"],
        ),
        ("JRussell and CRussell", None),
        ("JRussell on the left and CRussell", None),
        ("JRussell on the left and CRussell on the left", None),
        ("JRussell looks left; JRussell on the right", None),
    ],
)
def test_order_is_read_only_where_it_is_said(caption, order):
    assert person_labels.order_said(caption, CHARACTERS) == order


def test_composed_captions_are_read_back_as_they_were_meant():
    people = ["adult man JRussell in a red shirt", "CRussell", "ARussell"]
    for listed in (True, False):
        caption = captions.group_caption(people, "at the beach", "", listed)
        assert person_labels.order_said(caption, CHARACTERS) == ["J", "C", "A"]


def test_somebody_named_alone_is_the_largest_person():
    assert person_labels.by_caption("JRussell", [3.0, 9.0, 1.0], CHARACTERS) == ["", "J", ""]
    assert person_labels.by_caption("JRussell and CRussell", [3.0, 9.0], CHARACTERS) is None


def test_faces_decide_where_captions_do_not():
    known = {"J": np.array([[1.0, 0.0]]), "C": np.array([[0.0, 1.0]])}
    faces = [np.array([0.2, 0.9]), None, np.array([0.8, 0.3])]
    assert person_labels.by_faces(["C", "J"], faces, known) == ["C", "", "J"]
    assert person_labels.by_faces(["A", "J"], faces, known) == ["", "", ""]
