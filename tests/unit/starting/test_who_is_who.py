"""Faces of a folder get names, and what a person decided stays when photos come, go and move."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from drawn_faces import DrawnFaces, draw, folder
from PIL import Image

import who_is_who as program
from kindred.common.errors import KindredError, ProblemsError
from kindred.data.people_file import LATER, NAME, PeopleFile, PhotoEntry, read_people, write_people
from kindred.data.photo_faces import faces_of
from kindred.data.photo_folder import scan
from kindred.judges.interface import Calibration
from kindred.specs.character import Character
from kindred.starting import review_page
from kindred.starting.folder_survey import survey, survey_lines
from kindred.starting.who_is_who import LIES, WhoIsWho, who_is_who

PEOPLE = ["JRussell:man", "ARussell:woman", "CRussell:child"]
WHO = {letter: Character.model_validate({"name": f"{letter}Russell", "class": "man"})
       for letter in "JAC"}  # fmt: skip


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """The photos, and a store in which their faces lie."""
    root = tmp_path_factory.mktemp("drawn")
    list(faces_of(scan(folder(root / "ours")).photos, DrawnFaces(), root / "faces"))
    return root


@pytest.fixture
def photos(tmp_path, drawn):
    shutil.copytree(drawn / "faces", tmp_path / "faces")
    return shutil.copytree(drawn / "ours", tmp_path / "photos/ours")


def look(photos, people=(), engine=None) -> WhoIsWho:
    return who_is_who(photos, engine or DrawnFaces(), people, photos.parents[1] / "faces")


def words(found, name):
    return [face.who for face in found.file.photos[name].faces]


def answer(found, letters):
    """Say of each group whom most of its faces show, by what was drawn."""
    for question in found.questions:
        photo, face = found.rows[question.faces[0]]
        name = found.photos[photo].name
        drawn = {"IMG_90.png": "JA", "IMG_91.png": "AJ"}.get(name) or "JAC"[int(name[4:-4]) % 10]
        for row in question.faces:
            n, k = found.rows[row]
            found.decide(found.photos[n].name, k, letters.get(drawn[face], "nobody"))


def test_without_names_groups_are_asked_and_then_every_face_is_named(photos):
    found = look(photos)
    assert [len(one.faces) for one in found.questions] == [6, 6, 4]
    assert found.counts()["to decide"] == 16
    found.file.people = dict(WHO)
    answer(found, {letter: letter for letter in "JAC"})
    found.name()
    assert not found.questions and found.counts()["named"] == 16
    found.save()
    assert words(look(photos), "IMG_91.png") == ["A", "J"]


def test_one_named_file_each_names_the_rest(photos):
    for letter, old in zip("JAC", ("IMG_0", "IMG_1", "IMG_2"), strict=True):
        (photos / f"{old}.png").rename(photos / f"{letter}Russell {old}.png")
    found = look(photos, PEOPLE)
    answers = [words(found, f"IMG_{n}.png") for n in (30, 31, 32, 90)]
    assert answers == [["J sure"], ["A sure"], ["C sure"], ["J sure", "A sure"]]
    assert words(found, "JRussell IMG_0.png") == ["J sure"]


def test_decisions_survive_new_renamed_and_lost_photos(photos):
    found = look(photos, PEOPLE)
    for name in ("IMG_0.png", "IMG_10.png", "IMG_20.png"):
        found.decide(name, 0, "J")
    found.file.photos["IMG_90.png"] = PhotoEntry(
        found.file.photos["IMG_90.png"].file, (), "doubled", "JRussell waves"
    )
    found.save()
    (photos / "IMG_0.png").rename(photos / "new name.png")
    (photos / "IMG_20.png").unlink()
    draw(photos / "IMG_40.png", "J", 13)
    again = look(photos, PEOPLE)
    assert words(again, "new name.png") == ["J"] and "IMG_0.png" not in again.file.photos
    assert words(again, "IMG_40.png") == ["J sure"]
    assert words(again, "IMG_20.png") == ["J"]  # kept, in case it comes back
    entry = again.file.photos["IMG_90.png"]
    assert (entry.left_out, entry.caption, len(entry.faces)) == ("doubled", "JRussell waves", 2)


def test_what_a_person_wrote_into_the_file_is_believed(photos):
    found = look(photos, PEOPLE)
    found.save()
    text = (photos / NAME).read_text()
    begin = text.index('"IMG_90.png"')
    (photos / NAME).write_text(text[:begin] + text[begin:].replace("undecided", "JRussell", 1))
    assert words(look(photos), "IMG_90.png")[0] == "J"


def test_a_face_taken_out_of_a_group_stays_open_until_somebody_says_who_it_is(photos):
    found = look(photos, PEOPLE)
    found.decide("IMG_0.png", 0, "J")
    found.decide("IMG_30.png", 0, LATER)
    found.save()
    again = look(photos, PEOPLE)
    assert words(again, "IMG_30.png") == ["later"] and again.questions[0].why == "out"
    assert again.file.photos["IMG_30.png"].letters == []
    again.decide("IMG_30.png", 0, "J")
    again.name()
    assert words(again, "IMG_30.png") == ["J"]
    assert "out" not in {one.why for one in again.questions}


def test_each_photo_is_looked_at_once(photos):
    engine = DrawnFaces()
    draw(photos / "IMG_80.png", "J", 4)
    look(photos, PEOPLE, engine)
    look(photos, PEOPLE, engine)
    assert engine.looked == 1


def test_all_photos_are_read_before_any_face_is_looked_for(photos):
    engine = DrawnFaces()
    draw(photos / "A_new.png", "J", 4)
    whole = draw(photos / "B_cut.png", "J", 5).read_bytes()
    (photos / "B_cut.png").write_bytes(whole[: len(whole) // 2])
    (photos / "Z_empty.jpg").write_bytes(b"")
    with pytest.raises(ProblemsError) as caught:
        look(photos, engine=engine)
    assert [one.where for one in caught.value.problems] == ["B_cut.png", "Z_empty.jpg"]
    assert "2 of 17 photos can't be used" in str(caught.value)
    assert engine.looked == 0 and not (photos / NAME).exists()


def test_a_damaged_entry_of_the_store_is_looked_for_again(photos, capsys):
    engine = DrawnFaces()
    look(photos, PEOPLE, engine)
    next((photos.parents[1] / "faces").glob("*.npz")).write_bytes(b"half")
    look(photos, PEOPLE, engine)
    assert engine.looked == 1 and "is damaged" in capsys.readouterr().err


def test_faces_too_small_are_named_by_no_one(photos):
    draw(photos / "IMG_50.png", "J", 5, side=8)
    found = look(photos, PEOPLE)
    assert words(found, "IMG_50.png") == ["too small to see"] and found.counts()["unreadable"] == 1


def test_photos_to_leave_out_are_suggested_with_the_reason(photos):
    (photos / "IMG_60.png").write_bytes((photos / "IMG_0.png").read_bytes())
    with Image.open(photos / "IMG_1.png") as image:
        image.resize((image.width * 2, image.height * 2)).save(photos / "IMG_62.png")
    draw(photos / "IMG_61.png", "", 0)
    found = look(photos, PEOPLE)
    assert found.suggested["IMG_60.png"] == "nearly the same as IMG_0.png"
    assert found.suggested["IMG_1.png"] == "nearly the same as IMG_62.png"  # the larger stays
    assert found.suggested["IMG_61.png"] == "no face found"
    assert "IMG_0.png" not in found.suggested  # small, as they all are


def test_a_photo_that_lies_is_told_and_not_left_out(photos):
    engine = DrawnFaces()
    for turns in (1, 2, 3):
        engine.turns = turns
        draw(photos / f"IMG_7{turns}.png", "J", 10 + turns)
        found = look(photos, PEOPLE, engine)
    sides = {f"IMG_7{n}.png": LIES[n] for n in (1, 2, 3)}
    assert {x: e.lies for x, e in found.file.photos.items() if e.lies} == sides
    assert found.suggested["IMG_71.png"] == "lies on its side; turn it to the left"
    assert not any(entry.left_out for entry in found.file.photos.values())
    found.save()
    assert read_people(found.path) == found.file
    assert review_page.state_of(found)["photos"][12]["lies"] == LIES[1]
    draw(photos / "IMG_71.png", "J", 1)  # turned by its photographer, looked at anew
    engine.turns = 0
    assert look(photos, PEOPLE, engine).file.photos["IMG_71.png"].lies == ""


def test_a_judge_without_strangers_can_name_nobody(photos):
    engine = DrawnFaces()
    engine.calibration = Calibration()
    with pytest.raises(KindredError, match="can't tell strangers"):
        look(photos, PEOPLE, engine)


def test_an_experiment_takes_people_and_cells_from_the_file(photos):
    found = look(photos, PEOPLE)
    answer(found, {letter: letter for letter in "JAC"})
    found.name()
    found.save()
    told = survey(photos)
    assert {x: who.name for x, who in told.characters.items()} == {
        letter: f"{letter}Russell" for letter in "JAC"
    }
    assert told.cells == {"J": 4, "A": 4, "C": 4, "A+J": 2}


def test_people_whom_nothing_places_in_a_photo_are_warned_of(photos):
    found = look(photos, PEOPLE)
    answer(found, {letter: letter for letter in "JAC"})
    found.name()
    found.save()
    told = survey_lines(survey(photos, [*PEOPLE, "Celbon:woman"]), "our photos")
    (warning,) = [line for line in told if line.startswith("warning")]
    assert "which photos show Celbon:" in warning and "`make who PHOTOS='our photos'`" in warning


def test_people_of_the_file_who_are_not_told_are_named(photos):
    found = look(photos, PEOPLE)
    answer(found, {letter: letter for letter in "JAC"})
    found.name()
    found.save()
    one = survey(photos, ["ARussell:woman"])
    (warning,) = [line for line in survey_lines(one, "photos/ours") if line.startswith("warning")]
    assert "photos/ours/people.yaml names people who are not in --people" in warning
    assert "in this experiment: JRussell and CRussell; their faces" in warning
    for people in ([], PEOPLE):
        assert not any("warning" in line for line in survey_lines(survey(photos, people), "x"))


def test_people_who_are_told_keep_the_letters_of_the_file(photos):
    look(photos, ["JRussell:man", "JonRussell:man"]).save()
    assert list(read_people(photos / NAME).people) == ["J", "O"]
    told = survey(photos, ["JonRussell:man", "OlaRussell:woman"]).characters
    assert {letter: who.name for letter, who in told.items()} == {
        "O": "JonRussell",
        "L": "OlaRussell",
    }


def test_the_program_writes_the_file_and_says_what_to_decide(photos, monkeypatch, capsys):
    monkeypatch.setattr(program, "open_engine", lambda spec: DrawnFaces())
    root = photos.parents[1]
    (root / "resources").mkdir()
    (root / "faces").rename(root / "resources/faces")
    assert program.main(["photos/ours", "--root", str(root), "--people", *PEOPLE]) == 0
    said = capsys.readouterr().err
    assert "14 photos" in said and "16 to decide" in said and "to decide: 3 questions" in said
    assert set(read_people(photos / NAME).people) == {"J", "A", "C"}


def test_people_of_the_file_stay_beside_those_told(photos):
    write_people(photos / NAME, PeopleFile({"J": WHO["J"]}))
    found = look(photos, ["JSmith:man"])
    assert {x: who.name for x, who in found.file.people.items()} == {"J": "JRussell", "S": "JSmith"}


def test_a_folder_without_faces(tmp_path):
    draw(tmp_path / "photos/ours/IMG_1.png", "", 0)
    found = look(tmp_path / "photos/ours")
    assert not found.questions and found.counts()["named"] == 0
    assert np.isfinite(found.naming.joined)
