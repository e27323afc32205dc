"""LoRA layers, and a file that diffusers loads to the very same network."""

import pytest
import tiny_base
import torch
from diffusers import FluxPipeline, FluxTransformer2DModel

from kindred.common.errors import KindredError
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.models.lora import injection
from kindred.models.lora.target_layers import target_layers
from kindred.specs.training import Recipe


def network(base):
    return FluxTransformer2DModel.from_pretrained(base, subfolder="transformer")


def targets(base, wanted):
    return target_layers(injection.linear_layers(network(base)), wanted, FLUX1)


def test_all_linear_is_every_layer_that_reads_tokens(base):
    found = targets(base, "all-linear")
    double = [name for name in found if name.startswith("transformer_blocks.0.")]
    single = [name for name in found if name.startswith("single_transformer_blocks.1.")]
    assert len(double) == 12 and len(single) == 5 and len(found) == 12 + 2 * 5
    assert {name.rsplit(".", 1)[-1] for name in single} >= {"proj_mlp", "proj_out"}
    assert not any("norm" in name or "embed" in name for name in found)
    assert "proj_out" not in found


def test_attention_list_and_pattern(base):
    assert len(targets(base, "attention")) == 4 + 2 * 3
    assert targets(base, ["to_add_out"]) == ["transformer_blocks.0.attn.to_add_out"]
    assert len(targets(base, r"single_transformer_blocks\.1\..*to_[qk]")) == 2


@pytest.mark.parametrize(
    ("wanted", "message"),
    [(["to_kk"], "Did you mean 'to_k'"), ("to_k", "whole name"), ("(", "is not a valid pattern")],
)
def test_targets_that_match_nothing(base, wanted, message):
    with pytest.raises(KindredError, match=message):
        targets(base, wanted)


def test_targets_that_a_file_could_not_tell_apart(base):
    with pytest.raises(KindredError, match="would be trained too"):
        injection.add_lora(network(base), Recipe(targets="proj_out"), 0)


def test_same_run_same_start_and_only_lora_trains(base):
    first, second = network(base), network(base)
    one, two = (
        injection.add_lora(first, Recipe(rank=3), 5),
        injection.add_lora(second, Recipe(rank=3), 5),
    )
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    trained = {name for name, p in first.named_parameters() if p.requires_grad}
    assert trained and all("lora_" in name for name in trained)
    other = injection.add_lora(network(base), Recipe(rank=3), 6)
    assert not all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_adapter_is_float32_on_a_bfloat16_base(base):
    half = network(base).to(torch.bfloat16)
    assert {p.dtype for p in injection.add_lora(half, Recipe(rank=2), 0)} == {torch.float32}


@pytest.mark.parametrize(
    "recipe",
    [
        {"rank": 2},
        {"rank": 2, "alpha": 7.0},
        {"rank": 4, "rslora": True},
        {"rank": 2, "dora": True},
        {"rank": 2, "rank_pattern": {"transformer_blocks.0": 5, "proj_out": 1}},
        {"rank": 2, "alpha": 3.0, "alpha_pattern": {"to_q": 1.0}, "rank_pattern": {"to_k": 4}},
        {"rank": 2, "targets": ["to_k", "proj_mlp"], "lora_dropout": 0.3},
    ],
    ids=str,
)
def test_flux_pipeline_loads_the_same_network(base, tmp_path, recipe):
    trained = network(base)
    parameters = injection.add_lora(trained, Recipe(**recipe), 0)
    with torch.no_grad():
        for parameter in parameters:
            parameter.add_(0.1 * torch.randn_like(parameter))
    trained.eval()
    path = tmp_path / "lora.safetensors"
    injection.save_lora(path, injection.lora_state(trained), trained, {"run": "0"})

    pipeline = FluxPipeline.from_pretrained(base)
    plain = tiny_base.answer(pipeline.transformer)
    pipeline.load_lora_weights(path)
    loaded = tiny_base.answer(pipeline.transformer)
    assert torch.allclose(loaded, tiny_base.answer(trained), atol=1e-6)
    assert not torch.allclose(loaded, plain, atol=1e-3)
