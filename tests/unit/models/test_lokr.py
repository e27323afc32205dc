"""LoKr: sizes, training, files out and in, and drawing, as LyCORIS, ComfyUI and peft have it."""

import copy
import json
import re

import lora_files
import peft
import pytest
import tiny_base
import tiny_klein
import torch
from diffusers import Flux2KleinPipeline, FluxTransformer2DModel
from peft.tuners.lokr.layer import factorization
from safetensors.torch import save_file

import export_lora as program
from kindred.common import safetensors_files
from kindred.common.errors import KindredError
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.models.architectures.klein.facts import KLEIN
from kindred.models.lora import injection, key_conversion, lokr_layers
from kindred.models.lora.adapters import apply_adapters, content_hash, read_adapters
from kindred.models.lora.compatibility import incompatibilities
from kindred.models.lora.lokr_shapes import lokr_shape, split
from kindred.rendering.batched import load_adapters
from kindred.specs.training import Recipe

PROVENANCE = {"software": "Kindred", "version": "train 1, flux1 1"}
OF_KLEIN = PROVENANCE | {"version": "train 1, klein 1"}
RECIPES = [
    pytest.param({"rank": 2, "alpha": 3.0}, marks=pytest.mark.long),
    {"rank": 2, "alpha": 3.0, "lokr_factor": 4, "rslora": True},
    {"rank": 1000, "alpha": 1.0, "lokr_factor": 4},
    pytest.param(
        {"rank": 1, "targets": ["to_k", "proj_mlp"], "lokr_factor": 5}, marks=pytest.mark.long
    ),
]


def lokr(**options):
    return Recipe(adapter_type="lokr", **options)


def network(base):
    return FluxTransformer2DModel.from_pretrained(base, subfolder="transformer")


@pytest.fixture(scope="module")
def klein(tmp_path_factory):
    folder = tiny_klein.build(tmp_path_factory.mktemp("base") / "klein")
    return Flux2KleinPipeline.from_pretrained(folder).transformer


def of_klein(net):
    """What klein says to one input."""
    random = torch.Generator().manual_seed(5)
    with torch.no_grad():
        return KLEIN.denoiser(net).velocity(
            torch.randn(1, 16, 4, 6, generator=random),
            torch.tensor([0.7]),
            {"qwen3": torch.randn(1, 9, 96, generator=random)},
            1.0,
        )


def trained(net, path, recipe, provenance=PROVENANCE):
    """Give a network a LoKr with an effect on every layer, and write it."""
    return lora_files.trained(net, path, recipe, provenance)


def drawn(net, *paths, merge=False, weights=()):
    apply_adapters(net, read_adapters(list(paths), weights), merge)
    return net


def inputs_of(net):
    """Of one picture and its text, for FLUX.1."""
    random, config = torch.Generator().manual_seed(0), net.config
    return {
        "hidden_states": torch.randn(1, 6, config.in_channels, generator=random),
        "encoder_hidden_states": torch.randn(1, 5, config.joint_attention_dim, generator=random),
        "pooled_projections": torch.randn(1, config.pooled_projection_dim, generator=random),
        "timestep": torch.tensor([0.5]),
        "img_ids": torch.zeros(6, 3),
        "txt_ids": torch.zeros(5, 3),
        "guidance": torch.tensor([1.0]) if config.guidance_embeds else None,
    }


def layers_of(net):
    return {name: part for name, part in net.named_modules() if hasattr(part, "lora_variant")}


def by_hand(state, layer, rank):
    """scale * kron(w1, w2) out of a file's tensors, as ComfyUI's `calculate_weight` has it."""
    at = f"transformer.{layer}."
    if f"{at}lokr_w2" in state:
        return torch.kron(state[f"{at}lokr_w1"], state[f"{at}lokr_w2"])
    larger = state[f"{at}lokr_w2_a"] @ state[f"{at}lokr_w2_b"]
    return torch.kron(state[f"{at}lokr_w1"], larger) * (state[f"{at}alpha"] / rank)


@pytest.mark.parametrize("factor", [None, 1, 4, 8, 16, 37])
def test_sides_are_split_as_in_lycoris(factor):
    for side in (1, 48, 127, 250, 360, 3072, 12288, 3072 * 7):
        assert split(side, factor) == factorization(side, factor or -1)


