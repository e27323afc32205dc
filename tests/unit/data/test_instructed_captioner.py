"""Captioners that are told what to say: loaded by kind, asked of the whole and of each person."""

from __future__ import annotations

import json

import pytest
import tiny_captioners
from drawn_faces import draw
from PIL import Image

import caption
import preprocess
from kindred.common.errors import KindredError
from kindred.data import instructed_captioner
from kindred.data.instructed_captioner import PART, WHOLE
from kindred.data.people_file import NAME, PeopleFile, PhotoEntry, PlacedFace, write_people
from kindred.specs.character import Character
from kindred.specs.dataset import Captioner

WHO = {"J": {"name": "JRussell", "class": "man"}, "A": {"name": "ARussell", "class": "woman"}}


@pytest.mark.parametrize("kind", ["qwen3_vl", "llava", "florence2"])
def test_each_kind_is_loaded_and_says_the_same_twice(tmp_path, kind):
    model = getattr(tiny_captioners, kind)(tmp_path / "model")
    spec = Captioner(model=str(model), max_tokens=4)
    assert instructed_captioner.kind_of(spec) == kind
    writer = instructed_captioner.load(spec, kind)
    image = Image.effect_noise((90, 60), 60).convert("RGB")
    for told in (WHOLE, PART):
        said = instructed_captioner.describe(writer, image, told)
        assert said == instructed_captioner.describe(writer, image, told)
        assert len(said.split()) <= 4 and "<" not in said


def test_a_model_that_is_not_there_is_told(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(KindredError, match="can't be loaded"):
        instructed_captioner.kind_of(Captioner(model=str(tmp_path)))


def test_the_step_asks_of_the_whole_photo_and_of_each_person(tmp_path, monkeypatch):
    model, asked = tiny_captioners.llava(tmp_path / "model"), []

    def stand_in(writer, image, told):
        asked.append((told, image.size))
        if told == WHOLE:
            return "a man in a green hat and a woman in a red dress on a beach"
        red = image.getpixel((image.width // 2, image.height // 2))[0] > 180
        return "a man in a green hat" if red else "a woman in a red dress"

    monkeypatch.setattr(instructed_captioner, "describe", stand_in)
    photo = draw(tmp_path / "photos/one.png", "JA", 1, side=70)
    faces = (PlacedFace("J", (21, 50)), PlacedFace("A", (52, 50)))
    people = {letter: Character.model_validate(who) for letter, who in WHO.items()}
    entry = PhotoEntry(faces=faces)
    write_people(photo.parent / NAME, PeopleFile(people, {"one.png": entry}))
    common = ["--source", str(photo.parent), "--images-dir", str(tmp_path / "images")]
    images, out = str(tmp_path / "images.json"), tmp_path / "captions.jsonl"
    spec = json.dumps({"buckets": [[240, 160]], "min_side": 16})
    preprocess.main(["--spec", spec, *common, "--out", images])
    spec = json.dumps({"characters": WHO, "captioner": {"model": str(model), "max_tokens": 6}})
    run = ["--spec", spec, *common, "--images", images, "--out", str(out)]
    caption.main(run)
    row = json.loads(out.read_text())
    assert row["caption"] == (
        "JRussell on the left, a man in a green hat, and ARussell on the right, a woman in a red "
        "dress, on a beach"
    )
    assert [told for told, _ in asked] == [WHOLE, PART, PART]
    caption.main(run)
    assert len(asked) == 3  # remembered
