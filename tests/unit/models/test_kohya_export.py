"""A LoRA in the layout of ComfyUI and kohya's tools: same network, their metadata, equal bytes."""

import errno
import hashlib
import json

import lora_files
import pytest
import tiny_base
import torch
from diffusers import FluxPipeline, FluxTransformer2DModel
from diffusers.loaders.lora_conversion_utils import _convert_kohya_flux_lora_to_diffusers

import export_lora as program
from kindred.common import safetensors_files
from kindred.common.errors import KindredError
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.models.lora import compatibility, injection, key_conversion, kohya_export
from kindred.models.lora.adapters import apply_adapters, provenance, read_adapters
from kindred.specs.training import Recipe

PROVENANCE = {
    "software": "Kindred",
    "seed": "7",
    "run": "1",
    "spec_hash": "abc",
    "base": "black-forest-labs/FLUX.1-dev@main",
}
MODULATIONS = r"(single_)?transformer_blocks\.\d+\.norm\w*\.linear"
OUTSIDE = r"(context_embedder|x_embedder|time_text_embed\..*|norm_out\.linear)"


def network(base):
    return FluxTransformer2DModel.from_pretrained(base, subfolder="transformer").eval()


def trained(base, path, **recipe):
    """Write an adapter with an effect on every layer; return the network that has it."""
    return lora_files.trained(network(base), path, Recipe(**recipe), PROVENANCE)


def exported(path, *options, name="out.safetensors"):
    out = path.parent / name
    assert program.main(["--adapter", str(path), "--out", str(out), *options]) == 0
    return out


def loaded(base, path, merge=False):
    net = network(base)
    apply_adapters(net, read_adapters([path]), merge)
    return net


