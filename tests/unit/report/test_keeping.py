"""What a report leaves to keep: a LoRA, its file and graph, the best pictures; what is broken."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
import reported
from PIL import Image
from synthetic import Made

from kindred.common.files import read_json
from kindred.evidence.human_ratings import COLUMNS
from kindred.report.best_pictures import is_right
from kindred.report.keeping import look, words
from kindred.report.report_data import read_report_data
from kindred.specs.report import DrawingBase, LoadedAdapter, ReportSpec

FILES = {
    "diffusion_model": "net.safetensors",
    "text_encoders": ["text.safetensors"],
    "vae": "vae.safetensors",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Made:
    return reported.build(tmp_path_factory.mktemp("experiment"), runs=1)


@pytest.fixture
def data(made):
    return read_report_data(made.results, made.root / "resources", photos=False)


def spec_of(made, **given) -> ReportSpec:
    return ReportSpec(experiment=made.spec.experiment, **given)


def rated(path: Path, grades: dict[str, int]) -> Path:
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        rows.writerows(("me", key, grade) for key, grade in grades.items())
    return path


def test_the_leader_its_file_and_command(made, data):
    told = words(data, spec_of(made, like="made"), look(data, spec_of(made), [], opened=True))
    (file,) = told["files"]
    assert told["said"].startswith("Take “") and file.trained
    assert (made.root / file.path).name == "lora.safetensors"
    assert told["links"] == [file.path.removeprefix(f"results/{made.spec.experiment}/")]
    (command,) = told["commands"]
    assert file.path in command and file.name in command and "JRussell" in command
    assert not told["graphs"] and not told["broken"]


def test_every_prompt_has_its_best_picture_and_the_base_has_none(made, data, tmp_path):
    kept = look(data, spec_of(made), [], opened=True)
    kept.write(tmp_path / "best" / "pictures.json")
    listed = read_json(tmp_path / "best" / "pictures.json")
    assert len(listed) == len(kept.best) > 5
    assert len({(one["prompt_set"], one["name"]) for one in listed}) == len(listed)
    contenders = {one.variant for one in kept.choice.contenders}
    assert {one["variant"] for one in listed} <= contenders and "BASE" not in contenders
    assert all(is_right(data.scores[one.place]) for one in kept.best)
    for one, row in zip(listed, kept.best, strict=True):
        assert (tmp_path / "best" / one["file"]).read_bytes() == row.row.path.read_bytes()
        assert str(one["seed"]) in one["file"] and one["prompt"]
    kept.write(tmp_path / "best" / "pictures.json")  # again: nothing is left of the first time
    assert len(list((tmp_path / "best").iterdir())) == len(listed) + 1


def test_what_people_rate_bad_is_not_kept_and_what_they_rate_good_comes_first(made, data, tmp_path):
    before = look(data, spec_of(made), [], opened=False).best
    first = before[0]
    alike = [
        row
        for place, row in data.pictures.items()
        if place[2:4] == first.place[2:4] and place[0] == first.place[0] and row != first.row
    ]
    grades = {first.row.key: 1, alike[0].key: 3}
    kept = look(data, spec_of(made), [rated(tmp_path / "r.csv", grades)], opened=False)
    now = next(one for one in kept.best if one.place[2:4] == first.place[2:4])
    assert now.row.key == alike[0].key and now.rating == 1.0


def test_a_black_picture_is_named_and_not_kept(made, tmp_path):
    shutil.copytree(made.results, tmp_path / made.spec.experiment)
    data = read_report_data(tmp_path / made.spec.experiment, made.root / "resources", photos=False)
    place = look(data, spec_of(made), [], opened=False).best[0].place
    row = data.pictures[place]
    black = tmp_path / "black.png"
    Image.new("RGB", (row.width, row.height)).save(black)
    data.pictures[place] = type(row)(**{**vars(row), "path": black})
    kept = look(data, spec_of(made), [], opened=True)
    assert kept.broken == {row.key: "black"} and place not in [one.place for one in kept.best]
    (said,) = words(data, spec_of(made), kept)["broken"]
    assert "black" in said and f"seed {row.seed}" in said and f"“{place[0]}”" in said


def test_a_base_that_comfyui_knows_gives_a_graph_of_the_best_picture(made, data, tmp_path):
    base = next(iter(data.variants.values()))["base"]
    known = {base: DrawingBase(architecture="klein", comfyui=FILES)}
    kept = look(data, spec_of(made, bases=known), [], opened=False)
    kept.write(tmp_path / "pictures.json")
    api = json.loads((tmp_path / "comfyui-api.json").read_text(encoding="utf-8"))
    said = json.dumps(api)
    leader = (kept.choice.leader.variant, kept.choice.run)
    own = [one for one in kept.best if one.place[:2] == leader]
    assert own[0].row.prompt in said and str(own[0].row.seed) in said
    told = words(data, spec_of(made, bases=known), kept)
    assert told["files"][0].name in said and len(told["graphs"]) == 2
    look(data, spec_of(made), [], opened=False).write(tmp_path / "pictures.json")
    assert not (tmp_path / "comfyui-api.json").exists()  # of an earlier report


def test_adapters_trained_elsewhere_need_no_export(made, data):
    leader = look(data, spec_of(made), [], opened=False).choice.leader.variant
    loaded = {leader: [LoadedAdapter(files=["/loras/theirs.safetensors"], weight=0.7)]}
    told = words(data, spec_of(made, loaded=loaded), look(data, spec_of(made), [], opened=False))
    (file,) = told["files"]
    assert (file.name, file.weight, file.trained) == ("theirs.safetensors", 0.7, False)
    assert told["commands"] == [] and told["links"] == [""]