def test_shapes_and_numbers_are_those_of_the_layers(base):
    for recipe in (lokr(rank=2), lokr(rank=2, lokr_factor=4), lokr(rank=99)):
        net = network(base)
        parameters = injection.add_lora(net, recipe, 0)
        sizes = [part.get_base_layer() for part in layers_of(net).values()]
        shapes = [
            lokr_shape(one.in_features, one.out_features, recipe.rank, recipe.lokr_factor)
            for one in sizes
        ]
        assert sum(one.numbers for one in shapes) == sum(p.numel() for p in parameters)


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_a_fresh_one_changes_nothing_and_is_the_same_for_a_run(base, recipe):
    first, second = network(base), network(base)
    before = tiny_base.answer(first)
    one, two = (injection.add_lora(net, lokr(**recipe), 5) for net in (first, second))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert torch.equal(tiny_base.answer(first.eval()), before)
    other = injection.add_lora(network(base), lokr(**recipe), 6)
    assert not all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    trains = {name for name, p in first.named_parameters() if p.requires_grad}
    assert len(trains) == len(one) and all("lora_" in name for name in trains)


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_gradients_are_those_of_the_weight_formed_by_hand(base, tmp_path, recipe):
    net = trained(network(base), tmp_path / "a.safetensors", lokr(**recipe))
    plain = network(base)
    state = {name: t.clone().requires_grad_() for name, t in injection.lora_state(net).items()}
    weights = {
        f"{name}.weight": plain.get_submodule(name).weight.detach()
        + by_hand(state, name, recipe["rank"])
        for name in layers_of(net)
    }
    inputs = inputs_of(plain)
    own, hand = net(**inputs).sample, torch.func.functional_call(plain, weights, kwargs=inputs)
    assert torch.allclose(own, hand.sample, atol=1e-5)
    own.square().mean().backward()
    hand.sample.square().mean().backward()
    for name, part in layers_of(net).items():
        gradients = [part.lora_B["default"].weight.grad]
        gradients += [one.grad for one in part.lora_A["default"].factors]
        keys = [key for key in state if key.startswith(f"transformer.{name}.lokr")]
        assert len(keys) == len(gradients)
        for key, gradient in zip(keys, gradients, strict=True):
            assert gradient.abs().max() > 0
            assert torch.allclose(gradient, state[key].grad, atol=1e-6, rtol=1e-4), key


@pytest.mark.parametrize("recipe", RECIPES[:3], ids=str)
def test_what_peft_makes_of_the_same_numbers_is_the_same_network(base, tmp_path, recipe):
    net = trained(network(base), tmp_path / "a.safetensors", lokr(**recipe))
    state = safetensors_files.load(tmp_path / "a.safetensors")
    rank = recipe["rank"]
    whole = not any("w2_a" in key for key in state)
    alpha = next(v.item() for k, v in state.items() if k.endswith(".alpha"))
    if not whole and any(k.endswith("lokr_w2") for k in state):
        pytest.skip("peft has one alpha for whole matrices and others")
    config = peft.LoKrConfig(
        r=rank,
        alpha=rank if whole else alpha,
        decompose_factor=recipe.get("lokr_factor", -1),
        target_modules="|".join(layers_of(net)).replace(".", r"\."),
    )
    other = peft.LoKrModel(network(base), {"default": config}, "default")
    for name in layers_of(net):
        layer = other.model.get_submodule(name)
        for role in ("lokr_w1", "lokr_w2", "lokr_w2_a", "lokr_w2_b"):
            key = f"transformer.{name}.{role}"
            held = getattr(layer, role)
            assert ("default" in held) == (key in state)
            if key in state:
                held["default"].data = state[key]
    assert torch.allclose(tiny_base.answer(other.model), tiny_base.answer(net), atol=1e-5)


@pytest.mark.parametrize("merge", [False, True])
@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_a_file_of_ours_draws_as_what_was_trained(base, tmp_path, recipe, merge):
    path = tmp_path / "a.safetensors"
    net = trained(network(base), path, lokr(**recipe))
    again = drawn(network(base), path, merge=merge)
    assert torch.allclose(tiny_base.answer(again), tiny_base.answer(net), atol=1e-5)
    assert not torch.allclose(tiny_base.answer(again), tiny_base.answer(network(base)), atol=1e-3)
    if merge:
        assert not layers_of(again)


