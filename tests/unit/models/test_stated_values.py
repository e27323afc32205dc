"""What a LoRA file says twice, rank and alpha, agrees or is named with both numbers."""

import json

import pytest
import tiny_base
import torch
from diffusers import FluxTransformer2DModel

from kindred.common import safetensors_files
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.models.lora.adapters import apply_adapters, read_adapters
from kindred.models.lora.compatibility import incompatibilities

LAYER = "transformer.transformer_blocks.0.attn.to_q"
FUSED = "lora_unet_double_blocks_0_img_attn_qkv"


def lora(path, metadata=None, name=LAYER, rank=4, alpha=None, height=32, more=None):
    """A file of one layer of the tiny base."""
    torch.manual_seed(0)
    state = {
        f"{name}.lora_A.weight": torch.randn(rank, 32),
        f"{name}.lora_B.weight": torch.randn(height, rank),
        **({f"{name}.alpha": torch.as_tensor(alpha)} if alpha is not None else {}),
        **(more or {}),
    }
    safetensors_files.save(path, state, metadata or {})
    return path


def config(**values):
    told = {f"transformer.{key}": value for key, value in values.items()}
    return {"lora_adapter_metadata": json.dumps(told)}


def kohya(rank, alpha):
    return {"ss_network_dim": str(rank), "ss_network_alpha": str(alpha)}


@pytest.mark.parametrize(
    ("metadata", "tensors", "said"),
    [
        (
            config(r=4, lora_alpha=64),
            {"alpha": 1.0},
            "its header says alpha 64 (lora_adapter_metadata), but its tensors 1, in",
        ),
        (
            config(r=16, lora_alpha=16),
            {},
            "its header says rank 16 (lora_adapter_metadata), but its tensors 4, in",
        ),
        (
            config(r=4, rank_pattern={"attn.to_q": 8}),
            {},
            "its header says rank 8 (lora_adapter_metadata), but its tensors 4, in",
        ),
        (
            kohya(4, 32),
            {"alpha": 1.0},
            "its header says alpha 32 (ss_network_alpha), but its tensors 1",
        ),
        (
            kohya(16, 16),
            {"alpha": 4.0},
            "its header says rank 16 (ss_network_dim), but its tensors 4",
        ),
        (
            config(r=4, lora_alpha=4) | kohya(4, 32),
            {},
            "its header says alpha 32 (ss_network_alpha) and 4 (lora_adapter_metadata)",
        ),
        (
            config(r=4, use_dora=True),
            {},
            "that it is a DoRA (lora_adapter_metadata), but its tensors have no magnitudes",
        ),
        ({"lora_adapter_metadata": "{"}, {}, "in its header is not a valid configuration"),
        ({"lora_adapter_metadata": "[]"}, {}, "in its header is not a valid configuration"),
        (config(r="4"), {}, "in its header is not a valid configuration"),
        (config(r=4, lora_alpha=float("nan")), {}, "nan is no number"),
        (config(r=4, rank_pattern={"(": 8}), {}, "in its header is not a valid configuration"),
        (config(r=4, rank_pattern={"^transformer_blocks.0.attn.to_q": 8}), {}, "its tensors 4"),
        ({}, {"alpha": [1.0, 2.0]}, "has an alpha that is infinite or not a number (nan)"),
    ],
    ids=str,
)
def test_both_numbers_are_named(tmp_path, metadata, tensors, said):
    faults = incompatibilities(lora(tmp_path / "a.safetensors", metadata, **tensors), FLUX1, None)
    assert any(said in fault.what and fault.stops for fault in faults), faults


@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_numbers_that_agree_are_read_whatever_their_type(tmp_path, kind):
    alpha = torch.tensor(3.3, dtype=kind)
    for number, metadata in enumerate((kohya(4, 3.3), config(r=4, lora_alpha=3.3), {})):
        path = lora(tmp_path / f"{number}.safetensors", metadata, alpha=alpha)
        assert incompatibilities(path, FLUX1, None) == []


def test_separate_loras_stacked_in_a_fused_layer_have_the_rank_that_was_trained(tmp_path):
    given = {"name": FUSED, "rank": 12, "height": 96}
    stacked = lora(tmp_path / "a.safetensors", kohya(4, 4), alpha=12.0, **given)
    assert incompatibilities(stacked, FLUX1, None) == []
    odd = lora(tmp_path / "b.safetensors", kohya(5, 5), alpha=12.0, **given)
    assert (
        "rank 5 (ss_network_dim), but its tensors 12" in incompatibilities(odd, FLUX1, None)[0].what
    )


def test_layers_may_differ_from_the_header_s_one_number(tmp_path):
    other = "transformer.transformer_blocks.0.attn.to_k"
    more = {
        f"{other}.lora_A.weight": torch.ones(8, 32),
        f"{other}.lora_B.weight": torch.ones(32, 8),
        f"{other}.alpha": torch.tensor(8.0),
    }
    path = lora(tmp_path / "a.safetensors", kohya(4, 2), alpha=2.0, more=more)
    assert incompatibilities(path, FLUX1, None) == []
    for words in ({"ss_network_dim": "Dynamic", "ss_network_alpha": "None"}, kohya("", "inf")):
        path = lora(tmp_path / "b.safetensors", words, alpha=2.0)
        assert incompatibilities(path, FLUX1, None) == []


def test_an_alpha_that_only_the_header_has_is_a_warning_with_what_is_used(tmp_path):
    (fault,) = incompatibilities(lora(tmp_path / "a.safetensors", kohya(4, 2)), FLUX1, None)
    assert not fault.stops and "as if alpha were its rank (4)" in fault.what
    assert "says alpha 2 in its header" in fault.what
    assert incompatibilities(lora(tmp_path / "b.safetensors", kohya(4, 4)), FLUX1, None) == []


def test_a_configuration_and_alphas_that_agree_are_drawn_with_their_strength(base, tmp_path):
    def answer(path):
        net = FluxTransformer2DModel.from_pretrained(base, subfolder="transformer").eval()
        apply_adapters(net, read_adapters([path]), False)
        return tiny_base.answer(net)

    both = lora(tmp_path / "a.safetensors", config(r=4, lora_alpha=8), alpha=8.0)
    alone = lora(tmp_path / "b.safetensors", alpha=8.0)
    told = {"name": LAYER.replace("transformer.", "unet.", 1)}
    header = lora(tmp_path / "c.safetensors", config(r=4, lora_alpha=8), **told)
    assert incompatibilities(both, FLUX1, None) == incompatibilities(header, FLUX1, None) == []
    assert torch.equal(answer(both), answer(alone))
    torch.testing.assert_close(answer(header), answer(alone))
