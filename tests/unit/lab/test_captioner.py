"""The lab's captioner: its sentences, its files, and a whole tiny training on the CPU."""

from __future__ import annotations

import csv
import json
from random import Random

import pytest
import torch
from transformers import AutoTokenizer, BlipForConditionalGeneration
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

import lab_train_captioner
from kindred.common.errors import KindredError
from kindred.lab import captioner_training
from kindred.lab.acceptance_images import picture, scene_pictures
from kindred.lab.captioner_model import (
    MOST_TOKENS,
    build_model,
    build_tokenizer,
    pixels,
    save_captioner,
    sentence,
    write_captions,
)
from kindred.lab.identity_corpus import draw_identity_shard
from kindred.lab.judge_dataset import load_bank
from kindred.lab.judge_labels import person_words
from kindred.specs.dataset import Captioner
from kindred.world.scene import sample_scene
from kindred.world.vocabulary import PORTRAIT, TRAITS, WIDE


def person(**words: str) -> dict[str, str | None]:
    plain = {
        "kind": "man",
        "beard": "no",
        "glasses": "no",
        "hat": "none",
        "hat_colour": None,
        "clothes": "shirt",
        "clothes_colour": "blue",
        "expression": "smiling",
        "pose": "standing",
    }
    return plain | words


def test_sentences_say_less_of_each_the_more_people_there_are():
    man = person(beard="yes", glasses="yes", hat="cap", hat_colour="orange")
    girl = person(kind="girl", clothes="overalls", clothes_colour="red")
    assert sentence([man], "snow") == (
        "a man with a beard and glasses wearing an orange cap and a blue shirt, "
        "smiling, standing in the snow"
    )
    assert sentence([man, girl], "christmas card") == (
        "a man with a beard and glasses wearing an orange cap and a blue shirt "
        "and a small girl in red overalls on a Christmas card"
    )
    assert sentence([girl, man, girl], "park") == (
        "a small girl in red overalls, a man with a beard in a blue shirt "
        "and a small girl in red overalls in the park"
    )
    assert "beard" not in sentence([man] * 4, "park")


def test_every_word_is_known_and_sentences_fit_the_caption_step():
    tokenizer, rng = build_tokenizer(), Random(3)
    limit = Captioner(model="x").max_tokens
    for _ in range(400):
        scene = sample_scene(rng)
        text = sentence([person_words(f) for f in scene.figures], scene.place)
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.unk_token_id not in ids, text
        assert len(ids) <= min(limit, MOST_TOKENS), text
        assert tokenizer.decode(ids, skip_special_tokens=True) == text
        assert not any(trait.replace("_", " ") in text for trait in TRAITS)


def test_full_size_captioner_is_small_and_loads_as_any_blip_does(tmp_path):
    torch.manual_seed(0)
    model = build_model().eval()
    folder = tmp_path / "captioner"
    save_captioner(model, folder)
    save_captioner(model, folder)
    assert sum(f.stat().st_size for f in folder.iterdir()) < 4_000_000
    assert [p.name for p in tmp_path.iterdir()] == ["captioner"]
    again = BlipForConditionalGeneration.from_pretrained(folder)
    assert again.dtype == torch.float32
    tokenizer = AutoTokenizer.from_pretrained(folder)
    text = "a small girl in a red dress, a man and a woman on a Christmas card"
    assert tokenizer(text)["input_ids"] == build_tokenizer()(text)["input_ids"]
    image = scene_pictures(1, 1)[0].image.resize((300, 200))
    processor = BlipImageProcessorPil.from_pretrained(folder)
    given = processor(images=image, return_tensors="pt")["pixel_values"]
    torch.testing.assert_close(given, pixels([image]), atol=1e-5, rtol=0)
    tokens = torch.tensor([[2, 6, 7, 3]])
    with torch.inference_mode():
        logits = [m(pixel_values=given, input_ids=tokens).logits for m in (model, again)]
    torch.testing.assert_close(*logits, atol=0.02, rtol=0.02)


@pytest.mark.long
def test_a_tiny_captioner_learns_two_pictures_by_heart(tmp_path, monkeypatch):
    monkeypatch.setattr(captioner_training, "disturb", lambda images, rng: images)
    draw_identity_shard(1, 2, 2, tmp_path / "identities-a.npz")
    bank = load_bank(None, tmp_path, torch.device("cpu"), 0)
    torch.manual_seed(0)
    model = build_model(48, 1, 1)
    captioner_training.train_captioner(model, bank, 150, 4, 0, tmp_path / "work", lr=4e-3)
    with open(tmp_path / "work" / "captioner.csv") as file:
        assert float(list(csv.DictReader(file))[-1]["loss"]) < 0.6
    said = write_captions(model, build_tokenizer(), [p.image for p in scene_pictures(2, 2)])
    assert all(text.split()[0] in ("a", "an") for text in said)


def test_training_also_runs_in_mixed_precision(tmp_path, monkeypatch):
    """On CUDA the model runs under bfloat16 autocast; a CPU can do the same."""
    mixed = torch.autocast("cpu", torch.bfloat16)
    monkeypatch.setattr(captioner_training, "autocast", lambda _: mixed)
    draw_identity_shard(1, 2, 2, tmp_path / "identities-a.npz")
    bank = load_bank(None, tmp_path, torch.device("cpu"), 0)
    captioner_training.train_captioner(build_model(48, 1, 1), bank, 2, 2, 0, tmp_path / "work")
    with open(tmp_path / "work" / "captioner.csv") as file:
        last = list(csv.DictReader(file))[-1]
    assert all(0 < float(last[name]) < 10 for name in ("loss", "probe"))


def test_measuring_counts_what_is_right(monkeypatch):
    rng = Random(2)
    drawn = [picture(sample_scene(rng, count=2, size=WIDE)) for _ in range(2)]
    drawn += [picture(sample_scene(rng, count=1, size=PORTRAIT)) for _ in range(2)]
    true = [sentence([person_words(f) for f in p.scene.figures], p.scene.place) for p in drawn]
    monkeypatch.setattr(captioner_training, "write_captions", lambda *_: true)
    assert set(captioner_training.measure(None, None, drawn).values()) == {1.0}
    wrong = [true[0], f"a man and {true[1]}", true[2].rsplit(" ", 1)[0] + " moon", true[3]]
    monkeypatch.setattr(captioner_training, "write_captions", lambda *_: wrong)
    figures = captioner_training.measure(None, None, drawn)
    assert figures["count"] == 0.75 and figures["place"] == 0.75 and figures["kinds"] == 1.0


def test_program_from_nothing_twice(tmp_path):
    draw_identity_shard(1, 4, 2, tmp_path / "identities-a.npz")

    def train(name: str) -> bytes:
        work = tmp_path / name
        command = ["--identities", str(tmp_path), "--out", str(work / "out"), "--work", str(work)]
        options = ["--steps", "2", "--batch", "2", "--width", "48", "--gates", "2"]
        assert lab_train_captioner.main([*command, *options, "--device", "cpu"]) == 0
        assert set(json.loads((work / "captioner-gates.json").read_text())) >= {"count", "place"}
        return (work / "out" / "model.safetensors").read_bytes()

    assert train("a") == train("b")


def test_captioner_without_drawings_or_with_a_wrong_width_says_so(tmp_path):
    where = ["--out", str(tmp_path / "o"), "--work", str(tmp_path / "w")]
    with pytest.raises(KindredError, match="no drawings to train on"):
        lab_train_captioner.main(where)
    with pytest.raises(KindredError, match="multiple of 48"):
        lab_train_captioner.main([*where, "--corpus", str(tmp_path), "--width", "50"])
