"""Faces in the base's own pictures, and what they do to thresholds and scores."""

from __future__ import annotations

import json
from pathlib import Path

import drawn_faces
import numpy as np
import pytest
from PIL import Image

import calibrate_judge
import kindred.judges
from kindred.characters.face_calibration import DRAWN
from kindred.data.dataset_photos import DatasetPhoto
from kindred.evidence.summary import judge_part
from kindred.judges.photo_judge import PhotoJudge
from kindred.scoring import references
from kindred.scoring.strangers import faces_drawn, recalibrated
from kindred.specs.character import Character
from kindred.specs.judge import JUDGES, JudgeSpec
from kindred.specs.scoring import CalibrationSpec, PicturesOfStrangers, ReferenceSpec

WHO = {
    "J": Character(name="JRussell", noun="Man"),
    "C": Character(name="CRussell", noun="child"),
}
JUDGE = JudgeSpec(kind="photo")
BLUE = drawn_faces.PEOPLE["C"]


class Engine(drawn_faces.DrawnFaces):
    """Also sees strangers: grey squares, each brightness a person of its own, and those of the
    brightest ones are look-alikes of J."""

    def faces(self, image):
        """One face a square."""
        pixels = np.asarray(image.convert("RGB")).astype(int)
        grey = (pixels.max(-1) - pixels.min(-1) == 7) & (pixels[..., 1] > 40)
        if not grey.any():
            return super().faces(image)
        value = int(pixels[grey][0, 1])
        rng = np.random.default_rng([9, value])
        centre = np.random.default_rng(0).standard_normal(drawn_faces.DIMENSIONS)
        own = rng.standard_normal(drawn_faces.DIMENSIONS)
        traits = 0.8 * centre + 0.6 * own if value >= 200 else own
        vector = self.mean + traits * 0.7
        face = super()._face(0, (0.0, 0.0, 40.0, 40.0), 0)
        return [type(face)(face.box, 1.0, (vector / np.linalg.norm(vector)).astype(np.float32))]


@pytest.fixture
def judge():
    return PhotoJudge(Engine())


@pytest.fixture
def known(tmp_path, judge):
    photos = []
    for letter in WHO:
        for n in range(12):
            path = drawn_faces.draw(tmp_path / f"{letter}-{n:02d}.png", letter, 3 * n)
            photos.append(DatasetPhoto(path.stem, path, frozenset(letter)))
    spec = ReferenceSpec(judge=JUDGE, characters=WHO, datasets=["ours"])
    return references.build_references(judge, {"ours": photos}, spec)


def drawn_by_base(folder: Path, values: list[int], noun: str = "man") -> PicturesOfStrangers:
    """A list of the base's pictures, each of a stranger of such brightness."""
    rows = []
    for n, value in enumerate(values):
        path = folder / f"{noun}-{n}-{value}.png"
        Image.new("RGB", (64, 64), (value, value, value - 7)).save(path)
        row = {"name": noun, "prompt": f"a {noun}", "seed": n, "width": 64, "height": 64}
        rows.append(row | {"key": f"{noun}{value}", "path": str(path)})
    rows.append(rows[0] | {"name": "two", "seed": 99})
    listed = {"prompt_set": "classes", "settings": {}, "adapters": [], "images": rows}
    (folder / f"{noun}.json").write_text(json.dumps(listed))
    return PicturesOfStrangers(file=str(folder / f"{noun}.json"), nouns={noun: noun})


def spec_of(*pictures: PicturesOfStrangers) -> CalibrationSpec:
    return CalibrationSpec(judge=JUDGE, characters=WHO, pictures=list(pictures))


def test_only_judges_with_a_population_are_calibrated_by_strangers():
    assert {name for name, kind in JUDGES.items() if kind.population} == {"photo"}


def test_one_face_of_each_picture_counts_and_equal_pictures_once(tmp_path, judge):
    men = drawn_by_base(tmp_path, [60, 61, 62, 62])
    path = tmp_path / "nobody.png"
    Image.new("RGB", (64, 64)).save(path)
    listed = json.loads(Path(men.file).read_text())
    listed["images"].append(listed["images"][0] | {"key": "none", "path": str(path)})
    Path(men.file).write_text(json.dumps(listed))
    found = faces_drawn(judge, [men, drawn_by_base(tmp_path, [70], "child")])
    assert {noun: rows.shape for noun, rows in found.items()} == {"man": (3, 64), "child": (1, 64)}


def test_look_alikes_in_the_bases_pictures_get_no_name(tmp_path, judge, known):
    spec = spec_of(drawn_by_base(tmp_path, [*range(60, 128), 210, 211, 212]))
    drawn = faces_drawn(judge, spec.pictures)
    found = recalibrated(known, drawn, spec, judge.calibration.population)
    alike = drawn["man"][-3:]
    scale = known.scale.identity(known.similarity(list(alike), ["J"]), ["J"])[:, 0]
    before, after = known.least(["J"])[0], found.least(["J"])[0]
    assert (scale >= before).any() and (scale < after).all()
    own = found.scale.identity(known.similarity(list(known.faces["J"]), ["J"]), ["J"])
    assert (own >= after).mean() > 0.8
    assert found.least(["C"]) == known.least(["C"])
    assert found.facts["hash"] != known.facts["hash"]
    assert found.facts["characters"] == known.facts["characters"]
    thresholds = judge_part(found.facts)["believed"]["thresholds"]
    assert thresholds.keys() == {"J"} and thresholds["J"]["by"] == DRAWN
    assert thresholds["J"]["faces"] == 71 and thresholds["J"]["passed"] >= 1
    assert "the base's for JRussell" in found.facts["calibration"]["said"]
    assert "thresholds" not in judge_part(known.facts)["believed"]


def test_the_program_writes_references_that_scoring_reads(tmp_path, judge, known, monkeypatch):
    monkeypatch.setattr(kindred.judges, "open_judge", lambda *_: judge)
    files = tmp_path / "references.json", tmp_path / "references.safetensors"
    references.save(known, *files)
    out = tmp_path / "calibrated.json", tmp_path / "calibrated.safetensors"
    spec = spec_of(drawn_by_base(tmp_path, list(range(60, 124))))
    arguments = ["--references", str(files[0]), "--vectors", str(files[1]), "--device", "cpu"]
    arguments += ["--facts", str(out[0]), "--out", str(out[1]), "--spec", spec.canonical()]
    assert calibrate_judge.main(arguments) == 0
    again = references.load(*out)
    assert again.strangers["man"].shape == (64, 64)
    assert again.faces.keys() == known.faces.keys()
    assert (
        again.facts["calibration"]["thresholds"]["J"]
        >= known.facts["calibration"]["thresholds"]["J"]
    )
