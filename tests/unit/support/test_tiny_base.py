"""The test base itself: real classes, small, read back as written, names told apart."""

import pytest
import tiny_base
from diffusers import FluxPipeline

NAMES = ["JRussell", "ARussell", "CRussell"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_base.build(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture(scope="module")
def pipeline(folder):
    return FluxPipeline.from_pretrained(folder)


def test_is_small(folder):
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) < 2_000_000


@pytest.mark.parametrize("which", ["tokenizer", "tokenizer_2"])
def test_tokenizers_read_back_identically_and_tell_names_apart(pipeline, which):
    written = tiny_base._t5_tokenizer() if which == "tokenizer_2" else tiny_base._clip_tokenizer()
    read = getattr(pipeline, which)
    for text in [*NAMES, "a photo of JRussell's red hat, at the beach!", ""]:
        assert read(text).input_ids == written(text).input_ids
    ids = [tuple(read(name).input_ids) for name in NAMES]
    assert len(set(ids)) == len(NAMES)
    if which == "tokenizer_2":
        assert not any(read.unk_token_id in row for row in ids)


def test_pipeline_draws(pipeline):
    pipeline.set_progress_bar_config(disable=True)
    image = pipeline("JRussell", height=32, width=48, num_inference_steps=2, output_type="np")
    assert image.images.shape == (1, 32, 48, 3)


def test_same_seed_same_weights(folder, tmp_path):
    again = tiny_base.build(tmp_path / "again")
    name = "transformer/diffusion_pytorch_model.safetensors"
    assert (again / name).read_bytes() == (folder / name).read_bytes()
