"""Class-prior pictures become an ordinary dataset."""

import csv

import pytest
import training_set

import class_images
from kindred.common.errors import KindredError, ProblemsError
from kindred.common.files import write_json


def manifest(tmp_path, adapters=()):
    rows = []
    for seed in (0, 1):
        path = tmp_path / f"key{seed}.png"
        training_set.picture(str(seed), (32, 48)).save(path)
        size = {"width": 32, "height": 48}
        about = {"name": "man", "prompt": "a man, smiling", "seed": seed}
        rows.append({**about, **size, "key": f"key{seed}", "path": str(path)})
    value = {"prompt_set": "class", "settings": {}, "adapters": list(adapters), "images": rows}
    write_json(tmp_path / "class.json", value)
    return ["--manifest", str(tmp_path / "class.json"), "--out", str(tmp_path / "out")]


def test_pictures_and_captions_are_copied(tmp_path):
    class_images.main(manifest(tmp_path))
    rows = list(csv.DictReader((tmp_path / "out/captions.csv").open()))
    assert [row["Filename"] for row in rows] == ["man-0000.png", "man-0001.png"]
    assert {row["Label"] for row in rows} == {"a man, smiling"}
    copied = (tmp_path / "out/man-0001.png").read_bytes()
    assert copied == (tmp_path / "key1.png").read_bytes()


def test_adapters_and_lost_pictures_are_refused(tmp_path):
    with pytest.raises(KindredError, match="must come from the base alone"):
        class_images.main(manifest(tmp_path, [{"sha256": "x", "weight": 1.0, "provenance": {}}]))
    arguments = manifest(tmp_path)
    for seed in (0, 1):
        (tmp_path / f"key{seed}.png").unlink()
    with pytest.raises(ProblemsError) as error:
        class_images.main(arguments)
    assert len(error.value.problems) == 2
