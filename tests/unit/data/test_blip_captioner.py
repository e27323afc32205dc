from __future__ import annotations

import json

import pytest
import tiny_blip
import torch
from PIL import Image

import caption
import preprocess
from kindred.common.errors import KindredError
from kindred.data import blip_captioner, caption_cache
from kindred.specs.dataset import Captioner

WHO = {"J": {"name": "JRussell", "class": "man"}, "A": {"name": "ARussell", "class": "woman"}}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_blip.build(tmp_path_factory.mktemp("blip") / "model")


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "photos"
    (folder / "JRussell").mkdir(parents=True)
    for seed, name in enumerate(["JRussell/a.png", "ARussell-1.png", "b.png", "c.png"]):
        noise = Image.radial_gradient("L").resize((64, 64)).rotate(30 * seed)
        Image.merge("RGB", (noise, noise.rotate(90), noise.point(lambda v: v // 2))).save(
            folder / name
        )
    (folder / "captions.csv").write_text("file,text,who\nc.png,JRussell at home,\nb.png,,A and J\n")
    return folder


def run(source, model, **captions):
    out = source.parent / "out"
    common = ["--source", str(source), "--images-dir", str(out / "images")]
    spec = json.dumps({"resolutions": [64], "min_side": 16})
    preprocess.main(["--spec", spec, *common, "--out", str(out / "images.json")])
    spec = json.dumps({"characters": WHO, "captioner": {"model": str(model), "max_tokens": 6}})
    arguments = ["--images", str(out / "images.json"), "--out", str(out / "captions.jsonl")]
    caption.main(["--spec", spec, *common, *arguments])
    lines = (out / "captions.jsonl").read_text().splitlines()
    return {row["id"]: row for row in map(json.loads, lines)}, out


def test_missing_captions_are_written_with_names_and_their_author(source, model):
    rows, _ = run(source, model)
    author = f"captioner {caption_cache.author_of(Captioner(model=str(model)))}"
    assert rows["c"]["author"] == "file" and rows["c"]["caption"] == "JRussell at home"
    assert {rows[name]["author"] for name in ("JRussell-a", "ARussell-1", "b")} == {author}
    assert rows["JRussell-a"]["characters"] == ["J"]
    assert rows["ARussell-1"]["characters"] == ["A"]
    assert rows["b"]["characters"] == ["A", "J"]
    assert "`who`" in rows["b"]["warnings"][0]["what"]
    assert "folder" in rows["JRussell-a"]["warnings"][0]["what"]
    assert "file's name" in rows["ARussell-1"]["warnings"][0]["what"]


def test_an_image_is_described_once(source, model, monkeypatch):
    first, out = run(source, model)
    monkeypatch.setattr(blip_captioner, "load", lambda spec: pytest.fail("nothing is missing"))
    (out / "captions.jsonl").unlink()
    assert run(source, model)[0] == first


def test_stopped_work_is_taken_up_again(source, model, monkeypatch):
    described = []

    def stops_at_the_third(writer, image):
        if len(described) == 2:
            raise KeyboardInterrupt
        described.append("a man")
        return "a man"

    monkeypatch.setattr(blip_captioner, "describe", stops_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        run(source, model)
    monkeypatch.setattr(blip_captioner, "describe", lambda w, i: described.append("") or "a person")
    rows, _ = run(source, model)
    assert len(described) == 3
    assert sum("a person" in row["caption"] for row in rows.values()) == 1


def test_texts_are_deterministic_and_depend_on_the_picture(model):
    writer = blip_captioner.load(Captioner(model=str(model), max_tokens=8))
    pictures = [Image.new("RGB", (40, 60), colour) for colour in ("red", "white", "#123456")]
    texts = [blip_captioner.describe(writer, picture) for picture in pictures]
    torch.rand(7)
    assert texts == [blip_captioner.describe(writer, picture) for picture in pictures]
    assert len(set(texts)) > 1


def test_other_weights_are_another_author(model, tmp_path):
    one = caption_cache.author_of(Captioner(model=str(model)))
    other = caption_cache.author_of(Captioner(model=str(tiny_blip.build(tmp_path / "m", seed=1))))
    assert one.split("@")[1] != other.split("@")[1]
    assert caption_cache.author_of(Captioner(model="a/b", revision="f00")) == "a/b@f00"


def test_a_model_of_another_kind_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "clip"}')
    with pytest.raises(KindredError, match="'clip' model"):
        blip_captioner.load(Captioner(model=str(tmp_path)))


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a man , a dog .", "a man, a dog."),
        ("arafed man in a hat", "man in a hat"),
        ("there is an araffe woman", "there is a woman"),
    ],
)
def test_tidy(raw, text):
    assert blip_captioner.tidy(raw) == text


def test_a_captioner_may_lie_below_home(source, model, monkeypatch):
    monkeypatch.setenv("HOME", str(model.parent))
    rows, _ = run(source, f"~/{model.name}")
    assert rows["b"]["author"].startswith(f"captioner ~/{model.name}@")
    assert not rows["b"]["author"].endswith("@newest")