RECIPES = [
    {"rank": 2, "targets": "attention"},
    {"rank": 4, "targets": "attention"},  # 3 r is a multiple of linear1's four parts
    {"rank": 3, "alpha": 7.0, "targets": "attention"},
    {"rank": 2, "targets": "all-linear"},
    {"rank": 4, "alpha": 1.0, "targets": "all-linear"},
    {"rank": 4, "alpha": 3.0, "rslora": True, "targets": "all-linear"},
    {"rank": 2, "targets": ["to_k", "proj_mlp", "add_v_proj"], "lora_dropout": 0.3},
    {"rank": 2, "rank_pattern": {"to_k": 3, "transformer_blocks.0.ff": 1}, "alpha": 5.0},
    {"rank": 2, "alpha_pattern": {"to_k": 3.0, "transformer_blocks.0.ff": 1.0}, "rslora": True},
    {"rank": 2, "alpha": 4.0, "targets": MODULATIONS},
    {"rank": 2, "alpha": 4.0, "targets": OUTSIDE},
]


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_our_loader_makes_the_same_network_of_an_export(base, tmp_path, recipe):
    path = tmp_path / "lora.safetensors"
    wanted = tiny_base.answer(trained(base, path, **recipe))
    for merge in (False, True):
        got = tiny_base.answer(loaded(base, exported(path), merge))
        torch.testing.assert_close(got, wanted, atol=2e-5, rtol=1e-4)
    assert not torch.allclose(wanted, tiny_base.answer(network(base)), atol=1e-3)


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_ai_toolkit_s_layout_has_diffusers_names_no_alpha_and_loses_nothing(base, tmp_path, recipe):
    """ai-toolkit trains diffusers' network, renames nothing for FLUX.1 and reads no alphas."""
    path = tmp_path / "lora.safetensors"
    wanted = tiny_base.answer(trained(base, path, **recipe))
    out = exported(path, "--format", "ai-toolkit")
    assert safetensors_files.load(out).keys() == safetensors_files.load(path).keys()
    torch.testing.assert_close(tiny_base.answer(loaded(base, out)), wanted, atol=2e-5, rtol=1e-4)
    known = FluxPipeline.from_pretrained(base)
    known.load_lora_weights(out)
    torch.testing.assert_close(tiny_base.answer(known.transformer), wanted, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("scale", [{}, {"alpha": 5.0}, {"alpha": 5.0, "rslora": True}], ids=str)
def test_diffusers_makes_the_same_network_of_an_export(base, tmp_path, scale):
    """Double blocks only: diffusers cuts single blocks at FLUX.1-dev's width, see below."""
    path = tmp_path / "lora.safetensors"
    targets = r"transformer_blocks\.\d+\.(attn|ff).*"
    wanted = tiny_base.answer(trained(base, path, rank=2, targets=targets, **scale))
    pipeline = FluxPipeline.from_pretrained(base)
    pipeline.load_lora_weights(exported(path))
    torch.testing.assert_close(tiny_base.answer(pipeline.transformer), wanted, atol=2e-5, rtol=1e-4)


def full_width(parts, rank):
    """A LoRA of FLUX.1-dev's own width on these layers."""
    torch.manual_seed(0)
    sizes = {"proj_mlp": (3072, 12288), "proj_out": (15360, 3072)}
    state = {}
    for part in parts:
        width, height = sizes.get(part.split(".")[-1], (3072, 3072))
        state[f"transformer.{part}.lora_A.weight"] = torch.randn(rank, width)
        state[f"transformer.{part}.lora_B.weight"] = torch.randn(height, rank)
    return state


def effects(state, scale=1.0):
    """Layer -> what its LoRA adds for one input."""
    found = {}
    for name, roles in key_conversion.modules_of(state).items():
        down, up = state[roles["down"]], state[roles["up"]]
        probe = torch.linspace(-1, 1, down.shape[1])
        added = scale * (up @ (down @ probe))
        if added.abs().max() > 0:
            found[name] = added
    return found


@pytest.mark.parametrize("rank", [2, 4])
@pytest.mark.parametrize("kinds", [("to_q", "to_k", "to_v"), ("to_q", "to_k", "to_v", "mlp")])
def test_diffusers_reads_single_blocks_of_full_width(rank, kinds):
    stem = "single_transformer_blocks.5"
    parts = [f"{stem}.proj_mlp" if k == "mlp" else f"{stem}.attn.{k}" for k in kinds]
    state = full_width([*parts, f"{stem}.proj_out"], rank)
    config = {"r": rank, "lora_alpha": 3 * rank}
    theirs = _convert_kohya_flux_lora_to_diffusers(kohya_export.fused(state, config, FLUX1, "x"))
    wanted, got = effects(state, 3.0), effects(theirs)
    assert wanted.keys() == got.keys()
    for name, value in wanted.items():
        torch.testing.assert_close(got[name], value, rtol=1e-3, atol=1e-2)


def test_names_shapes_and_alphas_are_those_of_kohya_s_layout(base, tmp_path):
    path = tmp_path / "lora.safetensors"
    trained(base, path, rank=2, alpha=6.0, targets="all-linear")
    state = safetensors_files.load(exported(path))
    names = {name.removesuffix(".alpha") for name in state if name.endswith(".alpha")}
    assert names == {
        *(
            f"lora_unet_double_blocks_0_{stream}_{part}"
            for stream in ("img", "txt")
            for part in ("attn_qkv", "attn_proj", "mlp_0", "mlp_2")
        ),
        *(f"lora_unet_single_blocks_{i}_linear{k}" for i in (0, 1) for k in (1, 2)),
    }
    assert len(state) == 3 * len(names)
    shapes = {
        "lora_unet_double_blocks_0_img_attn_qkv": (6, 32, 96),
        "lora_unet_double_blocks_0_img_mlp_2": (2, 128, 32),
        "lora_unet_single_blocks_1_linear1": (8, 32, 96 + 128),
        "lora_unet_single_blocks_1_linear2": (2, 32 + 128, 32),
    }
    for name, (rank, width, height) in shapes.items():
        assert state[f"{name}.lora_down.weight"].shape == (rank, width)
        assert state[f"{name}.lora_up.weight"].shape == (height, rank)
        assert state[f"{name}.alpha"].shape == () and state[f"{name}.alpha"] == 3 * rank


def test_parts_with_one_a_keep_their_rank_and_come_back(base, tmp_path):
    """As a LoRA that kohya trained on the fused layer looks after diffusers has read it."""
    torch.manual_seed(0)
    down = torch.randn(2, 32)
    state = {}
    for part in ("to_q", "to_k", "to_v"):
        state[f"transformer.transformer_blocks.0.attn.{part}.lora_A.weight"] = down
        up = torch.randn(32, 2)
        state[f"transformer.transformer_blocks.0.attn.{part}.lora_B.weight"] = up
    out = kohya_export.fused(state, {}, FLUX1, "x")
    assert out["lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight"].shape == (2, 32)
    back = key_conversion.to_diffusers(out, FLUX1, "x")
    assert back.keys() == state.keys()
    for name, value in state.items():
        torch.testing.assert_close(back[name], value)


def test_every_linear_layer_has_one_name_and_gets_it_back(base):
    layers = injection.linear_layers(network(base))
    fused = {name: FLUX1.adapter_keys.fused_layer(name) for name in layers}
    assert all(name in layer.parts for name, layer in fused.items())
    for layer in fused.values():
        kohya = "lora_unet_" + layer.original.replace(".", "_")
        assert key_conversion.layer_of(kohya, FLUX1) == layer
        assert key_conversion.layer_of("diffusion_model." + layer.original, FLUX1) == layer
    for name in layers:
        flat = "lora_transformer_" + name.replace(".", "_")
        assert key_conversion.layer_of(flat, FLUX1).parts == (name,)
        assert key_conversion.layer_of("transformer." + name, FLUX1).parts == (name,)
    assert key_conversion.layer_of("lora_unet_input_blocks_4_1_proj_in", FLUX1) is None


def test_metadata_and_equal_bytes(base, tmp_path, capsys):
    path = tmp_path / "jane-doe-lora.safetensors"
    trained(base, path, rank=2, alpha=4.0, targets="all-linear")
    first = exported(path, "--format", "kohya", "--trigger", "JRussell", "ARussell")
    assert ", ranks 2 to 8 (of 2: " in capsys.readouterr().err
    second = exported(
        path, "--format", "comfyui", "--trigger", "JRussell", "ARussell", name="again.safetensors"
    )
    assert first.read_bytes() == second.read_bytes()
    entries, told = safetensors_files.header(first)
    assert told["ss_network_module"] == "networks.lora_flux"
    assert told["ss_base_model_version"] == "flux1"
    assert (told["ss_network_dim"], told["ss_network_alpha"]) == ("Dynamic", "Dynamic")
    assert (told["kindred.rank"], told["kindred.alpha"], told["kindred.seed"]) == ("2", "4.0", "7")
    assert told["modelspec.architecture"] == "flux-1-dev/lora"
    assert told["modelspec.trigger_phrase"] == "JRussell, ARussell"
    assert told["ss_sd_model_name"] == PROVENANCE["base"]
    begin = 8 + int.from_bytes(first.read_bytes()[:8], "little")
    digest = hashlib.sha256(first.read_bytes()[begin:]).hexdigest()
    assert told["sshs_model_hash"] == digest
    assert told["modelspec.hash_sha256"] == "0x" + digest
    assert "jane" not in json.dumps(told).lower() and str(tmp_path) not in json.dumps(told)
    assert all(entry["dtype"] == "F32" for entry in entries.values())


def test_no_size_is_said_that_nobody_gave(base, tmp_path):
    """modelspec lets adapters leave it off, and the sizes of a training are in no file of a run."""
    trained(base, path := tmp_path / "lora.safetensors", rank=2)
    for tool in kohya_export.TOOLS:
        _, told = safetensors_files.header(exported(path, "--format", tool, name=tool))
        assert "modelspec.resolution" not in told
    _, told = safetensors_files.header(exported(path, "--resolution", "128x144"))
    assert told["modelspec.resolution"] == "128x144"
    with pytest.raises(KindredError, match="is not a size"):
        exported(path, "--resolution", "")


def test_a_folder_s_name_is_not_told(base, tmp_path):
    path = tmp_path / "lora.safetensors"
    trained(base, path, rank=2, targets=["to_out.0"])
    header = {**PROVENANCE, "base": "photos/jane@0123456789ab"}
    state = kohya_export.fused(safetensors_files.load(path), {}, FLUX1, "x")
    told = kohya_export.metadata(state, header, FLUX1, kohya_export.Shown("t", [], "64x64"))
    assert "jane" not in json.dumps(told) and told["modelspec.architecture"] == "flux-1/lora"
    assert told["ss_network_dim"] == told["ss_network_alpha"] == "2"


def test_half_precision_keeps_alphas_exact(base, tmp_path):
    path = tmp_path / "lora.safetensors"
    net = trained(base, path, rank=3, alpha=7.0, targets="all-linear")
    entries, _ = safetensors_files.header(out := exported(path, "--dtype", "bfloat16"))
    kinds = {(name.endswith(".alpha"), entry["dtype"]) for name, entry in entries.items()}
    assert kinds == {(True, "F32"), (False, "BF16")}
    torch.testing.assert_close(
        tiny_base.answer(loaded(base, out)), tiny_base.answer(net), atol=2e-2, rtol=2e-2
    )


def test_what_the_layout_can_t_hold_is_refused(base, tmp_path):
    path = tmp_path / "lora.safetensors"
    trained(base, path, rank=2, dora=True)
    with pytest.raises(KindredError, match=r"lora\.safetensors: is a DoRA.*`dora: false`"):
        exported(path)
    assert not (tmp_path / "out.safetensors").exists()
    trained(base, path, rank=2)
    with pytest.raises(KindredError, match="already in a layout"):
        exported(exported(path), name="twice.safetensors")
    with pytest.raises(KindredError, match="is the adapter itself"):
        program.main(["--adapter", str(path), "--out", str(path)])
    safetensors_files.save(
        path,
        {"vae.lora_A.weight": torch.ones(1, 2), "vae.lora_B.weight": torch.ones(2)},
        {"version": "train 5, flux1 1"},
    )
    with pytest.raises(KindredError, match=r"vae is no layer of FLUX\.1"):
        exported(path)


def test_a_file_of_a_model_that_nobody_here_knows(tmp_path):
    path, layer = tmp_path / "sdxl.safetensors", "lora_unet_down_blocks_1_attentions_0_proj_in"
    ends = ("lora_down.weight", "lora_up.weight", "alpha")
    safetensors_files.save(path, {f"{layer}.{end}": torch.ones(1, 1) for end in ends})
    with pytest.raises(KindredError, match=f"a model that Kindred doesn't know .*{layer}"):
        exported(path)


def test_what_can_t_be_read_or_written_is_said_with_its_cure(base, tmp_path, monkeypatch):
    path, folder = tmp_path / "lora.safetensors", tmp_path / "loras"
    trained(base, path, rank=2)
    folder.mkdir()
    with pytest.raises(KindredError, match=r"loras: is a folder, not a file. Name a file in"):
        exported(folder)
    with pytest.raises(KindredError, match=r"loras: can't be written .* give the name of a file"):
        exported(path, name="loras")
    with pytest.raises(KindredError, match=r"not a format .* or kohya for sd-scripts and musubi"):
        exported(path, "--format", "musubi")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(KindredError, match=r"cut short.* or convert it to safetensors"):
        exported(path)

    def closed(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(safetensors_files, "open", closed, raising=False)
    with pytest.raises(KindredError, match=r"can't be read \(Permission denied\). Get read access"):
        exported(path)
    (fault,) = compatibility.incompatibilities(path, FLUX1, None)
    assert fault.what == "can't be read (Permission denied)" and "read access" in fault.cure
    monkeypatch.undo()
    (fault,) = compatibility.incompatibilities(folder, FLUX1, None)
    assert (fault.what, fault.cure) == ("is a folder, not a file", "name a file in this folder")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (["lora_unet_double_blocks_0_img_attn_qkv.dora_scale"], "DoRA in kohya's layout"),
        (["lora_unet_double_blocks_0_img_mlp_0.lokr_w1"], "LyCORIS"),
        (["lora_te1_x.lora_down.weight", "lora_te1_x.lora_up.weight"], "contains no LoRA weights"),
        (
            ["lora_unet_mid_block_0.lora_down.weight", "lora_unet_mid_block_0.lora_up.weight"],
            "a mo",
        ),
        (["lora_unet_img_in.lora_down.weight"], "contains no LoRA weights"),
        (
            [f"lora_unet_{n}.lora_{k}.weight" for n in ("img_in", "odd") for k in ("down", "up")],
            "1 part that no FLUX.1 LoRA has, e.g. lora_unet_odd",
        ),
        (
            ["lora_unet_img_in.lora_down.weight", "lora_unet_img_in.lora_up.weight", "img_in.diff"],
            "e.g. img_in.diff",
        ),
    ],
)
def test_files_that_are_no_flux_lora_say_why(keys, words):
    assert words in key_conversion.refusal(keys, FLUX1)[0]
    with pytest.raises(KindredError, match=r"^file: "):
        key_conversion.to_diffusers({key: torch.ones(1, 1) for key in keys}, FLUX1, "file")


def test_a_stranger_s_header_tells_only_what_is_technical():
    header = {
        "ss_network_dim": "16",
        "ss_dataset_dirs": '{"/home/jane/photos": 1}',
        "ss_tag_frequency": "jane smiling",
        "ss_output_name": "jane",
        "modelspec.title": "x" * 300,
        "format": "pt",
    }
    assert provenance(header) == {"ss_network_dim": "16"}
    assert provenance({**PROVENANCE, "format": "pt"}) == PROVENANCE


def test_an_export_replaces_itself_and_nothing_else(base, tmp_path):
    path = tmp_path / "lora.safetensors"
    trained(base, path, rank=2)
    first = exported(path, "--format", "comfyui").read_bytes()
    trained(base, path, rank=4)
    again = exported(path, "--format", "comfyui").read_bytes()
    assert again != first
    for options, there in ((["--format", "ai-toolkit"], again), ([], b"a text")):
        (tmp_path / "out.safetensors").write_bytes(there)
        with pytest.raises(KindredError, match="is there already, and holds other layers"):
            exported(path, *options)
        assert (tmp_path / "out.safetensors").read_bytes() == there
