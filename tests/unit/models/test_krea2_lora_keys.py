"""Krea 2's LoRAs in other tools' layouts: out, in, and refused where they don't belong."""

import copy

import lora_files
import pytest
import tiny_krea2
import torch
from diffusers import Krea2Pipeline

from kindred.common import safetensors_files
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.models.architectures.krea2.facts import KREA2
from kindred.models.lora import injection, key_conversion, kohya_export
from kindred.models.lora.adapters import apply_adapters, read_adapters
from kindred.models.lora.compatibility import incompatibilities
from kindred.models.lora.lora_config import configuration
from kindred.specs.training import Recipe

PROVENANCE = {
    "software": "Kindred",
    "version": "train 1, krea2 1",
    "base": "krea/Krea-2-Raw@main",
}
RECIPES = [
    pytest.param({"rank": 2, "targets": "attention"}, marks=pytest.mark.long),
    pytest.param(
        {"rank": 4, "alpha": 3.0, "rslora": True, "targets": "all-linear"}, marks=pytest.mark.long
    ),
    {"rank": 3, "alpha": 7.0, "targets": ".+"},  # every layer, outside the blocks too
]
SOME = {  # our name of a layer -> the original code's
    "transformer_blocks.0.attn.to_q": "blocks.0.attn.wq",
    "transformer_blocks.1.attn.to_k": "blocks.1.attn.wk",
    "transformer_blocks.0.attn.to_v": "blocks.0.attn.wv",
    "transformer_blocks.0.attn.to_out.0": "blocks.0.attn.wo",
    "transformer_blocks.0.attn.to_gate": "blocks.0.attn.gate",
    "transformer_blocks.0.ff.gate": "blocks.0.mlp.gate",
    "transformer_blocks.0.ff.up": "blocks.0.mlp.up",
    "transformer_blocks.0.ff.down": "blocks.0.mlp.down",
    "text_fusion.refiner_blocks.0.attn.to_q": "txtfusion.refiner_blocks.0.attn.wq",
    "text_fusion.layerwise_blocks.0.ff.up": "txtfusion.layerwise_blocks.0.mlp.up",
    "text_fusion.projector": "txtfusion.projector",
    "img_in": "first",
    "final_layer.linear": "last.linear",
    "time_embed.linear_1": "tmlp.0",
    "time_embed.linear_2": "tmlp.2",
    "time_mod_proj": "tproj.1",
    "txt_in.linear_1": "txtmlp.1",
    "txt_in.linear_2": "txtmlp.3",
}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    folder = tiny_krea2.build(tmp_path_factory.mktemp("base") / "krea2")
    return Krea2Pipeline.from_pretrained(folder)


def answer(net):
    """What a network says to one input."""
    random = torch.Generator().manual_seed(5)
    with torch.no_grad():
        return KREA2.denoiser(net).velocity(
            torch.randn(1, 4, 8, 12, generator=random),
            torch.tensor([0.7]),
            {"qwen3vl": torch.randn(1, 9, 12, 32, generator=random)},
            1.0,
        )


def trained(pipeline, path, **recipe):
    """Write an adapter with an effect on every layer; return the network that has it."""
    net = copy.deepcopy(pipeline.transformer)
    return lora_files.trained(net, path, Recipe(**recipe), PROVENANCE)


def by_us(pipeline, path):
    net = copy.deepcopy(pipeline.transformer)
    apply_adapters(net, read_adapters([path]), False)
    return answer(net)


def by_diffusers(pipeline, path):
    pipeline.load_lora_weights(path)
    found = answer(pipeline.transformer)
    pipeline.unload_lora_weights()
    return found


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_one_file_for_comfyui_and_diffusers_and_one_for_musubi_are_the_same_network(
    pipeline, tmp_path, recipe
):
    path = tmp_path / "lora.safetensors"
    wanted, plain = answer(trained(pipeline, path, **recipe)), answer(pipeline.transformer)
    effect = (wanted - plain).abs().max()
    assert effect > 1e-3
    comfyui, musubi = (lora_files.exported(path, tool) for tool in ("comfyui", "kohya"))
    assert lora_files.exported(path, "ai-toolkit").read_bytes() == comfyui.read_bytes()
    for file in (path, comfyui, musubi):
        assert (by_us(pipeline, file) - wanted).abs().max() < 1e-5 * effect
    for file in (path, comfyui):
        assert (by_diffusers(pipeline, file) - wanted).abs().max() < 1e-5 * effect, file.name
    # Why the file for musubi-tuner is never the one for diffusers: not a word, and no effect.
    assert (by_diffusers(pipeline, musubi) - plain).abs().max() < 1e-5 * effect