def test_a_block_may_have_another_rank(base, tmp_path):
    recipe = Recipe(adapter_type="lokr", rank=1, rank_pattern={"transformer_blocks.0": 2})
    path = tmp_path / "lora.safetensors"
    wanted = tiny_base.answer(trained(network(base), path, recipe))
    state = safetensors_files.load(path)
    ranks = {
        n.split(".")[1]: t.shape[1] for n, t in state.items() if n.endswith("attn.to_q.lokr_w2_a")
    }
    assert ranks == {"transformer_blocks": 2, "single_transformer_blocks": 1}
    got = tiny_base.answer(drawn(network(base), path))
    torch.testing.assert_close(got, wanted, atol=2e-5, rtol=1e-4)


def test_lokr_and_lora_at_weights_add_up_and_leave_no_trace(base, tmp_path):
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    trained(network(base), one, lokr(rank=2, lokr_factor=4, targets=["to_q", "proj_mlp"]))
    trained(network(base), two, Recipe(rank=2, targets=["to_q", "to_k"]))
    beside = drawn(network(base), one, two, weights=[0.7, -0.4])
    merged = drawn(network(base), one, two, weights=[0.7, -0.4], merge=True)
    plain = network(base)
    both = layers_of(beside)["transformer_blocks.0.attn.to_q"]
    assert set(both.lora_A) == {"adapter0", "adapter1"} and len(both.lora_variant) == 1
    for name, part in layers_of(beside).items():
        changes = [lokr_layers.change_of(part, adapter) for adapter in part.lora_A]
        sums = plain.get_submodule(name).weight + sum(changes)
        assert torch.allclose(merged.get_submodule(name).weight, sums, atol=1e-6)
    assert torch.allclose(tiny_base.answer(merged), tiny_base.answer(beside), atol=1e-5)
    net = network(base)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    take_off = load_adapters(net, read_adapters([one, two], [0.7, -0.4]))
    assert torch.equal(tiny_base.answer(net), tiny_base.answer(merged))
    take_off()
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_its_header_and_hash(base, tmp_path):
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    net = trained(network(base), one, lokr(rank=2, alpha=3.0))
    injection.save_lora(two, injection.lora_state(net), net, {"run": "7"})
    assert content_hash(one) == content_hash(two)
    stronger = {
        k: v * 2 if k.endswith("alpha") else v for k, v in safetensors_files.load(one).items()
    }
    safetensors_files.save(two, stronger, PROVENANCE)
    assert content_hash(one) != content_hash(two)
    assert read_adapters([one])[0].provenance == PROVENANCE
    assert safetensors_files.header(one)[1] == PROVENANCE | {"format": "pt"}


def by_lycoris(layer, **matrices):
    return {f"lycoris_{layer}.lokr_{role}": value for role, value in matrices.items()}


def test_another_tools_file_over_a_fused_layer_is_its_rows(base, tmp_path):
    torch.manual_seed(1)
    fused = "double_blocks_0_img_attn_qkv"
    state = by_lycoris(
        fused,
        w1_a=torch.randn(4, 2),
        w1_b=torch.randn(2, 8),
        w2_a=torch.randn(24, 2),
        w2_b=torch.randn(2, 4),
    )
    state[f"lycoris_{fused}.alpha"] = torch.tensor(1.0)
    norm = "final_layer_adaLN_modulation_1"
    state |= by_lycoris(norm, w1=torch.randn(4, 4), w2=torch.randn(16, 8))
    state[f"lycoris_{norm}.alpha"] = torch.tensor(77.0)
    path = tmp_path / "theirs.safetensors"
    safetensors_files.save(path, state, {"ss_network_module": "lycoris.kohya"})
    assert incompatibilities(path, FLUX1, None) == []
    plain, merged = network(base), drawn(network(base), path, merge=True)
    whole = 0.5 * torch.kron(
        state[f"lycoris_{fused}.lokr_w1_a"] @ state[f"lycoris_{fused}.lokr_w1_b"],
        state[f"lycoris_{fused}.lokr_w2_a"] @ state[f"lycoris_{fused}.lokr_w2_b"],
    )
    for part, rows in zip(("to_q", "to_k", "to_v"), whole.split(32), strict=True):
        name = f"transformer_blocks.0.attn.{part}.weight"
        change = merged.state_dict()[name] - plain.state_dict()[name]
        assert torch.allclose(change, rows, atol=1e-5)
    name = "norm_out.linear.weight"
    shift, scale = torch.kron(*(state[f"lycoris_{norm}.lokr_{r}"] for r in ("w1", "w2"))).chunk(2)
    change = merged.state_dict()[name] - plain.state_dict()[name]
    assert torch.allclose(change, torch.cat([scale, shift]), atol=1e-5)
    beside = drawn(network(base), path)
    assert torch.allclose(tiny_base.answer(beside), tiny_base.answer(merged), atol=1e-4)


