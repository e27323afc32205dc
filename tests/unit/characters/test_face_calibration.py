"""Thresholds, lead and confusions of a family, on vectors whose likeness is known."""

from __future__ import annotations

import numpy as np
import pytest

from kindred.characters import face_calibration as module
from kindred.characters.face_calibration import STRANGER, UNSURE, bounds, calibrate, in_doubt

SIZE = 64


def photos(rng: np.random.Generator, person: np.ndarray, count: int, spread: float) -> np.ndarray:
    """Unit vectors round a person."""
    rows = person + spread * rng.standard_normal((count, SIZE)) / np.sqrt(SIZE)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def someone(rng: np.random.Generator) -> np.ndarray:
    return photos(rng, np.zeros(SIZE), 1, 1.0)[0]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def strangers(rng) -> np.ndarray:
    return np.stack([someone(rng) for _ in range(400)])


def test_a_photo_unlike_the_others_of_its_name_is_found(rng):
    own = photos(rng, someone(rng), 6, 0.5)
    assert in_doubt(own, 0.0) == []
    own[4] = someone(rng)
    assert in_doubt(own, 0.0) == [4]
    own[1] = someone(rng)
    assert in_doubt(own, 0.0) == [1, 4]
    assert in_doubt(own[[0, 4]], 0.0) == []


def test_who_is_unlike_everybody_is_told_apart(rng, strangers):
    people = {x: someone(rng) for x in "AJ"}
    found = calibrate({x: photos(rng, who, 20, 0.5) for x, who in people.items()}, strangers)
    assert found.confusion == {
        "A": {"A": 20, "J": 0, UNSURE: 0, STRANGER: 0},
        "J": {"A": 0, "J": 20, UNSURE: 0, STRANGER: 0},
    }
    assert found.look_alikes == {"A+J": "separable"}
    assert found.lead == 0.0
    assert all(share <= 0.01 for share in found.strangers_named.values())
    assert found.name({"A": found.own["A"], "J": 0.0}) == "A"
    assert found.name({"A": 0.0, "J": 0.0}) == STRANGER
    said = module.sentence(found.as_dict(), {"A": "Ada", "J": "Jo"})
    assert said.startswith("Of 40 photos, each left out in turn, this judge names 40 rightly, 0 as")
    assert "at most 9%" in said and said.endswith("leaves 0 unnamed.")


def test_twins_are_left_open_and_named(rng, strangers):
    one = someone(rng)
    twins = {x: photos(rng, one, 20, 0.6) for x in "AJ"}
    found = calibrate(twins | {"C": photos(rng, someone(rng), 20, 0.6)}, strangers)
    assert found.look_alikes["A+J"] == "not separable"
    assert found.look_alikes["A+C"] == "separable"
    wrong = sum(found.confusion[x][y] for x, y in ("AJ", "JA"))
    assert found.lead > 0 and wrong <= 3
    assert sum(found.confusion[x][UNSURE] + found.confusion[x][STRANGER] for x in "AJ") > 20
    said = module.sentence(found.as_dict(), {"A": "Ada", "J": "Jo", "C": "Cy"})
    assert "Ada and Jo can't be told apart." in said


def test_relatives_raise_the_threshold(rng, strangers):
    one = someone(rng)
    other = photos(rng, one, 1, 0.7)[0]
    alone = calibrate({"J": photos(rng, one, 20, 0.5)}, strangers)
    both = calibrate({"J": photos(rng, one, 20, 0.5), "A": photos(rng, other, 20, 0.5)}, strangers)
    assert both.thresholds["J"] > alone.thresholds["J"]


def test_look_alikes_that_the_base_draws_raise_the_threshold_above_them(rng, strangers):
    people = {x: someone(rng) for x in "AJ"}
    own = {x: photos(rng, who, 20, 0.5) for x, who in people.items()}
    drawn = {x: np.stack([someone(rng) for _ in range(72)]) for x in "AJ"}
    drawn["J"][:5] = photos(rng, people["J"], 5, 1.2)
    before, found = calibrate(own, strangers), calibrate(own, strangers, drawn)
    likeness = np.sort(drawn["J"] @ own["J"].mean(0))
    assert before.thresholds["J"] < likeness[-1] < found.thresholds["J"]
    assert found.thresholds["A"] == before.thresholds["A"]
    assert found.drawn["J"]["faces"] == 72 and 1 <= found.drawn["J"]["passed"] <= 5
    assert found.drawn["A"] == {"faces": 72, "passed": 0}
    said = module.sentence(found.as_dict(), {"A": "Ada", "J": "Jo"})
    assert "400 shipped faces and faces that the base draws" in said
    assert "72 for Ada and 72 for Jo" in said and "the base's for Jo" in said
    assert not {"lines", "drawn"} & before.as_dict().keys()


def test_few_faces_that_the_base_draws_are_said(rng, strangers):
    own = {"J": photos(rng, someone(rng), 20, 0.5)}
    drawn = {"J": np.stack([someone(rng) for _ in range(8)])}
    said = module.sentence(calibrate(own, strangers, drawn).as_dict(), {"J": "Jo"})
    assert said.endswith("For Jo the base drew fewer than 60.")
    assert calibrate(own, strangers, {}).drawn == {}


def test_a_line_is_passed_by_no_more_than_its_share():
    values = np.linspace(0, 0.99, 100)
    for share, most in ((0.01, 1), (0.05, 5)):
        assert (values >= module.beyond(values, share)).sum() == most
    assert (values[:60] >= module.beyond(values[:60], 0.01)).sum() == 0


def test_few_photos_say_too_little(rng, strangers):
    people = {x: photos(rng, someone(rng), 3, 0.4) for x in "AJ"} | {
        "C": photos(rng, someone(rng), 1, 0.4)
    }
    found = calibrate(people, strangers)
    assert set(found.confusion) == {"A", "J"}
    assert found.look_alikes == {"A+J": "too few photos"}
    nobody = calibrate({"C": people["C"]}, strangers)
    assert module.sentence(nobody.as_dict(), {"C": "Cy"}).startswith("Nobody has two photos")


def test_bounds_are_those_of_clopper_and_pearson():
    assert bounds(0, 14)[1] == pytest.approx(0.2316, abs=1e-4)
    assert bounds(1, 8) == pytest.approx((0.0032, 0.5265), abs=1e-4)
    assert bounds(5, 5) == (pytest.approx(0.4782, abs=1e-4), 1.0)
