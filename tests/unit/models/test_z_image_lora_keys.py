"""Z-Image's LoRAs in other tools' layouts: out, in, and refused where they don't belong."""

import copy

import lora_files
import pytest
import tiny_z_image
import torch
from diffusers import ZImagePipeline

from kindred.common import safetensors_files
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.models.architectures.z_image.facts import Z_IMAGE
from kindred.models.lora import injection, key_conversion, kohya_export
from kindred.models.lora.adapters import apply_adapters, read_adapters
from kindred.models.lora.compatibility import incompatibilities
from kindred.models.lora.lora_config import configuration
from kindred.rendering.sampling import initial_noise
from kindred.specs.training import Recipe

PROVENANCE = {
    "software": "Kindred",
    "version": "train 1, z-image 1",
    "base": "Tongyi-MAI/Z-Image@main",
}
RECIPES = [
    {"rank": 2, "alpha": 4.0, "rslora": True, "targets": ".+"},
    pytest.param({"rank": 4, "alpha": 3.0, "targets": "all-linear"}, marks=pytest.mark.long),
    pytest.param({"rank": 2, "alpha": 4.0, "targets": "attention"}, marks=pytest.mark.long),
]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    folder = tiny_z_image.build(tmp_path_factory.mktemp("base") / "z-image")
    return ZImagePipeline.from_pretrained(folder)


