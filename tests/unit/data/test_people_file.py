"""people.yaml: read, written, and followed by captions and by the list of photos."""

from __future__ import annotations

import pytest
from PIL import Image

from kindred.common.errors import Problems, ProblemsError
from kindred.data.captioning import caption_photos
from kindred.data.people_file import (
    NAME,
    PeopleFile,
    PhotoEntry,
    PlacedFace,
    in_characters,
    people_text,
    read_people,
    write_people,
)
from kindred.data.photo_folder import scan
from kindred.specs.character import Character
from kindred.specs.dataset import CaptionSpec

J = Character.model_validate({"name": "JRussell", "class": "man", "age": "adult"})
A = Character.model_validate({"name": "ARussell", "class": "woman"})
SPEC = CaptionSpec(characters={"J": J, "A": A})


def faces(*words):
    return tuple(PlacedFace(word, (10 + 12 * n, 30)) for n, word in enumerate(words))


def file_of(**photos):
    named = {name.replace("_", "."): entry for name, entry in photos.items()}
    return PeopleFile({"J": J, "A": A}, named)


@pytest.fixture
def folder(tmp_path):
    for name in ("one.jpg", "two.jpg", "three.jpg"):
        Image.new("RGB", (64, 48), (len(name) * 20, 9, 9)).save(tmp_path / name)
    return tmp_path


def rows(folder, spec=SPEC):
    names = {photo.name: {} for photo in scan(folder).photos}
    return caption_photos(names, spec, folder, folder, folder / "store.jsonl")


def test_what_is_written_is_read_again(tmp_path):
    entry = PhotoEntry(
        "3f", faces("J", "A sure", "maybe J", "undecided", "nobody", "stranger", "covered")
    )
    odd = PhotoEntry("0012", faces("J"), "yes: blurred # here", 'JRussell, "at home": {no}')
    found = PeopleFile({"J": J, "A": A}, {"a/1: {x}.jpg": entry, "no": odd, "8": PhotoEntry("1")})
    write_people(tmp_path / NAME, found)
    assert read_people(tmp_path / NAME) == found
    assert read_people(tmp_path / NAME).photos["no"].by_hand


def test_words_say_who_it_is_and_who_said_so():
    said = {
        word: (face.letter, face.decided, face.unsure)
        for word in ("J", "J sure", "maybe J", "undecided", "nobody", "stranger", "turned away")
        for face in faces(word)
    }
    assert said == {
        "J": ("J", True, False),
        "J sure": ("J", False, False),
        "maybe J": ("", False, True),
        "undecided": ("", False, True),
        "nobody": ("", True, False),
        "stranger": ("", False, False),
        "turned away": ("", False, False),
    }


def test_a_person_may_write_names_and_leave_most_out(tmp_path):
    (tmp_path / NAME).write_text(
        "people:\n  J: {name: JRussell, class: man}\nphotos:\n  on.jpg:\n    faces:\n"
        "      - {who: JRussell, at: [5, 10]}\n  off.jpg: {left_out: no}\n  none.jpg:\n"
    )
    found = read_people(tmp_path / NAME)
    assert found.photos["on.jpg"].faces == (PlacedFace("J", (5, 10)),)
    assert found.photos["off.jpg"].left_out == "no"
    assert found.photos["none.jpg"] == PhotoEntry()


