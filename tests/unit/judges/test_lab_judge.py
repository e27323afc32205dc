"""The lab's judge behind the common interface: places, gates, what is missing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import tiny_judge
from PIL import Image

from kindred.common.errors import KindredError
from kindred.common.hashing import sha256_file
from kindred.judges import open_judge
from kindred.judges.interface import Acceptance
from kindred.judges.lab_judge import (
    acceptance_failures,
    garment_in,
    hair_in,
    read_acceptance,
    write_acceptance,
)
from kindred.judges.version import version_of
from kindred.specs.judge import JudgeSpec, PretrainedModel
from kindred.world.drawing import draw
from kindred.world.phrases import place_in
from kindred.world.scene import sample_scene
from kindred.world.vocabulary import WIDE

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_judge.build(tmp_path_factory.mktemp("lab") / "judge")


def test_answers_like_every_judge(folder):
    judge = open_judge(JudgeSpec(kind="lab", model=str(folder)))
    images = [Image.new("RGB", (128, 144), "navy"), Image.new("RGB", (192, 96), "white")]
    found = judge.find(images)
    assert len(found) == 2 and all(found)
    first = found[0][0]
    assert np.linalg.norm(first.embedding) == pytest.approx(1, abs=1e-4)
    said = judge.adherence(images, ["a man at the beach", "a man"])
    assert 0 < said[0] < 1 and said[1] is None
    assert judge.adherence(images, ["a man", "JRussell"]) == [None, None]
    assert judge.whole(images) is None
    assert judge.counts == "people"
    assert judge.calibration.stranger == 0.0 and judge.calibration.same == 0.8


def test_pictures_are_looked_at_once(folder, monkeypatch):
    judge = open_judge(JudgeSpec(kind="lab", model=str(folder)))
    looks = []
    look = judge.judge.look
    monkeypatch.setattr(
        judge.judge, "look", lambda *args, **kw: looks.append(1) or look(*args, **kw)
    )
    images = [Image.new("RGB", (128, 144))]
    judge.find(images)
    judge.adherence(images, ["in the park"])
    assert len(looks) == 1
    judge.find([Image.new("RGB", (128, 144))])
    assert len(looks) == 2


def test_a_threshold_is_obeyed_and_part_of_no_identity(folder):
    low = open_judge(JudgeSpec(kind="lab", model=str(folder)))
    high = open_judge(JudgeSpec(kind="lab", model=str(folder), threshold=0.999))
    image = [Image.new("RGB", (128, 144), "navy")]
    assert low.find(image)[0] and not high.find(image)[0]


@pytest.mark.parametrize(
    ("prompt", "place"),
    [
        ("JRussell at the beach", "beach"),
        ("a Christmas card with JRussell", "christmas card"),
        ("adult JRussell in the snow", "snow"),
        ("under the stars, JRussell and ARussell stand together", "night sky"),
        ("headshot of JRussell", None),
    ],
)
def test_places_in_prompts(prompt, place):
    assert place_in(prompt) == place


@pytest.mark.parametrize(
    ("prompt", "hair"),
    [
        ("JRussell with short brown hair", {"hair_style": "short", "hair_colour": "brown"}),
        ("CRussell with blonde pigtails", {"hair_style": "pigtails", "hair_colour": "blonde"}),
        ("JRussell with red hair in the park", {"hair_colour": "red"}),
        ("TOkorie with a bald head", {"hair_style": "bald"}),
        ("a man with red hair and a woman with black hair", {}),
        ("JRussell in a red hat", {}),
    ],
)
def test_hair_in_prompts(prompt, hair):
    assert hair_in(prompt) == hair


def test_hair_is_part_of_adherence_only_where_it_is_asked_for(folder):
    judge = open_judge(JudgeSpec(kind="lab", model=str(folder)))
    images = [Image.new("RGB", (128, 144), "navy")]
    (person, *_), sighting = judge.find(images)[0], judge.judge.look(images)[0]
    said = max(sighting.people, key=lambda one: one.score).attributes["hair_colour"]["red"]
    assert judge.adherence(images, ["a man with red hair"]) == [pytest.approx(said)]
    place = judge.adherence(images, ["a man in the park"])[0]
    both = judge.adherence(images, ["a man with red hair in the park"])[0]
    assert both == pytest.approx(place * said)
    nobody = open_judge(JudgeSpec(kind="lab", model=str(folder), threshold=0.999))
    assert nobody.adherence(images, ["a man with red hair"]) == [0.0] and person


@pytest.mark.parametrize(
    ("phrase", "garment"),
    [
        ("red sweater", {"clothes_colour": "red", "clothes": "sweater"}),
        ("a White Shirt", {"clothes_colour": "white", "clothes": "shirt"}),
        ("blue overalls", {"clothes_colour": "blue", "clothes": "overalls"}),
        ("sweater", {}),
        ("tartan kilt", {}),
    ],
)
def test_garments_in_phrases(phrase, garment):
    assert garment_in(phrase) == garment


def test_garments_are_told_apart_on_drawn_people():
    """Two people in garments that were asked for, and one in another; with the shipped judge."""
    judge = open_judge(JudgeSpec(kind="lab", model=str(ROOT / "lab" / "judge")))
    worn = ("red sweater", "white shirt", "blue jacket")
    scene = sample_scene(Random(1), count=3, size=WIDE, shuffle=False)
    figures = [
        replace(figure, clothes_colour=phrase.split()[0], clothes=phrase.split()[1])
        for figure, phrase in zip(scene.figures, worn, strict=True)
    ]
    images = [draw(replace(scene, figures=tuple(figures)), masks=False).image]
    asked = ["white shirt", "red sweater", "green jacket", "tartan kilt"]
    people = judge.find(images)
    assert judge.wears(images, people, [asked]) == [["red sweater", "white shirt", ""]]
    assert judge.wears(images, people, [[]]) == [["", "", ""]]


def test_what_is_missing_says_how_to_get_it(tmp_path, folder):
    with pytest.raises(KindredError, match=r"no model in .*judge. It comes with the repository"):
        open_judge(JudgeSpec(kind="lab", model=str(tmp_path / "judge")))
    spec = JudgeSpec(kind="lab", model=str(folder), adherence=PretrainedModel(model="clip"))
    with pytest.raises(KindredError, match="adherence: the lab's judge has its own"):
        open_judge(spec)


def test_a_wrong_or_broken_model_file_is_named(tmp_path):
    folder = tiny_judge.build(tmp_path / "judge")
    spec = JudgeSpec(kind="lab", model=str(folder), sha256={"model": "0" * 64})
    with pytest.raises(KindredError, match=r"model\.safetensors: the judge's model has SHA-256"):
        open_judge(spec)
    right = {"model": sha256_file(folder / "model.safetensors")}
    assert open_judge(JudgeSpec(kind="lab", model=str(folder), sha256=right))
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-64])
    with pytest.raises(KindredError, match=r"can't be read .* download lab/ again"):
        open_judge(JudgeSpec(kind="lab", model=str(folder)))


GOOD = {"count": 0.99, "family top-1": 0.98, "vae family top-1": 0.94, "AUC": 0.9}


def test_gates_are_read_from_beside_the_model(tmp_path):
    folder = tiny_judge.build(tmp_path / "judge")
    assert read_acceptance(folder) == Acceptance()
    write_acceptance(folder, {**GOOD, "x": float("nan")}, folder)
    assert read_acceptance(folder) == Acceptance(True, GOOD, [])
    assert acceptance_failures({**GOOD, "count": 0.9}) == ["count: 0.900 is below 0.98"]
    assert acceptance_failures({"count": 0.99, "family top-1": 0.98}) == [
        "vae family top-1: not measured, must be 0.93"
    ]


def test_gates_of_another_model_or_threshold_do_not_count(tmp_path):
    folder = tiny_judge.build(tmp_path / "judge", threshold=0.5)
    write_acceptance(folder, GOOD, folder)
    same = JudgeSpec(kind="lab", model=str(folder), threshold=0.5)
    assert open_judge(same).gates.measured
    other = open_judge(same.model_copy(update={"threshold": 0.4})).gates
    assert not other.measured and "measured at threshold 0.5" in other.failures[0]
    tiny_judge.build(folder, seed=1)
    gates = open_judge(JudgeSpec(kind="lab", model=str(folder))).gates
    assert not gates.measured and "another model" in gates.failures[0]
    (folder / "gates.json").write_text(json.dumps(GOOD))
    assert "says nothing of model sha256" in read_acceptance(folder).failures[0]


def test_the_judge_that_comes_with_the_repository_has_measured_gates():
    gates = read_acceptance(Path(__file__).parents[3] / "lab" / "judge")
    assert gates.measured and not gates.failures and gates.figures["count"] == 1


def test_version_changes_with_the_files_of_a_judge(tmp_path):
    folder = tiny_judge.build(tmp_path / "judge")
    spec = JudgeSpec(kind="lab", model=str(folder))
    first = version_of(spec)
    assert version_of(spec) == first
    tiny_judge.build(folder, seed=1)
    assert version_of(spec) != first
    file = tmp_path / "net.onnx"
    faces = JudgeSpec(kind="yunet-sface", files={"detector": str(file)})
    assert "detector:missing" in version_of(faces)
    file.write_bytes(b"weights")
    assert "detector:missing" not in version_of(faces)
    pinned = JudgeSpec(
        kind="lab", model="a/b", similarity=PretrainedModel(model="c/d", revision="1")
    )
    assert version_of(pinned) == "lab 1 a/b@main c/d@1"
