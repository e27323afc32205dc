"""FLUX.2 klein's LoRAs in other tools' layouts: out, in, and refused where they don't belong."""

import copy
import re
from pathlib import Path

import lora_files
import pytest
import tiny_klein
import torch
from diffusers import Flux2KleinPipeline, FluxTransformer2DModel

from kindred.common import safetensors_files
from kindred.common.errors import KindredError
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.models.architectures.klein.facts import KLEIN
from kindred.models.lora import compatibility, injection, key_conversion, kohya_export
from kindred.models.lora.adapters import apply_adapters, read_adapters
from kindred.models.lora.compatibility import incompatibilities
from kindred.models.lora.lora_config import configuration
from kindred.specs.training import Recipe

PROVENANCE = {
    "software": "Kindred",
    "version": "train 1, klein 1",
    "base": "black-forest-labs/FLUX.2-klein-base-4B@main",
}
OUTSIDE = r"(context_embedder|x_embedder|time_guidance_embed\..*|proj_out)"
MODULATIONS = r".*_modulation(_\w+)?\.linear"
RECIPES = [
    pytest.param({"rank": 2, "targets": "attention"}, marks=pytest.mark.long),
    pytest.param({"rank": 3, "alpha": 7.0, "targets": "all-linear"}, marks=pytest.mark.long),
    {"rank": 4, "alpha": 3.0, "rslora": True, "targets": "all-linear"},
    {"rank": 2, "alpha": 4.0, "targets": ["to_k", "add_v_proj", "linear_in"]},
    {"rank": 2, "alpha": 4.0, "targets": f"{OUTSIDE}|{MODULATIONS}"},
]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    folder = tiny_klein.build(tmp_path_factory.mktemp("base") / "klein")
    return Flux2KleinPipeline.from_pretrained(folder)


