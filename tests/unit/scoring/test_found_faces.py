"""Whose faces are drawn again, by a table of scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindred.common.errors import KindredError
from kindred.rendering.face_detail import FoundFace
from kindred.rendering.manifest import Manifest, Row
from kindred.scoring.found_faces import dealt, found_faces
from kindred.scoring.score_table import VERSION, write_scores
from kindred.specs.character import Character

WHO = {
    "J": Character(name="JRussell", noun="man"),
    "A": Character(name="ARussell", noun="woman"),
    "C": Character(name="CRussell", noun="child"),
}


@pytest.mark.parametrize(
    ("assigned", "asked", "letters"),
    [
        (["J", "A"], ["A", "J"], ["J", "A"]),
        (["", "J", ""], ["J"], ["", "J", ""]),  # strangers stay
        (["", "J", "", ""], ["C", "J", "A"], ["C", "J", "A", ""]),  # in the prompt's order
        (["J"], ["J", "A"], ["J"]),
        ([], ["J"], []),
        (["", ""], [], ["", ""]),
    ],
)
def test_faces_are_those_assigned_and_others_are_dealt(assigned, asked, letters):
    assert dealt(assigned, asked) == letters


def manifest(prompt: str = "CRussell and JRussell", key: str = "k1") -> Manifest:
    rows = [Row("pair", prompt, 7, 96, 48, key, Path("k1.png"))]
    return Manifest(Path("list.json"), "set", {}, [], rows)


def table(path: Path, *people: tuple[str, str]) -> Path:
    keys = {"version": VERSION, "judge": "j", "variant": "all", "run": 1, "prompt_set": "set"}
    keys |= {"prompt": "pair", "seed": 7, "key": "k1"}
    rows = [{**keys, "kind": "image", "people_found": len(people)}]
    rows += [{**keys, "kind": "person", "head": head, "assigned": who} for head, who in people]
    write_scores(path, rows)
    return path


def test_heads_are_read_with_their_letters(tmp_path):
    scores = table(tmp_path / "s.csv", ("1.0 2.0 30.5 40.0", "J"), ("50.0 2.0 70.0 40.0", ""))
    assert found_faces(scores, manifest(), WHO) == {
        ("pair", 7): [
            FoundFace((1.0, 2.0, 30.5, 40.0), "J"),
            FoundFace((50.0, 2.0, 70.0, 40.0), "C"),
        ]
    }


def test_a_picture_without_people_has_no_faces(tmp_path):
    assert found_faces(table(tmp_path / "s.csv"), manifest(), WHO) == {("pair", 7): []}


def test_scores_of_other_pictures_are_refused(tmp_path):
    scores = table(tmp_path / "s.csv", ("1.0 2.0 30.5 40.0", "J"))
    with pytest.raises(KindredError, match="describes other pictures"):
        found_faces(scores, manifest(key="k2"), WHO)
