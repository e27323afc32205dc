"""Pictures made elsewhere: which prompt each one answers, and how they come into the store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import ExifTags, Image, PngImagePlugin

from kindred.common.files import read_json
from kindred.rendering.image_store import ImageStore
from kindred.rendering.manifest import read_manifest
from kindred.rendering.picture_prompts import prompt_inside
from kindred.rendering.pictures_elsewhere import assign, bring_in, by_name, by_text
from kindred.specs.pictures_elsewhere import PicturesElsewhere
from kindred.specs.rendering import PromptSet

SETS = {
    "headshot": PromptSet(
        prompts={"J": "headshot of JRussell", "A": "headshot of ARussell"},
        seeds=[5, 6],
        width=64,
        height=64,
    ),
    "trio": PromptSet(
        prompts={"card": "a card with JRussell, ARussell", "J": "JRussell and others"},
        seeds=[1],
        width=96,
        height=64,
    ),
}
ASKED = {(key, name): text for key, one in SETS.items() for name, text in one.texts().items()}
GRAPH = {
    "3": {
        "class_type": "KSampler",
        "inputs": {"positive": ["8", 0], "negative": ["7", 0], "seed": 1},
    },
    "8": {"class_type": "FluxGuidance", "inputs": {"conditioning": ["6", 0], "guidance": 3.5}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["9", 0], "clip": ["4", 1]}},
    "9": {"class_type": "PrimitiveString", "inputs": {"value": "headshot of JRussell"}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "ugly", "clip": ["4", 1]}},
}


def save(path: Path, size=(64, 64), **texts: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_itxt(key, text)
    Image.new("RGB", size, (len(path.stem) * 9 % 255, 80, 90)).save(path, pnginfo=info)
    return path


def test_a_graph_of_comfyuis_is_followed_from_the_sampler_to_its_text(tmp_path):
    assert (
        prompt_inside(save(tmp_path / "a.png", prompt=json.dumps(GRAPH))) == "headshot of JRussell"
    )
    guider = {"1": {"inputs": {"conditioning": ["2", 0]}}, "2": {"inputs": {"text": "two"}}}
    assert prompt_inside(save(tmp_path / "b.png", prompt=json.dumps(guider))) == "two"
    guider["2"]["inputs"]["text"] = r"two \(one left\)"  # in ComfyUI no weight, but parentheses
    assert prompt_inside(save(tmp_path / "c.png", prompt=json.dumps(guider))) == "two (one left)"
    circle = {"1": {"inputs": {"positive": ["2", 0]}}, "2": {"inputs": {"text": ["2", 0]}}}
    for n, told in enumerate((circle, [], {"1": 2}, {"1": {"inputs": []}})):
        assert prompt_inside(save(tmp_path / f"{n}.png", prompt=json.dumps(told))) == ""


def test_a1111s_parameters_in_png_and_jpeg(tmp_path):
    told = "headshot of JRussell <lora:ours:0.8>\nNegative prompt: ugly\nSteps: 20, Seed: 5"
    assert prompt_inside(save(tmp_path / "a.png", parameters=told)) == "headshot of JRussell"
    exif = Image.Exif()
    comment = b"UNICODE\0" + told.encode("utf-16-be")
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = comment
    Image.new("RGB", (64, 64)).save(tmp_path / "b.jpg", exif=exif)
    assert prompt_inside(tmp_path / "b.jpg") == "headshot of JRussell"
    assert prompt_inside(save(tmp_path / "c.png", parameters="Steps: 20, Seed: 5")) == ""


def test_kindreds_own_pictures_say_their_prompt(tmp_path):
    store = ImageStore(tmp_path)
    path = store.put_image("k" * 64, Image.new("RGB", (64, 64)), {"prompt": "two of them"})
    assert prompt_inside(path) == "two of them"
    (tmp_path / "no.png").write_text("no picture")
    assert prompt_inside(tmp_path / "no.png") == ""


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Headshot of  JRussell", [("headshot", "J")]),
        ("masterpiece, (headshot of JRussell:1.2), 8k", [("headshot", "J")]),
        ("masterpiece, headshot of JRussell, 8k", [("headshot", "J")]),
        ("headshot of JRussells", []),
        ("", []),
    ],
)
def test_prompts_are_found_by_their_words(text, places):
    assert by_text(text, ASKED) == places


@pytest.mark.parametrize(
    ("file", "places"),
    [
        ("card.png", [("trio", "card")]),
        ("card_00012_.png", [("trio", "card")]),
        ("cards.png", []),
        ("J-1.png", []),  # of two prompt sets
        ("headshot-J-1.png", [("headshot", "J")]),
        ("trio/J 2.png", [("trio", "J")]),
        ("later/trio-card-seed-3.png", [("trio", "card")]),
    ],
)
def test_prompts_are_found_by_names_of_files(file, places):
    assert by_name(file, ASKED) == places


def test_seeds_are_given_out_by_name_and_what_is_too_much_is_said(tmp_path):
    for name in ("headshot-J-2.png", "headshot-J-1.png", "headshot-J-3.png", "x.png"):
        save(tmp_path / name)
    (tmp_path / "prompts.csv").write_text("file,prompt\nx.png,headshot of ARussell\n")
    found = assign(tmp_path, SETS, "theirs")
    told = [(one.file, one.name, one.seed) for one in found.sets["headshot"]]
    assert ("theirs/headshot-J-1.png", "J", 5) in told and ("theirs/x.png", "A", 5) in told
    assert ("theirs/headshot-J-2.png", "J", 6) in told and len(told) == 3
    assert found.sets["trio"] == [] and found.problems == []
    assert "3 pictures of “J”, but the prompt set takes 2" in str(found.warnings[0])


def test_a_written_prompt_goes_before_the_name_and_unknown_ones_are_all_said(tmp_path):
    for name in ("card.png", "one.png", "two.png"):
        save(tmp_path / name)
    save(tmp_path / "dog.png", parameters="a dog\nSteps: 1")
    (tmp_path / "prompts.json").write_text(json.dumps({"card.png": "headshot of JRussell"}))
    found = assign(tmp_path, SETS, "theirs")
    assert [one.name for one in found.sets["headshot"]] == ["J"]
    said = [str(one) for one in found.problems]
    assert len(said) == 2
    assert any("one.png and 1 more" in one and "prompts.csv" in one for one in said)
    assert any("no prompt set has its prompt “a dog”" in one for one in said)


def test_they_come_into_the_store_upright_bare_and_as_a_list_like_any_other(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.new("RGB", (64, 32), (9, 99, 9)).save(tmp_path / "headshot-J.jpg", exif=exif)
    save(tmp_path / "headshot-A.png", workflow="my private graph")
    spec = PicturesElsewhere(
        prompt_set="headshot", pictures=assign(tmp_path, SETS, str(tmp_path)).sets["headshot"]
    )
    out = tmp_path / "results" / "headshot.json"
    assert bring_in(spec, ImageStore(tmp_path / "store"), out) == 2
    rows = {row.name: row for row in read_manifest(out).rows}
    assert (rows["J"].width, rows["J"].height) == (32, 64)
    assert rows["A"].prompt == "headshot of ARussell" and rows["A"].seed == 5
    assert b"private" not in rows["A"].path.read_bytes()
    before = read_json(out)
    bring_in(spec, ImageStore(tmp_path / "store"), out)
    assert read_json(out) == before