def answer(net):
    """What a network says to one input."""
    random = torch.Generator().manual_seed(5)
    with torch.no_grad():
        return KLEIN.denoiser(net).velocity(
            torch.randn(1, 16, 4, 6, generator=random),
            torch.tensor([0.7]),
            {"qwen3": torch.randn(1, 9, 96, generator=random)},
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


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_one_file_for_comfyui_and_diffusers_and_one_for_kohya_are_the_same_network(
    pipeline, tmp_path, recipe
):
    path = tmp_path / "lora.safetensors"
    wanted, plain = answer(trained(pipeline, path, **recipe)), answer(pipeline.transformer)
    effect = (wanted - plain).abs().max()
    assert effect > 1e-3
    files = [lora_files.exported(path, tool) for tool in ("comfyui", "kohya")]
    assert lora_files.exported(path, "ai-toolkit").read_bytes() == files[0].read_bytes()
    for file in [path, *files]:
        assert (by_us(pipeline, file) - wanted).abs().max() < 1e-4 * effect
    outside = "context_embedder" in str(recipe["targets"])  # of kohya's diffusers drops some
    for file in [path, *(files[:1] if outside else files)]:
        pipeline.load_lora_weights(file)
        theirs = answer(pipeline.transformer)
        pipeline.unload_lora_weights()
        assert (theirs - wanted).abs().max() < 1e-4 * effect, file.name


@pytest.mark.parametrize("layout", ["peft", "kohya"])
def test_there_and_back_nothing_is_lost(pipeline, tmp_path, layout):
    path = tmp_path / "lora.safetensors"
    trained(pipeline, path, rank=3, alpha=7.0, targets="all-linear")
    _, header = safetensors_files.header(path)
    state = safetensors_files.load(path)
    out = kohya_export.fused(state, configuration(header), KLEIN, "x", layout)
    back = key_conversion.to_diffusers(out, KLEIN, "x")
    assert back.keys() == state.keys()
    for name, value in state.items():
        scale = 7.0 / 3.0 if "lora_B" in name else 1.0
        torch.testing.assert_close(back[name], value * scale)


def test_names_and_shapes_are_those_of_the_layouts(pipeline, tmp_path):
    path = tmp_path / "lora.safetensors"
    trained(pipeline, path, rank=2, alpha=6.0, targets="all-linear")
    entries, told = safetensors_files.header(lora_files.exported(path, "comfyui"))
    shapes = {name: tuple(entry["shape"]) for name, entry in entries.items()}
    assert all(name.startswith("diffusion_model.") for name in shapes) and len(shapes) == 2 * 20
    stem = "diffusion_model.double_blocks.1.img_attn.qkv.lora_"
    assert (shapes[f"{stem}A.weight"], shapes[f"{stem}B.weight"]) == ((6, 32), (96, 6))
    stem = "diffusion_model.single_blocks.0.linear1.lora_"
    assert (shapes[f"{stem}A.weight"], shapes[f"{stem}B.weight"]) == ((2, 32), (9 * 32, 2))
    assert told["modelspec.architecture"] == "flux-2-klein-base-4b/lora"
    assert told["ss_network_dim"] == told["ss_network_alpha"] == "Dynamic"
    state = safetensors_files.load(lora_files.exported(path, "kohya"))
    assert state["lora_unet_double_blocks_0_txt_attn_qkv.alpha"] == 18
    assert state["lora_unet_single_blocks_1_linear2.lora_down.weight"].shape == (2, 4 * 32)


def test_a_lora_trained_on_the_fused_layer_keeps_its_rank(pipeline, tmp_path):
    """As ai-toolkit and musubi train it: one A for q, k and v."""
    torch.manual_seed(0)
    a, b = torch.randn(2, 32), torch.randn(96, 2)
    stem = "diffusion_model.double_blocks.0.img_attn.qkv"
    file = {f"{stem}.lora_A.weight": a, f"{stem}.lora_B.weight": b}
    found = key_conversion.to_diffusers(file, KLEIN, "x")
    for part, rows in zip(("to_q", "to_k", "to_v"), b.chunk(3), strict=True):
        name = f"transformer.transformer_blocks.0.attn.{part}"
        assert torch.equal(found[f"{name}.lora_A.weight"], a)
        assert torch.equal(found[f"{name}.lora_B.weight"], rows)
    again = kohya_export.fused(found, {}, KLEIN, "x", "peft")
    assert {name: value.tolist() for name, value in again.items()} == {
        name: value.tolist() for name, value in file.items()
    }


@pytest.mark.parametrize(
    "name",
    [
        "diffusion_model.double_blocks.0.img_attn_qkv",  # musubi's converter once wrote it so
        "base_model.model.double_blocks.0.img_attn.qkv",
        "lora_unet_double_blocks_0_img_attn_qkv",
        "diffusion_model.single_blocks.1.linear1",
        "transformer.single_transformer_blocks.1.attn.to_qkv_mlp_proj",
        "diffusion_model.double_stream_modulation_img.lin",
        "lora_unet_single_stream_modulation_lin",
    ],
)
def test_other_spellings_and_alphas_are_read(pipeline, tmp_path, name):
    width, height = 32, {"linear1": 288, "mlp_proj": 288, "qkv": 96, "img.lin": 192}
    height = next((rows for end, rows in height.items() if name.endswith(end)), 96)
    up = torch.randn(height, 2)
    state = {f"{name}.lora_down.weight": torch.randn(2, width), f"{name}.lora_up.weight": up}
    path = tmp_path / "a.safetensors"
    safetensors_files.save(path, state, {})
    plain = by_us(pipeline, path)
    safetensors_files.save(path, {**state, f"{name}.alpha": torch.tensor(4.0)}, {})
    with_alpha = by_us(pipeline, path)
    safetensors_files.save(path, {**state, f"{name}.lora_up.weight": 2 * up}, {})
    assert not torch.equal(plain, with_alpha) and torch.equal(by_us(pipeline, path), with_alpha)


def test_every_linear_layer_has_one_name_and_gets_it_back(pipeline):
    for name in injection.linear_layers(pipeline.transformer):
        layer = KLEIN.adapter_keys.fused_layer(name)
        assert name in layer.parts
        for written in ("lora_unet_" + layer.original.replace(".", "_"), layer.original):
            assert key_conversion.layer_of(written, KLEIN) == layer
        assert key_conversion.layer_of("transformer." + name, KLEIN).parts == (name,)


def test_the_last_norm_has_shift_above_scale_in_the_original(pipeline):
    name = "diffusion_model.final_layer.adaLN_modulation.1"
    up = torch.randn(64, 2)
    file = {f"{name}.lora_A.weight": torch.randn(2, 32), f"{name}.lora_B.weight": up}
    found = key_conversion.to_diffusers(file, KLEIN, "x")
    assert torch.equal(found["transformer.norm_out.linear.lora_B.weight"], up.roll(32, 0))


def fake(path, layers):
    """A LoRA of rank 1 on layers: name -> (features read, features written)."""
    state = {}
    for name, (reads, writes) in layers.items():
        state[f"{name}.lora_A.weight"] = torch.zeros(1, reads)
        state[f"{name}.lora_B.weight"] = torch.zeros(writes, 1)
    safetensors_files.save(path, state, {})
    return path


def full(double, single, width):
    """Layers of a klein of a real size, as `layers_of` gives them."""
    known = KLEIN.published["black-forest-labs/FLUX.2-klein-4B"]
    own = {"num_layers": double, "num_single_layers": single, "num_attention_heads": width // 128}
    return KLEIN.layout({**known, **own}).sizes


def of_klein(double, single, width):
    blocks = {
        f"transformer.{name}": size
        for name, size in full(double, single, width).items()
        if "blocks" in name
    }
    return blocks


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        (
            of_klein(8, 24, 4096),
            "was trained on FLUX.2 klein 9B, but the base is FLUX.2 klein 4B: ",
        ),
        (of_klein(8, 48, 6144), "was trained on FLUX.2 dev, but the base is FLUX.2 klein 4B: "),
        (
            {"transformer.transformer_blocks.0.ff.net.2": (12288, 3072)},
            "is a LoRA of FLUX.1, but the base is FLUX.2 klein ",
        ),
        (  # names that both have
            {f"diffusion_model.double_blocks.{i}.img_attn.proj": (3072, 3072) for i in range(19)},
            "is a LoRA of FLUX.1, but the base is FLUX.2 klein (no published network of ",
        ),
    ],
    ids=["9B", "dev", "flux1", "flux1-attention"],
)
def test_a_lora_of_another_base_is_refused_and_both_are_named(tmp_path, layers, said):
    path = fake(tmp_path / "a.safetensors", layers)
    (found,) = incompatibilities(path, KLEIN, full(5, 20, 3072))
    assert found.stops and found.what.startswith(said)


