"""Numbers of a judge that are none are told with the picture, and no score is made of them."""

import math

import numpy as np
import pytest

from kindred.common.errors import ProblemsError
from kindred.judges.finite_answers import check_adherence, check_people, check_vectors
from kindred.judges.interface import DetectedPerson

BOX = (0.0, 0.0, 9.0, 9.0)
FINE = DetectedPerson(BOX, BOX, 0.9, np.ones(4))


@pytest.mark.parametrize(
    ("person", "said"),
    [
        (
            DetectedPerson(BOX, BOX, 0.9, np.array([1, np.nan])),
            "the vector of a face is not a number",
        ),
        (
            DetectedPerson((0, 0, math.inf, 9), BOX, 0.9, None),
            "the position or score of a person is not a number",
        ),
        (
            DetectedPerson(BOX, BOX, math.nan, None),
            "the position or score of a person is not a number",
        ),
    ],
)
def test_every_picture_is_named_at_once(person, said):
    with pytest.raises(ProblemsError) as caught:
        check_people([[FINE], [FINE, person], [person]], ["a.png", "b.png", "c.png"])
    assert [(one.where, said in one.what) for one in caught.value.problems] == [
        ("b.png", True),
        ("c.png", True),
    ]
    check_people([[FINE], []], ["a.png", "b.png"])


def test_whole_pictures_and_prompts():
    vectors = np.ones((3, 2))
    check_vectors(vectors, "abc")
    vectors[1, 0] = np.inf
    with pytest.raises(ProblemsError, match="b: the vector of the whole picture"):
        check_vectors(vectors, "abc")
    check_adherence([None, 0.5], "ab")
    with pytest.raises(ProblemsError, match="b: the score for how well it shows"):
        check_adherence([None, math.nan], "ab")
