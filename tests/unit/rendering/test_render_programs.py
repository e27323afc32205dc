"""encode_prompts and render from the command line, on the tiny base."""

import json

import pytest
import tiny_base

import encode_prompts
import render as render_program
from kindred.common.errors import KindredError
from kindred.common.hashing import caption_hash
from kindred.models import loading
from kindred.rendering.manifest import read_manifest
from kindred.rendering.prompt_embeddings import read_texts
from kindred.specs.base_model import Base

TOKENS = tiny_base.TEXT_TOKENS
PROMPTS = {"J": "headshot of JRussell ", "A": "ARussell in the park"}


@pytest.fixture(scope="module")
def folder(tiny_folder):
    return tiny_folder


@pytest.fixture(scope="module")
def base(folder):
    return Base(model=str(folder), dtype="float32", text_tokens=TOKENS)


def encode(base, out, prompts=PROMPTS, tokens=TOKENS):
    spec = {"encoder": {"model": base.model, "dtype": "float32", "tokens": tokens}}
    spec["prompts"] = prompts
    store = str(out.parent / "encoded")
    arguments = ["--spec", json.dumps(spec), "--out", str(out), "--store", store]
    assert encode_prompts.main([*arguments, "--device", "cpu", "--threads", "1"]) == 0
    return out


@pytest.fixture(scope="module")
def encoded_prompts(base, tmp_path_factory):
    return encode(base, tmp_path_factory.mktemp("prompts") / "heads.safetensors")


def render(base, prompts_file, folder, seeds=(1,), prompts=PROMPTS):
    prompt_set = {"prompts": prompts, "seeds": list(seeds), "width": 32, "height": 32, "steps": 2}
    spec = {"base": json.loads(base.canonical()), "name": "heads", "prompt_set": prompt_set}
    arguments = ["--spec", json.dumps(spec), "--prompts", str(prompts_file), "--adapter"]
    arguments += ["--store", str(folder / "store"), "--out", str(folder / "heads.json")]
    assert render_program.main([*arguments, "--device", "cpu", "--threads", "1"]) == 0
    return folder / "heads.json"


def test_from_prompts_to_manifest_without_text_encoders(
    base, encoded_prompts, tmp_path, monkeypatch, capsys
):
    def forbidden(*_):
        raise AssertionError("a text encoder was loaded for drawing")

    monkeypatch.setattr(loading, "load_text_part", forbidden)
    manifest = read_manifest(render(base, encoded_prompts, tmp_path))
    assert [(row.name, row.seed) for row in manifest.rows] == [("J", 1), ("A", 1)]
    assert all(row.path.exists() for row in manifest.rows)
    assert manifest.rows[0].prompt == "headshot of JRussell"
    assert "2 drawn; 1 base load" in capsys.readouterr().err


def test_a_second_time_nothing_is_loaded_and_the_manifest_is_the_same(
    base, encoded_prompts, tmp_path, monkeypatch, capsys
):
    first = render(base, encoded_prompts, tmp_path).read_bytes()

    def forbidden(*_):
        raise AssertionError("the base was loaded with nothing to draw")

    monkeypatch.setattr(loading, "load_transformer", forbidden)
    monkeypatch.setattr("kindred.rendering.precision.load", forbidden)
    assert render(base, encoded_prompts, tmp_path).read_bytes() == first
    assert "2 in the store, 0 drawn" in capsys.readouterr().err


def test_one_seed_more_is_one_load_and_one_picture(base, encoded_prompts, tmp_path, capsys):
    render(base, encoded_prompts, tmp_path, prompts={"J": PROMPTS["J"]})
    capsys.readouterr()
    render(base, encoded_prompts, tmp_path, seeds=[1, 2], prompts={"J": PROMPTS["J"]})
    assert "2 pictures, 1 in the store, 1 drawn; 1 base load" in capsys.readouterr().err


def test_nothing_of_this_machine_is_in_a_manifest_but_the_store(base, encoded_prompts, tmp_path):
    text = render(base, encoded_prompts, tmp_path).read_text()
    assert str(encoded_prompts) not in text


def test_another_text_length_is_refused(base, tmp_path):
    other = encode(base, tmp_path / "other.safetensors", tokens=20)
    with pytest.raises(KindredError, match=r"another text encoder \(tokens 20 instead of 56\)"):
        render(base, other, tmp_path)


def test_a_prompt_that_was_not_encoded_is_named(base, encoded_prompts, tmp_path):
    with pytest.raises(KindredError, match=r"lacks “CRussell in the snow”. Delete it and run"):
        render(base, encoded_prompts, tmp_path, prompts={"C": "CRussell in the snow"})


def test_only_new_prompts_are_encoded(base, tmp_path, capsys):
    encode(base, tmp_path / "a.safetensors", {"J": "one"})
    capsys.readouterr()
    encode(base, tmp_path / "b.safetensors", {"J": "one", "K": "two"})
    assert "2 prompts, 2 new encodings" in capsys.readouterr().err
    found = read_texts(tmp_path / "b.safetensors", ["two"], base)[caption_hash("two")]
    states, pooled = found["t5"], found["clip"]
    assert states.shape == (TOKENS, 32) and pooled.shape == (24,)


def test_a_prompt_with_words_that_an_encoder_does_not_know_is_named(base, tmp_path, capsys):
    encode(base, tmp_path / "out.safetensors", {"known": "a man on the beach", "other": "a man у"})
    said = "warning: prompt 'other': 1 of 3 tokens is unknown to T5: у"
    assert said in capsys.readouterr().err.splitlines()


def test_a_cut_prompt_is_named_with_what_is_lost(base, tmp_path, capsys):
    long = "a photo of " + "a man and " * 20 + "JRussell in the park"
    encode(base, tmp_path / "long.safetensors", {"short": "a man", "long": long})
    warnings = [x for x in capsys.readouterr().err.splitlines() if x.startswith("warning")]
    assert len(warnings) == 2 and all("prompt 'long'" in warning for warning in warnings)
    assert f"T5 reads {TOKENS}" in warnings[0] and "CLIP reads 77" in warnings[1]
    assert all(warning.endswith("park”") for warning in warnings)
