"""Latents and embeddings: as the pipeline makes them, by content hash, only what is missing."""

import json
import shutil

import pytest
import tiny_base
import torch
import training_set
from diffusers import FluxPipeline
from PIL import Image

import encode_captions
import encode_images
from kindred.common import safetensors_files
from kindred.common.errors import KindredError, ProblemsError
from kindred.common.files import read_json, read_jsonl, write_json, write_jsonl
from kindred.common.hashing import caption_hash, pixel_hash
from kindred.data import encoding_cache
from kindred.data.caption_pairing import make_pairs
from kindred.data.dataset import read_dataset
from kindred.data.encoding_cache import NO_CAPTION
from kindred.models.architectures.latent_coding import LatentCoding
from kindred.specs.base_model import ImageEncoder, TextEncoder
from kindred.training.batches import load_examples


@pytest.fixture
def data(tmp_path, base):
    return training_set.build(tmp_path / "set", base, {"J": 2, "A+J": 1})


@pytest.fixture(scope="module")
def pipeline(base):
    return FluxPipeline.from_pretrained(base)


def latents(data):
    return safetensors_files.load(data.root / "latents.safetensors")


def test_latents_are_what_the_pipelines_vae_says(data, pipeline):
    row = read_json(data.root / "images.json")[0]
    image = Image.open(data.root / "images" / f"{row['image_id']}.png")
    pixels = pipeline.image_processor.preprocess(image)
    with torch.no_grad():
        mean = pipeline.vae.encode(pixels).latent_dist.mean[0]
    config = pipeline.vae.config
    wanted = (mean - config.shift_factor) * config.scaling_factor
    found = latents(data)[row["pixel_hash"]]
    assert found.shape == (16, row["height"] // 8, row["width"] // 8)
    assert torch.allclose(found, wanted, atol=1e-5)


def test_texts_are_what_the_pipeline_says(data, pipeline):
    caption = read_jsonl(data.root / "captions.jsonl")[0]["caption"]
    with torch.no_grad():
        states, pooled, _ = pipeline.encode_prompt(
            caption, max_sequence_length=training_set.TOKENS, device="cpu"
        )
    name = caption_hash(caption)
    found = encoding_cache.read_texts(data.root / "text.safetensors", [name, NO_CAPTION])
    assert torch.allclose(found[name]["t5"], states[0], atol=1e-5)
    assert torch.allclose(found[name]["clip"], pooled[0], atol=1e-5)
    assert not torch.equal(found[NO_CAPTION]["clip"], found[name]["clip"])


def test_names_give_different_embeddings(data):
    found = encoding_cache.read_texts(
        data.root / "text.safetensors", encoding_cache.text_hashes(data.root / "text.safetensors")
    )
    states = [tuple(text["t5"].flatten().tolist()) for text in found.values()]
    assert len(set(states)) == len(states) == 4


def recorded(monkeypatch, module, name):
    """What the program's encoder is called with from now on."""
    calls, original = [], getattr(module, name)

    def record(*arguments):
        calls.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(module, name, record)
    return calls


def test_only_what_changed_is_encoded_again(data, monkeypatch):
    from kindred.models.architectures.flux1 import text_encoders

    before = latents(data)
    photos = recorded(monkeypatch, LatentCoding, "encode")
    texts = recorded(monkeypatch, text_encoders, "encode_t5")
    data.encode()
    assert photos == [] and texts == []

    change_photo(data, "J-1")
    rows = read_jsonl(data.root / "captions.jsonl")
    rows[1] = training_set.caption_row("J-2", "JRussell asleep", ["J"])
    write_jsonl(data.root / "captions.jsonl", rows)
    data.encode()
    assert len(photos) == 1 and [call[2] for call in texts] == ["JRussell asleep"]
    after = latents(data)
    assert len(before.keys() & after.keys()) == 2 and len(after) == 3


def change_photo(data, name):
    image = training_set.picture("another", (48, 32))
    image.save(data.root / "images" / f"{name}.png")
    rows = read_json(data.root / "images.json")
    for row in rows:
        if row["image_id"] == name:
            row["pixel_hash"] = pixel_hash(image)
    write_json(data.root / "images.json", rows)


def test_a_kept_encoding_is_the_one_that_would_be_made_again(data):
    before = (data.root / "latents.safetensors").read_bytes()
    text = (data.root / "text.safetensors").read_bytes()
    shutil.rmtree(data.root / "encoded")
    data.encode()
    assert (data.root / "latents.safetensors").read_bytes() == before
    assert (data.root / "text.safetensors").read_bytes() == text


def encode_text(data, out, **changes):
    spec = {"model": data.base, "dtype": "float32", "tokens": training_set.TOKENS} | changes
    where = ["--captions", str(data.root / "captions.jsonl"), "--text", str(out)]
    store = ["--store", str(data.root / "encoded"), "--device", "cpu", "--threads", "1"]
    encode_captions.main(["--spec", json.dumps(spec), *where, *store])


def test_length_and_precision_are_part_of_the_key(data, monkeypatch, tmp_path):
    from kindred.models.architectures.flux1 import text_encoders

    t5 = recorded(monkeypatch, text_encoders, "encode_t5")
    clip = recorded(monkeypatch, text_encoders, "encode_clip")
    encode_text(data, tmp_path / "longer", tokens=training_set.TOKENS + 8)
    assert len(t5) == 4 and clip == []
    name = f"{NO_CAPTION}.t5"
    longer = safetensors_files.load(tmp_path / "longer", [name])[name]
    assert longer.shape == (training_set.TOKENS + 8, 32)
    encode_text(data, tmp_path / "half", dtype="bfloat16")
    assert len(t5) == 8 and len(clip) == 4
    assert safetensors_files.load(tmp_path / "half", [name])[name].dtype is torch.bfloat16


def test_new_weights_under_an_old_name_encode_again(data, tmp_path, base):
    moved = tmp_path / "base"
    shutil.copytree(base, moved)
    other = training_set.TrainingSet(data.root, str(moved))
    other.encode()
    before = latents(data)
    shutil.rmtree(moved)
    tiny_base.build(moved, seed=3)
    other.encode()
    assert all(not torch.equal(before[name], value) for name, value in latents(data).items())


def test_pixels_that_do_not_fit_their_row_are_all_listed(data):
    training_set.picture("x", (48, 32)).save(data.root / "images/J-1.png")
    (data.root / "images/J-2.png").unlink()
    with pytest.raises(ProblemsError) as error:
        data.encode()
    assert [p.where.rsplit("/", 1)[-1] for p in error.value.problems] == ["J-1.png", "J-2.png"]


def test_a_broken_file_in_the_store_is_made_again(data, capsys):
    before = (data.root / "latents.safetensors").read_bytes()
    broken = next((data.root / "encoded/latent").rglob("*.safetensors"))
    broken.write_bytes(b"")
    data.encode()
    assert "encoding it again" in capsys.readouterr().err
    assert (data.root / "latents.safetensors").read_bytes() == before


def test_a_missing_base_is_a_clear_error(data, tmp_path):
    spec = ["--spec", json.dumps({"model": str(tmp_path / "nowhere")})]
    images = ["--images", str(data.root / "images.json"), "--images-dir", str(data.root / "images")]
    out = ["--latents", str(tmp_path / "out"), "--store", str(tmp_path / "s"), "--device", "cpu"]
    with pytest.raises(KindredError, match="no such folder"):
        encode_images.main([*spec, *images, *out])


def with_bad_numbers(path, name):
    """Put a number that is none into a tensor of a file."""
    entries, _ = safetensors_files.header(path)
    data = bytearray(path.read_bytes())
    start = 8 + int.from_bytes(data[:8], "little") + entries[name]["data_offsets"][0]
    data[start : start + 4] = b"\x00\x00\xc0\x7f"
    path.write_bytes(data)


def test_a_photo_whose_encoding_is_not_finite_is_named_and_not_kept(data, monkeypatch, tmp_path):
    rows = read_json(data.root / "images.json")
    images = {r["pixel_hash"]: data.root / "images" / f"{r['image_id']}.png" for r in rows}
    bad = images[rows[1]["pixel_hash"]]
    encoder = ImageEncoder(model=data.base)

    def load():
        return lambda path: torch.full((16, 8, 8), float("inf") if path == bad else 1.0)

    out, store = tmp_path / "latents.safetensors", tmp_path / "store"
    with pytest.raises(KindredError, match=r"has 1024 values that are infinite") as caught:
        encoding_cache.write_latents(out, images, encoder, load, store)
    assert caught.value.where == str(bad) and not out.exists()
    assert rows[1]["pixel_hash"] not in {path.stem for path in store.rglob("*.safetensors")}


def test_a_text_whose_encoding_is_not_finite_is_said(data, tmp_path):
    encoder = TextEncoder(model=data.base, dtype="float32", tokens=8)

    def load(name):
        return lambda text: torch.full((4,), float("nan") if text == "a man" else 1.0)

    with pytest.raises(KindredError, match="text “a man”: its encoding has 4 values"):
        encoding_cache.write_texts(tmp_path / "t", ["a man"], encoder, load, tmp_path / "store")


@pytest.mark.parametrize("of", ["latents", "text"])
def test_what_training_reads_names_the_photo_or_its_caption(data, of):
    files = {name: data.root / f"{name}.safetensors" for name in ("latents", "text")}
    items = read_dataset(data.root / "images.json", data.root / "captions.jsonl")
    item = items[1]
    name = item.pixel_hash if of == "latents" else f"{item.caption_hash}.t5"
    with_bad_numbers(files[of], name)
    said = f"the latent of the photo {item.image_id}" if of == "latents" else item.caption
    with pytest.raises(KindredError, match="has 1 value that is infinite") as caught:
        load_examples(make_pairs(items, "matched", 0), **files)
    assert said in caught.value.what
