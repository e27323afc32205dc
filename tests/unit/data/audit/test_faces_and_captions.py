"""Faces of people.yaml against captions, both ways."""

from __future__ import annotations

import pytest

from kindred.common.errors import ProblemsError
from kindred.data.audit.faces_and_captions import (
    by_person,
    compare,
    face_findings,
    lying_findings,
    read_faces,
)
from kindred.data.people_file import PhotoEntry, PlacedFace
from kindred.specs.character import Character

WHO = {"J": Character(name="Jorvek", noun="man"), "A": Character(name="Amitas", noun="woman")}


def photo(source, letters, **image):
    return {"image": {"source": source, **image}, "caption": {"characters": list(letters)}}


def entry(*words):
    return PhotoEntry("0", tuple(PlacedFace(word, (10, 10)) for word in words))


@pytest.mark.parametrize(
    ("said", "faces", "without_name", "without_face"),
    [
        ("JA", ["J", "A sure"], "", ""),
        ("J", ["J sure", "A"], "A", ""),
        ("JA", ["J", "stranger"], "", "A"),
        ("A", ["J sure"], "J", "A"),
        ("J", [], "", "J"),
        ("JA", ["J", "undecided"], "", ""),
        ("JA", ["maybe A"], "", "AJ"),  # one open face can't be two people
        ("A", ["turned away"], "", ""),
        ("", ["nobody", "J"], "J", ""),
    ],
)
def test_who_is_said_and_not_seen_and_the_reverse(said, faces, without_name, without_face):
    (row,) = compare([photo("1.jpg", said)], {"1.jpg": entry(*faces)})
    assert "".join(row["without_name"]) == without_name
    assert "".join(row["without_face"]) == without_face


def test_photos_that_nobody_looked_at_and_composites_are_not_compared():
    rows = [photo("1.jpg", "J"), photo("2.jpg", "J", made="composed")]
    assert compare(rows, {"2.jpg": entry("A")}) == []
    assert face_findings([], WHO) == []


def test_photos_that_lie_on_their_side_are_named():
    how = "on its side; turn it to the left"
    faces = {"1.jpg": PhotoEntry(lies=how), "2.jpg": entry("A"), "4.jpg": PhotoEntry(lies=how)}
    rows = [photo("1.jpg", "J"), photo("2.jpg", "J"), photo("3.jpg", "J"),
            photo("4.jpg", "J", made="composed")]  # fmt: skip
    (one,) = lying_findings([*rows, rows[0]], faces)
    assert one.items == ["1.jpg: lies on its side; turn it to the left"]
    assert lying_findings(rows[1:], faces) == []


def test_photos_and_people_are_counted_and_named():
    faces = {"1.jpg": entry("J"), "2.jpg": entry("J", "A"), "3.jpg": entry("nobody")}
    rows = compare([photo("1.jpg", "J"), photo("2.jpg", "J"), photo("3.jpg", "A")], faces)
    assert by_person(rows, WHO) == {
        "A": {"caption": 1, "faces": 1, "both": 0, "without_name": 1, "without_face": 1},
        "J": {"caption": 2, "faces": 2, "both": 2, "without_name": 0, "without_face": 0},
    }
    first, second = face_findings(rows, WHO)
    assert (first.kind, second.kind) == ("face-without-name", "name-without-face")
    assert first.items == ["2.jpg: Amitas can be seen, but the caption doesn't say so"]
    assert second.items == ["3.jpg: Amitas is in the caption, but no face is theirs"]


def test_people_yaml_is_read_from_the_first_folder_that_has_one(tmp_path):
    own = tmp_path / "ours"
    own.mkdir()
    assert read_faces([tmp_path, own], WHO) == {}
    people = "people: {B: {name: Jorvek, class: man}}\nphotos:\n"
    (own / "people.yaml").write_text(people + '  1.jpg: {faces: [{who: B, at: ["5", "5"]}]}\n')
    assert read_faces([tmp_path, own], WHO)["1.jpg"].letters == ["J"]
    (own / "people.yaml").write_text("poeple: {}\n")
    with pytest.raises(ProblemsError, match="is not a key that belongs here"):
        read_faces([own], WHO)