def test_an_alpha_which_diffusers_refuses_is_read(pipeline, tmp_path):
    path, other = tmp_path / "lora.safetensors", tmp_path / "alpha.safetensors"
    wanted = answer(trained(pipeline, path, rank=2, alpha=2.0, targets="attention"))
    state = safetensors_files.load(lora_files.exported(path, "comfyui"))
    ups = {name: value for name, value in state.items() if name.endswith(".lora_B.weight")}
    alphas = {
        name.replace(".lora_B.weight", ".alpha"): torch.tensor(4.0) for name in ups
    }  # twice the rank
    halved = {name: value / 2 for name, value in ups.items()}
    safetensors_files.save(other, state | halved | alphas, {})
    torch.testing.assert_close(by_us(pipeline, other), wanted)
    with pytest.raises(ValueError, match="should be empty"):
        pipeline.load_lora_weights(other)


@pytest.mark.parametrize("layout", ["peft", "kohya"])
def test_there_and_back_nothing_is_lost(pipeline, tmp_path, layout):
    path = tmp_path / "lora.safetensors"
    trained(pipeline, path, rank=3, alpha=7.0, targets=".+")
    _, header = safetensors_files.header(path)
    state = safetensors_files.load(path)
    out = kohya_export.fused(state, configuration(header), KREA2, "x", layout)
    back = key_conversion.to_diffusers(out, KREA2, "x")
    assert back.keys() == state.keys()
    for name, value in state.items():
        scale = 7.0 / 3.0 if "lora_B" in name else 1.0
        torch.testing.assert_close(back[name], value * scale)


def test_names_are_those_of_the_original_code(pipeline, tmp_path):
    path = tmp_path / "lora.safetensors"
    trained(pipeline, path, rank=2, alpha=6.0, targets=".+")
    layers = injection.linear_layers(pipeline.transformer)
    assert SOME.keys() <= set(layers)
    entries, told = safetensors_files.header(lora_files.exported(path, "comfyui"))
    for original in SOME.values():
        assert f"diffusion_model.{original}.lora_A.weight" in entries
    assert len(entries) == 2 * len(layers) and not any(".alpha" in name for name in entries)
    assert told["modelspec.architecture"] == "Krea-2/lora"
    assert (told["ss_network_dim"], told["ss_sd_model_name"]) == ("2", "krea/Krea-2-Raw@main")
    entries, told = safetensors_files.header(lora_files.exported(path, "kohya"))
    for original in SOME.values():
        assert f"lora_unet_{original.replace('.', '_')}.lora_down.weight" in entries
    assert told["ss_network_alpha"] == "6"


def test_every_linear_layer_has_one_name_and_gets_it_back(pipeline):
    for name in injection.linear_layers(pipeline.transformer):
        layer = KREA2.adapter_keys.fused_layer(name)
        assert layer.parts == (name,)
        flat = layer.original.replace(".", "_")
        for written in (f"lora_unet_{flat}", f"diffusion_model.{layer.original}"):
            assert key_conversion.layer_of(written, KREA2) == layer
        for written in (f"transformer.{name}", f"base_model.model.{name}"):
            assert key_conversion.layer_of(written, KREA2).parts == (name,)


def test_a_lora_of_another_base_is_refused_and_both_are_named(pipeline, tmp_path):
    sizes = KREA2.layout(dict(pipeline.transformer.config)).sizes
    theirs, ours = tmp_path / "flux.safetensors", tmp_path / "lora.safetensors"
    stem = "transformer.transformer_blocks.0.ff.net.2"
    state = {"lora_A": torch.zeros(1, 12288), "lora_B": torch.zeros(3072, 1)}
    safetensors_files.save(theirs, {f"{stem}.{k}.weight": v for k, v in state.items()}, {})
    (found,) = incompatibilities(theirs, KREA2, sizes)
    assert found.stops and found.what.startswith("is a LoRA of FLUX.1, but the base is Krea 2 ")
    trained(pipeline, ours, rank=2, targets="all-linear")
    (found,) = incompatibilities(ours, FLUX1, None)
    assert found.stops and found.what.startswith("is a LoRA of Krea 2, but the base is FLUX.1 ")
    assert not incompatibilities(lora_files.exported(ours, "comfyui"), KREA2, sizes)