def on_no_disk(kind, architecture=KLEIN):
    """Layers of a base whose weights aren't there, as planning knows them."""
    return compatibility.layers_of(kind, None, architecture, Path("nowhere"))


NO_FOLDER = "resources/lab-klein/models/base"
INSIDE = {
    "blocks": r"(single_)?transformer_blocks\.\d+\.(?!norm).+",
    "attention": r"transformer_blocks\.\d+\.attn.+",
    "one block": r"transformer_blocks\.0\.attn.+",
}


def full_flux1(path, inside, header):
    """A LoRA of FLUX.1-dev's size in kohya's layout."""
    sizes = on_no_disk("black-forest-labs/FLUX.1-dev", FLUX1).items()
    fake(path, {f"transformer.{k}": size for k, size in sizes if re.fullmatch(INSIDE[inside], k)})
    state = kohya_export.fused(safetensors_files.load(path), {}, FLUX1, "x")
    safetensors_files.save(path, state, header)
    return path


@pytest.mark.parametrize("base", [*KLEIN.published, NO_FOLDER])
@pytest.mark.parametrize(
    ("inside", "header"),
    [
        ("blocks", {}),
        ("attention", {}),
        ("one block", {"ss_base_model_version": "flux1"}),
        ("one block", {"modelspec.architecture": "Flux.1-dev/lora"}),
    ],
)
def test_flux1_s_is_refused_before_a_klein_is_on_the_disk(tmp_path, base, inside, header):
    path = full_flux1(tmp_path / "a.safetensors", inside, header)
    (found,) = incompatibilities(path, KLEIN, on_no_disk(base))
    assert found.stops
    assert found.what.startswith("is a LoRA of FLUX.1, but the base is FLUX.2 klein (")
    for name in FLUX1.published:
        assert not incompatibilities(path, FLUX1, on_no_disk(name, FLUX1))


def test_a_klein_of_another_size_is_refused_before_it_is_on_the_disk(tmp_path):
    path = fake(tmp_path / "a.safetensors", of_klein(8, 24, 4096))
    for name in KLEIN.published:
        found = incompatibilities(path, KLEIN, on_no_disk(name))
        assert bool(found) == name.endswith("4B")
    assert not incompatibilities(path, KLEIN, on_no_disk(NO_FOLDER))


def test_what_nothing_tells_apart_passes_until_the_base_is_there(tmp_path):
    """One block's attention is the same in both, and a miniature's width says nothing."""
    path = full_flux1(tmp_path / "a.safetensors", "one block", {})
    assert not incompatibilities(path, KLEIN, on_no_disk(NO_FOLDER))
    said = {"ss_base_model_version": "flux2", "modelspec.architecture": "flux-1-dev/lora"}
    path = full_flux1(tmp_path / "both.safetensors", "one block", said)
    assert not incompatibilities(path, KLEIN, on_no_disk(NO_FOLDER))


def test_klein_s_on_flux1_is_refused_and_both_are_named(tmp_path):
    path = fake(tmp_path / "a.safetensors", of_klein(5, 20, 3072))
    (found,) = incompatibilities(path, FLUX1, None)
    assert found.what.startswith("is a LoRA of FLUX.2 klein, but the base is FLUX.1 ")


def test_it_is_refused_when_drawn_too(pipeline, tmp_path, tiny_folder):
    path = tmp_path / "lora.safetensors"
    trained(pipeline, path, rank=2, targets="all-linear")
    flux = FluxTransformer2DModel.from_pretrained(tiny_folder, subfolder="transformer")
    with pytest.raises(KindredError, match=r"lora\.safetensors: does not fit this base"):
        apply_adapters(flux, read_adapters([path]), False)
    other = fake(tmp_path / "o.safetensors", {"lora_unet_double_blocks_0_mod": (32, 32)})
    with pytest.raises(
        KindredError, match=r"o\.safetensors: is a LoRA of a model other than FLUX\.2"
    ):
        apply_adapters(pipeline.transformer, read_adapters([other]), False)
