"""A file that a power cut left empty or short is never taken for a finished one, in any store."""

import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from kindred.common import safetensors_files
from kindred.data import caption_cache, encoding_cache, person_masks
from kindred.models import quantized_weights
from kindred.models.architectures.interface import Part
from kindred.rendering.image_store import ImageStore
from kindred.scoring import score_store
from kindred.scoring.score_table import write_scores
from kindred.training import adapter_store
from kindred.training.checkpoints import Checkpoints

KEY = "ab" + "0" * 38
WEIGHTS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(3)}


def lengths(whole, but=0):
    """Nothing, a byte, parts of it, and all but the end."""
    size = len(whole) - but
    return sorted({0, 1, size // 4, size // 2, size * 3 // 4, size - 20, size - 1} - {-20, -1})


def cuts(path, is_there, capsys, word, but=0):
    """Cut a stored file at several lengths: each is missed, with the word, until it is back."""
    whole = path.read_bytes()
    for length in lengths(whole, but):
        path.write_bytes(whole[:length])
        capsys.readouterr()
        assert not is_there(), (path.name, length)
        said = capsys.readouterr().err
        assert word in said and str(path.parent) in said, (path.name, length)
    path.write_bytes(whole)
    assert is_there()


def test_pictures(tmp_path, capsys):
    image = Image.effect_noise((32, 24), 50).convert("RGB")
    path = ImageStore(tmp_path).put_image(KEY, image, {"prompt": "p"})
    cuts(path, lambda: ImageStore(tmp_path).has(KEY), capsys, "drawing it again")


def write_adapter(folder):
    safetensors_files.save(folder / "lora.safetensors", WEIGHTS)
    (folder / "lora.json").write_text(json.dumps({"steps": 3, "images": ["a", "b"]}) + "\n")
    rows = "".join(f"{step},0.5,0.001,0.1,1\n" for step in (1, 2, 3))
    (folder / "training.csv").write_text("step,loss,lr,seconds,memory_mib\n" + rows)


@pytest.mark.parametrize("name", adapter_store.FILES)
def test_adapters(tmp_path, capsys, name):
    adapter_store.adapters(tmp_path).put(KEY, write_adapter)
    file, newline = tmp_path / KEY / name, name == "lora.json"
    cuts(file, lambda: adapter_store.has(tmp_path, KEY), capsys, "training it again", newline)


def test_a_training_log_cut_between_two_lines_is_cut(tmp_path, capsys):
    path = adapter_store.adapters(tmp_path).put(KEY, write_adapter) / "training.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert not adapter_store.has(tmp_path, KEY)
    assert f"{path}: is incomplete; training it again" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["lora.json", "training.csv"])
def test_an_adapter_s_text_that_is_none_is_damaged(tmp_path, capsys, name):
    path = adapter_store.adapters(tmp_path).put(KEY, write_adapter) / name
    path.write_bytes(path.read_bytes().replace(b"s", b"\xff"))
    assert not adapter_store.has(tmp_path, KEY)
    said = capsys.readouterr().err
    assert str(path) in said and "training it again" in said


def test_score_tables(tmp_path, capsys):
    keys = {"version": 1, "judge": "j", "variant": "all", "run": 1, "prompt": "p"}
    image = {**keys, "kind": "image", "people_found": 1}
    rows = [image, {**keys, "kind": "person", "person": 0, "likeness": "A:0.1"}] * 2
    asked = SimpleNamespace(manifest=SimpleNamespace(rows=[0, 0]))
    path = score_store.tables(tmp_path, asked).put(KEY, partial(write_scores, rows=rows))
    cuts(path, lambda: score_store.has(tmp_path, KEY, asked), capsys, "scoring again")
    lines = path.read_text().splitlines(keepends=True)
    for count in range(len(lines)):
        path.write_text("".join(lines[:count]))
        assert not score_store.has(tmp_path, KEY, asked), count


def test_encodings(tmp_path, capsys):
    store = encoding_cache._store(tmp_path)
    path = store.put(KEY, partial(safetensors_files.save, tensors={"value": WEIGHTS["a"]}))
    is_there = lambda: encoding_cache._store(tmp_path).has(KEY)  # noqa: E731
    cuts(path, is_there, capsys, "encoding it again")


@pytest.mark.parametrize("library", quantized_weights.WEIGHTS)
def test_quantized_weights(tmp_path, capsys, library):
    weights, part = quantized_weights.WEIGHTS[library], Part("part", library, "Network")

    def write(folder):
        (folder / "config.json").write_text(json.dumps({"layers": 2, "width": [3, 4]}))
        quantized_weights.write(folder / weights, WEIGHTS)

    path = quantized_weights.parts(tmp_path, part).put(KEY, write)
    for name in ("config.json", weights):
        is_there = lambda: quantized_weights.parts(tmp_path, part).has(KEY)  # noqa: E731
        cuts(path / name, is_there, capsys, "quantizing it again")


def test_masks_are_written_again(tmp_path, capsys):
    indices = np.arange(600, dtype=np.uint8).reshape(20, 30) % 3
    path = person_masks.store_mask(indices, tmp_path)
    whole = path.read_bytes()
    for length in lengths(whole):
        path.write_bytes(whole[:length])
        assert person_masks.store_mask(indices, tmp_path) == path
        assert path.read_bytes() == whole, length
        assert f"{path}: " in capsys.readouterr().err


def test_checkpoints_are_passed_over(tmp_path, capsys):
    checkpoints = Checkpoints(tmp_path, KEY)
    checkpoints.save(1, {"done": 1})
    checkpoints.save(2, {"done": 2, "parameters": [WEIGHTS["a"]]})
    path = tmp_path / KEY / "step-00000002.pt"
    whole = path.read_bytes()
    for length in lengths(whole):
        path.write_bytes(whole[:length])
        assert checkpoints.newest() == {"done": 1}
        assert f"{path}: not readable" in capsys.readouterr().err
    path.write_bytes(whole)
    assert checkpoints.newest()["done"] == 2


def test_captions_lose_the_line_that_is_cut(tmp_path, capsys):
    rows = [{"key": str(n), "author": "me", "text": f"a photo — {n}"} for n in range(3)]
    path = tmp_path / "captions.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    whole = path.read_bytes()
    assert caption_cache._read(path) == rows and not capsys.readouterr().err
    first = whole.index(b"\n") + 1
    for length in (*range(1, first - 1), first + 7, len(whole) - 2):
        path.write_bytes(whole[:length])
        kept = caption_cache._read(path)
        assert kept == rows[: len(kept)] and len(kept) == whole[:length].count(b"\n")
        assert "1 cut or broken; captioning again" in capsys.readouterr().err