@pytest.mark.parametrize(
    "text, said",
    [
        ("people: {J: {name: JR", "can't be read as YAML"),
        ("photos:\n  a.jpg: {}\n  a.jpg: {}\n", "'a.jpg' stands twice"),
        ("folks: {}\n", "is not a key that belongs here"),
        ("people: [J]\n", "must be keys with values"),
        (
            "people:\n  Jo: {name: JRussell, class: man}\n",
            "the key of a person must be one capital letter",
        ),
        ("people:\n  J: {name: JRussell}\n", "is missing"),
        ("photos:\n  a.jpg: {faces: J}\n", "must be a list"),
        ("photos:\n  a.jpg: {faces: [{who: J, at: 3}]}\n", "does not say where the face is"),
        (
            "photos:\n  a.jpg: {faces: [{who: JRusel, at: [1, 2]}]}\n",
            "is not listed under `people`",
        ),
        ("photos:\n  a.jpg: {caption: [a, b]}\n", "is not a text"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path, text, said):
    (tmp_path / NAME).write_text(text)
    with pytest.raises(ProblemsError, match=said):
        read_people(tmp_path / NAME)


def test_photos_left_out_are_used_nowhere_nor_are_their_captions(folder):
    (folder / "captions.csv").write_text(
        "file_name,text\none.jpg,JRussell\ntwo.jpg,JRussell\nthree.jpg,ARussell\n"
    )
    (folder / "two.txt").write_text("JRussell")
    write_people(folder / NAME, file_of(two_jpg=PhotoEntry(left_out="blurred")))
    source = scan(folder)
    assert [photo.name for photo in source.photos] == ["one.jpg", "three.jpg"]
    assert [photo.name for photo in source.set_aside] == ["two.jpg"]
    assert "left out in people.yaml (blurred)" in str(source.left_out[0])
    assert set(rows(folder)) == {"one.jpg", "three.jpg"}


def test_captions_follow_the_file_and_are_held_against_it(folder):
    (folder / "captions.csv").write_text(
        "file_name,text\none.jpg,JRussell\ntwo.jpg,JRussell\nthree.jpg,ARussell\n"
    )
    write_people(
        folder / NAME,
        file_of(
            one_jpg=PhotoEntry(faces=faces("J", "A sure", "stranger")),
            two_jpg=PhotoEntry(caption="ARussell in a hat", faces=faces("A")),
            three_jpg=PhotoEntry(faces=faces("stranger")),
        ),
    )
    found = rows(folder)
    told = {name: [one["what"] for one in row["warnings"]] for name, row in found.items()}
    assert told["one.jpg"] == ["people.yaml says A+J, the caption J"]
    assert (found["two.jpg"]["caption"], told["two.jpg"]) == ("ARussell in a hat", [])
    assert told["three.jpg"] == ["people.yaml says nobody, the caption A"]


def test_a_face_between_two_names_is_told(folder):
    (folder / "captions.csv").write_text(
        "file_name,text\none.jpg,JRussell\ntwo.jpg,JRussell\nthree.jpg,ARussell\n"
    )
    write_people(folder / NAME, file_of(one_jpg=PhotoEntry(faces=faces("maybe J"))))
    (warning,) = rows(folder)["one.jpg"]["warnings"]
    assert warning["what"] == "1 face is not decided in people.yaml"


def test_an_entry_of_a_photo_that_is_gone_is_a_warning(folder, capsys):
    (folder / "captions.csv").write_text(
        "file_name,text\none.jpg,JRussell\ntwo.jpg,JRussell\nthree.jpg,ARussell\n"
    )
    write_people(folder / NAME, file_of(four_jpg=PhotoEntry(faces=faces("J"))))
    rows(folder)
    assert "no photo 'four.jpg'" in capsys.readouterr().err


def test_people_of_the_file_are_an_experiments_by_name():
    problems, found = Problems(), file_of(one_jpg=PhotoEntry(faces=faces("J", "A sure", "maybe A")))
    one = in_characters(found, {"X": J}, NAME, problems).photos["one.jpg"]
    assert [face.who for face in one.faces] == ["X", "nobody", "maybe A"] and not problems
    other = Character.model_validate({"name": "JSmith", "class": "man"})
    in_characters(found, {"J": other}, NAME, problems)
    assert "calls J 'JRussell', but the experiment" in str(problems.found[0])


def test_the_files_text_says_what_its_words_mean():
    assert people_text(PeopleFile()).endswith("people: {}\nphotos: {}\n")
    assert "you said so" in people_text(PeopleFile())