@pytest.mark.parametrize("tool", ["comfyui", "kohya", "ai-toolkit"])
def test_export_and_back_loses_nothing(base, klein, tmp_path, tool):
    of_flux, out = tmp_path / "flux.safetensors", tmp_path / "out.safetensors"
    net = trained(network(base), of_flux, lokr(**RECIPES[1]))
    program.main(["--adapter", str(of_flux), "--out", str(out), "--format", tool])
    again = drawn(network(base), out)
    assert torch.allclose(tiny_base.answer(again), tiny_base.answer(net), atol=1e-5)
    header = safetensors_files.header(out)[1]
    assert json.loads(header["ss_network_args"]) == {"algo": "lokr"}
    prefix = "lora_unet_" if tool == "kohya" else "transformer."
    assert all(key.startswith(prefix) for key in safetensors_files.load(out))

    own, out = tmp_path / "klein.safetensors", tmp_path / "out-klein.safetensors"
    recipe = lokr(rank=2, alpha=3.0, targets="all-linear")
    net = trained(copy.deepcopy(klein), own, recipe, OF_KLEIN)
    program.main(["--adapter", str(own), "--out", str(out), "--format", tool])
    for path in (own, out):
        again = drawn(copy.deepcopy(klein), path)
        assert torch.allclose(of_klein(again), of_klein(net), atol=1e-5)


def test_what_can_not_be_is_named(base, klein, tmp_path):
    path = tmp_path / "a.safetensors"
    trained(copy.deepcopy(klein), path, lokr(rank=2), OF_KLEIN)
    (fault,) = incompatibilities(path, FLUX1, None)
    assert "is a LoKr of FLUX.2" in fault.what and "the base is FLUX.1" in fault.what
    with pytest.raises(KindredError, match=r"is a LoKr of FLUX\.2"):
        drawn(network(base), path)
    (fault,) = incompatibilities(path, KLEIN, None, lora_only=True)
    assert "but a LoRA is needed here" in fault.what
    with pytest.raises(KindredError, match=r"but a LoRA is needed here"):
        key_conversion.to_diffusers(safetensors_files.load(path), KLEIN, "file")
    unknown = by_lycoris("x", w1=torch.ones(1, 1), w2=torch.ones(1, 1))
    safetensors_files.save(path, safetensors_files.load(path) | unknown, {})
    (fault,) = incompatibilities(path, KLEIN, None)
    assert "has 1 part that no FLUX.2" in fault.what
    safetensors_files.save(path, unknown, {})
    (fault,) = incompatibilities(path, KLEIN, None)
    assert "of a model other than FLUX.2" in fault.what
    with pytest.raises(ValueError, match="dora"):
        lokr(dora=True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lokr_w2": None}, "lacks one of the two matrices of"),
        ({"lokr_w2": torch.zeros(2, 2, 3)}, "no matrices"),
        ({"lokr_w2": None, "lokr_w2_a": torch.zeros(4, 2), "lokr_w2_b": torch.zeros(3, 4)}, "rank"),
        ({"alpha": torch.tensor(float("nan"))}, "has an alpha that is infinite or not a number"),
        (
            {"dora_scale": torch.zeros(32, 1)},
            "is a LoKr with DoRA magnitudes, which Kindred can't read",
        ),
        ({"lora_up.weight": torch.zeros(4, 2)}, "parts that don't belong"),
        ({"lokr_w2": torch.zeros(8, 4)}, "another width|writes"),
    ],
    ids=str,
)
def test_a_broken_file_is_refused_by_what_is_wrong(base, tmp_path, change, said):
    name = "lycoris_double_blocks_0_img_attn_proj"
    matrices = {
        "lokr_w1": torch.ones(8, 8),
        "lokr_w2": torch.ones(4, 4),
        "alpha": torch.tensor(1.0),
    }
    state = {f"{name}.{k}": v for k, v in (matrices | change).items() if v is not None}
    path = tmp_path / "a.safetensors"
    save_file(state, path)  # ours writes no numbers that are none
    layers = {"transformer_blocks.0.attn.to_out.0": (32, 32)}
    found = incompatibilities(path, FLUX1, layers)
    assert re.search(said, " ".join(fault.what for fault in found))
