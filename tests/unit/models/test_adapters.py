"""What an adapter is known by: what it does, not what its header tells of it."""

from __future__ import annotations

import json

import pytest
import torch

from kindred.common import safetensors_files
from kindred.common.errors import KindredError
from kindred.models.lora.adapters import CONFIG_KEY, content_hash, read_adapters
from kindred.rendering.image_plan import plan
from kindred.specs.base_model import Base
from kindred.specs.rendering import PromptSet, RenderSpec

DOWN, UP = "transformer.a.lora_A.weight", "transformer.a.lora_B.weight"
CONFIG = {"transformer.r": 2, "transformer.lora_alpha": 2, "transformer.target_modules": ["a"]}


def lora(path, config=None, seed=0, dtype=torch.float32, shape=(2, 8), **header):
    """A LoRA file of one layer."""
    source = torch.Generator().manual_seed(seed)
    tensors = {DOWN: torch.randn(shape, generator=source).to(dtype), UP: torch.zeros(8, 2)}
    told = {CONFIG_KEY: json.dumps(CONFIG | config)} if config is not None else {}
    safetensors_files.save(path, tensors, header | told)
    return path


def keys(path):
    """Keys of the pictures that are drawn with a file."""
    prompt_set = PromptSet(prompts={"x": "a man"}, seeds=[1, 2], width=64, height=64)
    base = Base(model="org/base", architecture="flux1")
    spec = RenderSpec(base=base, prompt_set=prompt_set, name="x")
    return [picture.key for picture in plan(spec, read_adapters([path]), "org/base@1")]


def test_more_provenance_makes_no_new_key(tmp_path):
    plain = lora(tmp_path / "a.safetensors", {}, software="Kindred")
    told = lora(
        tmp_path / "b.safetensors", {}, software="Kindred", code_revision="abc", note="x" * 300
    )
    assert plain.read_bytes() != told.read_bytes()
    assert content_hash(plain) == content_hash(told)
    assert keys(plain) == keys(told)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"dtype": torch.float16},
        {"shape": (4, 4)},
        {"config": {"transformer.r": 3}},
        {"config": {"transformer.lora_alpha": 4}},
        {"config": {"transformer.rank_pattern": {"a": 4}}},
        {"config": {"transformer.alpha_pattern": {"a": 4}}},
        {"config": {"transformer.use_rslora": True}},
        {"config": {"transformer.use_dora": True}},
        {"config": None},
    ],
    ids=str,
)
def test_whatever_changes_what_it_does_makes_a_new_key(tmp_path, change):
    plain = lora(tmp_path / "a.safetensors", {})
    other = lora(tmp_path / "b.safetensors", **{"config": {}, **change})
    assert content_hash(plain) != content_hash(other)
    assert not set(keys(plain)) & set(keys(other))


def test_the_rest_of_the_configuration_has_no_part_in_it(tmp_path):
    plain = lora(tmp_path / "a.safetensors", {})
    other = lora(tmp_path / "b.safetensors", {"transformer.use_dora": False, "transformer.x": 1})
    assert content_hash(plain) == content_hash(other)


def test_a_name_counts(tmp_path):
    plain = lora(tmp_path / "a.safetensors", {})
    tensors = safetensors_files.load(plain)
    tensors["transformer.b.lora_A.weight"] = tensors.pop(DOWN)
    header = {CONFIG_KEY: json.dumps(CONFIG)}
    safetensors_files.save(tmp_path / "b.safetensors", tensors, header)
    assert content_hash(plain) != content_hash(tmp_path / "b.safetensors")


def test_a_broken_file_is_named(tmp_path):
    path = lora(tmp_path / "a.safetensors", {})
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(KindredError, match=r"a\.safetensors.*cut short"):
        content_hash(path)
    safetensors_files.save(path, {DOWN: torch.zeros(2, 8)}, {CONFIG_KEY: "{"})
    with pytest.raises(
        KindredError, match=rf"a\.safetensors: {CONFIG_KEY} in its header is not valid JSON"
    ):
        content_hash(path)
