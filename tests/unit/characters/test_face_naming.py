"""Faces of a folder are grouped and named: sure, unsure, or a stranger's."""

from __future__ import annotations

import numpy as np
import pytest

from kindred.characters.face_calibration import STRANGER, UNSURE
from kindred.characters.face_groups import face_groups, joining_line
from kindred.characters.face_naming import DOUBT, NEW, OUT, SURE, USUAL_SPREAD, name_folder
from kindred.specs.character import NOBODY

SIZE, USUAL = 64, 0.95
RNG = np.random.default_rng(3)
MEAN = RNG.standard_normal(SIZE) * 1.6


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


STRANGERS = unit(MEAN + RNG.standard_normal((400, SIZE)) * 0.7)


def people(*counts, seed=0, spread=0.3):
    """Faces of as many people, a cosine of about .85 apart, .97 with themselves, and whose."""
    rng = np.random.default_rng(seed)
    faces, who = [], []
    for number, count in enumerate(counts):
        centre = MEAN + rng.standard_normal(SIZE) * 0.7
        faces.append(unit(centre + rng.standard_normal((count, SIZE)) * spread))
        who += ["JACBD"[number]] * count
    return np.concatenate(faces), who


def named(faces, who, decided=None, hinted=None, photos=None):
    photos = list(range(len(faces))) if photos is None else photos
    return name_folder(faces, photos, decided or {}, hinted or {}, STRANGERS, USUAL)


def wrong(found, who):
    return [
        (a, w) for a, w in zip(found.answers, who, strict=True) if a.state == SURE and a.who != w
    ]


def test_without_names_every_group_is_asked_once_and_then_all_have_names():
    faces, who = people(9, 7, 5)
    found = named(faces, who)
    assert [one.why for one in found.questions] == [NEW] * 3
    assert [len(one.faces) for one in found.questions] == [9, 7, 5]
    told = {row: who[row] for one in found.questions for row in one.faces[:1]}
    found = named(faces, who, told)
    assert not found.questions
    assert [one.who for one in found.answers] == who
    assert {one.state for one in found.answers} == {SURE}


def test_one_named_photo_each_names_the_rest_and_strangers_are_left_out():
    faces, who = people(8, 8, 8, 1, 2)
    hints = {who.index(letter): letter for letter in "JAC"}
    found = named(faces, who, hinted=hints)
    assert not wrong(found, who)
    assert [a.state for a in found.answers[-3:]] == [STRANGER] * 3
    assert sum(a.state == SURE for a in found.answers) == 24


def test_somebody_often_there_without_a_name_is_asked_and_nobody_is_believed():
    faces, who = people(8, 8, 6)
    found = named(faces, who, hinted={0: "J", 8: "A"})
    assert [(one.why, len(one.faces)) for one in found.questions] == [(NEW, 6)]
    told = dict.fromkeys(found.questions[0].faces, NOBODY)
    found = named(faces, who, told, {0: "J", 8: "A"})
    assert not found.questions and {a.state for a in found.answers[16:]} == {STRANGER}


def test_a_wrong_hint_is_doubted_asked_and_not_used():
    faces, who = people(6, 6)
    hints = dict.fromkeys(range(5), "J") | {7: "J", 8: "A", 9: "A"}
    found = named(faces, who, hinted=hints)
    assert found.doubted == [7] and not wrong(found, who)
    assert [(one.why, one.maybe[0]) for one in found.questions if 7 in one.faces] == [(DOUBT, "J")]
    assert found.answers[7].state == UNSURE
    again = named(faces, who, {7: "A"}, hints)
    assert again.doubted == [] and not again.questions and not wrong(again, who)


def test_of_two_hints_that_are_unlike_both_are_asked():
    faces, who = people(6, 6)
    found = named(faces, who, hinted={0: "J", 6: "J"})
    assert found.doubted == [0, 6]


def test_what_a_person_decided_stays_whatever_the_face_looks_like():
    faces, who = people(6, 6)
    found = named(faces, who, {0: "A"}, {1: "J", 2: "J", 3: "J", 7: "A", 8: "A"})
    assert (found.answers[0].state, found.answers[0].who) == (SURE, "A")


def test_a_face_that_was_taken_out_is_asked_first_and_names_nobody():
    faces, who = people(8, 7)
    photos = list(range(len(faces)))
    given = (photos, {0: "J"}, {3: "J"}, STRANGERS, USUAL)
    found = name_folder(faces, *given, taken_out=[3, 5])
    assert found.questions[0].faces == (3, 5) and found.questions[0].why == OUT
    assert all(not {3, 5} & set(one.faces) for one in found.questions[1:])
    assert [found.answers[row].state for row in (3, 5)] == [UNSURE] * 2
    assert [found.answers[row].who for row in (1, 2, 4, 6, 7)] == ["J"] * 5
    assert found.lines["J"].photos == 6
    assert who[8] == "A" and 3 not in found.doubted


def test_nobody_is_in_a_photo_twice():
    faces, who = people(8, 8)
    photos = [*range(7), 6, *range(8, 16)]  # a mirror: J twice in photo 6
    found = named(faces, who, hinted={0: "J", 1: "J", 8: "A"}, photos=photos)
    assert [found.answers[row].state for row in (6, 7)].count(SURE) == 1
    groups = face_groups(faces, photos, found.joined, 0.85)
    assert not any({6, 7} <= set(group) for group in groups)


def test_a_single_known_photo_widens_the_spread_by_its_own():
    faces, who = people(1, 1, seed=4)
    line = named(faces, who, decided={0: "J", 1: "A"}).lines["J"]
    assert line.photos == 1
    # No more than the usual spread is known; three of it, and the known photo's as much again.
    assert line.own - line.sure == pytest.approx(3 * USUAL_SPREAD * 2**0.5)


def test_look_alikes_who_share_photos_raise_the_line_above_them():
    rng = np.random.default_rng(1)
    centre = MEAN + rng.standard_normal(SIZE) * 0.7
    twins = [centre, centre + rng.standard_normal(SIZE) * 0.35]
    faces = unit(np.stack([t + rng.standard_normal(SIZE) * 0.15 for t in twins for _ in range(8)]))
    photos = [*range(8), *range(8)]
    apart = joining_line(faces, photos, STRANGERS)
    assert apart > joining_line(faces, list(range(16)), STRANGERS)
    assert [len(group) for group in face_groups(faces, photos, apart, 0.85)][:2] == [8, 8]


def test_a_look_alikes_whole_group_is_asked_and_not_written():
    rng = np.random.default_rng(1)
    centre = MEAN + rng.standard_normal(SIZE) * 0.7
    other = centre + rng.standard_normal(SIZE) * 0.6
    own = unit(centre + rng.standard_normal((6, SIZE)) * 0.3)
    alike = unit(other + rng.standard_normal((6, SIZE)) * 0.1)
    found = named(np.concatenate([own, alike]), None, hinted={0: "J"})
    assert not any(a.state == SURE for a in found.answers[6:])


@pytest.mark.parametrize("count", [0, 1])
def test_hardly_any_faces(count):
    faces, who = people(3)
    found = named(faces[:count], who[:count])
    assert len(found.answers) == count == len(found.questions)