def answer(network):
    """What a network of diffusers' says to one input."""
    text = torch.randn(20, 32, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        ((found,),) = network(
            [initial_noise([1], 4, 6, 10)[0][:, None]], torch.tensor([0.3]), [text],
            return_dict=False,
        )  # fmt: skip
    return found


def trained(pipeline, path, **recipe):
    """Write an adapter with an effect on every layer; return the network that has it."""
    net = copy.deepcopy(pipeline.transformer)
    return lora_files.trained(net, path, Recipe(**recipe), PROVENANCE)


def by_us(pipeline, path):
    network = copy.deepcopy(pipeline.transformer)
    apply_adapters(network, read_adapters([path]), False)
    return answer(network)


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_one_file_for_all_tools_and_one_for_kohya_are_the_same_network(pipeline, tmp_path, recipe):
    path = tmp_path / "lora.safetensors"
    wanted, plain = answer(trained(pipeline, path, **recipe)), answer(pipeline.transformer)
    effect = (wanted - plain).abs().max()
    assert effect > 1e-3
    files = [path, *(lora_files.exported(path, tool) for tool in ("comfyui", "kohya"))]
    assert lora_files.exported(path, "ai-toolkit").read_bytes() == files[1].read_bytes()
    for file in files:
        assert (by_us(pipeline, file) - wanted).abs().max() < 1e-4 * effect, file.name
        pipeline.load_lora_weights(file)
        theirs = answer(pipeline.transformer)
        pipeline.unload_lora_weights()
        assert (theirs - wanted).abs().max() < 1e-4 * effect, file.name


@pytest.mark.parametrize("layout", ["peft", pytest.param("kohya", marks=pytest.mark.long)])
def test_there_and_back_nothing_is_lost(pipeline, tmp_path, layout):
    path = tmp_path / "lora.safetensors"
    trained(pipeline, path, rank=3, alpha=7.0, targets=".+")
    _, header = safetensors_files.header(path)
    state = safetensors_files.load(path)
    out = kohya_export.fused(state, configuration(header), Z_IMAGE, "x", layout)
    back = key_conversion.to_diffusers(out, Z_IMAGE, "x")
    assert back.keys() == state.keys()
    for name, value in state.items():
        scale = 7.0 / 3.0 if "lora_B" in name else 1.0
        torch.testing.assert_close(back[name], value * scale)


def test_names_are_those_of_the_layouts(pipeline, tmp_path):
    path = tmp_path / "lora.safetensors"
    trained(pipeline, path, rank=2, alpha=6.0, targets="all-linear")
    entries, told = safetensors_files.header(lora_files.exported(path, "comfyui"))
    assert len(entries) == 2 * 14
    assert entries["diffusion_model.layers.0.attention.to_out.0.lora_A.weight"]["shape"] == [2, 48]
    assert not any(name.endswith(".alpha") for name in entries)
    assert told["modelspec.architecture"] == "Z-Image/lora"
    state = safetensors_files.load(lora_files.exported(path, "kohya"))
    assert state["lora_unet_layers_1_feed_forward_w2.alpha"] == 6
    assert state["lora_unet_layers_1_feed_forward_w2.lora_down.weight"].shape == (2, 128)


@pytest.mark.parametrize(
    "name",
    [
        "lora_unet_layers_0_attention_to_q",
        "diffusion_model.layers.0.attention.to_q",
        "base_model.model.layers.0.attention.to_q",
        "transformer.layers.0.attention.to_q",
        "diffusion_model.layers.0.attention.out",
        "lora_unet_noise_refiner_0_attention_to_k",
    ],
)
def test_other_spellings_and_alphas_are_read(pipeline, tmp_path, name):
    torch.manual_seed(1)
    up, path = torch.randn(48, 2), tmp_path / "a.safetensors"
    state = {f"{name}.lora_down.weight": torch.randn(2, 48), f"{name}.lora_up.weight": up}
    safetensors_files.save(path, {**state, f"{name}.alpha": torch.tensor(4.0)}, {})
    with_alpha = by_us(pipeline, path)
    safetensors_files.save(path, {**state, f"{name}.lora_up.weight": 2 * up}, {})
    assert torch.equal(by_us(pipeline, path), with_alpha)
    assert not torch.equal(answer(pipeline.transformer), with_alpha)


def test_a_lora_of_the_fused_layer_comes_apart(pipeline):
    torch.manual_seed(0)
    down, up = torch.randn(2, 48), torch.randn(3 * 48, 2)
    stem = "diffusion_model.layers.1.attention.qkv"
    file = {f"{stem}.lora_A.weight": down, f"{stem}.lora_B.weight": up}
    found = key_conversion.to_diffusers(file, Z_IMAGE, "x")
    for part, rows in zip(("to_q", "to_k", "to_v"), up.chunk(3), strict=True):
        name = f"transformer.layers.1.attention.{part}"
        assert torch.equal(found[f"{name}.lora_A.weight"], down)
        assert torch.equal(found[f"{name}.lora_B.weight"], rows)


def test_every_linear_layer_has_one_name_and_gets_it_back(pipeline):
    for name in injection.linear_layers(pipeline.transformer):
        layer = Z_IMAGE.adapter_keys.fused_layer(name)
        assert layer.parts == (name,) and layer.original == name
        for written in ("lora_unet_" + name.replace(".", "_"), f"transformer.{name}"):
            assert key_conversion.layer_of(written, Z_IMAGE).parts == (name,)


def test_one_of_another_base_is_refused_and_both_are_named(pipeline, tmp_path):
    path = tmp_path / "lora.safetensors"
    trained(pipeline, path, rank=2, targets="all-linear")
    said = [str(fault) for fault in incompatibilities(path, FLUX1, None)]
    assert len(said) == 1 and "LoRA of Z-Image, but the base is FLUX.1" in said[0]
    other = tmp_path / "flux.safetensors"
    name = "lora_unet_double_blocks_0_img_attn_qkv"
    state = {f"{name}.lora_down.weight": torch.zeros(1, 32)}
    safetensors_files.save(other, state | {f"{name}.lora_up.weight": torch.zeros(96, 1)}, {})
    (fault,) = incompatibilities(other, Z_IMAGE, None)
    assert fault.stops and fault.what.startswith("is a LoRA of FLUX.")
    assert "but the base is Z-Image" in fault.what
    wide = Z_IMAGE.layout({**dict(pipeline.transformer.config), "dim": 96}).sizes
    (fault,) = incompatibilities(path, Z_IMAGE, wide)
    assert fault.stops and "reads 48 features, but 96 in the base" in fault.what
