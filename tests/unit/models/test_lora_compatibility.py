"""Adapters trained elsewhere: as variants, checked before anything runs, read at any width."""

import json
from pathlib import Path

import pytest
import small_config
import tiny_base
import torch
from diffusers import FluxTransformer2DModel

from kindred.common import safetensors_files
from kindred.common.errors import KindredError, ProblemsError
from kindred.config.load_plan import load_plan
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.models.lora import compatibility, key_conversion
from kindred.models.lora.adapters import apply_adapters, read_adapters
from kindred.workflow import paths, scoring_specs

BLOCK = "lora_unet_double_blocks_0_img_attn_proj"


@pytest.fixture
def root(tmp_path, base):
    """A folder with a configuration whose base is the tiny one."""
    small_config.write(tmp_path, base)
    (tmp_path / "config/bases/large.yaml").write_text("model: org/unknown\narchitecture: flux1\n")
    return tmp_path


def plan_of(root, variants):
    small_config.write_experiment(root, variants)
    return load_plan(root)


def problems(root, variants):
    with pytest.raises(ProblemsError) as caught:
        plan_of(root, variants)
    return [str(p).split("/config/experiments/")[-1] for p in caught.value.problems]


def kohya(path, name=BLOCK, rank=2, width=32, height=32, alpha=1.0):
    """A file with one layer in kohya's layout."""
    torch.manual_seed(0)
    state = {
        f"{name}.lora_down.weight": torch.randn(rank, width),
        f"{name}.lora_up.weight": torch.randn(height, rank),
        f"{name}.alpha": torch.tensor(alpha),
    }
    safetensors_files.save(path, state, {"ss_network_dim": str(rank)})
    return state


def test_a_file_is_a_variant_beside_the_trained_ones(root):
    kohya(root / "a.safetensors")
    plan = plan_of(root, "  ours: {}\n  theirs: {adapter: a.safetensors, weight: 0.8}\n")
    theirs = plan.variant("one", "theirs")
    assert theirs.train is None and theirs.runs == (1,)
    assert paths.adapters_of(plan, "one", "theirs", "1") == ["a.safetensors"]
    assert plan.render_spec("one", "theirs", "solo").weights == [0.8]
    wanted = paths.all_targets(plan)
    assert "results/one/theirs/run-1/images/solo.json" in wanted
    assert not [path for path in wanted if "theirs" in path and "lora" in path]
    experiment = plan.experiments["one"]
    assert [v.name for v in experiment.trained] == ["ours"]
    assert scoring_specs._compared(theirs, experiment).kind == "loaded"


def test_it_changes_nothing_of_the_others(root):
    kohya(root / "a.safetensors")
    before = plan_of(root, "  ours: {}\n")
    after = plan_of(root, "  ours: {}\n  theirs: {adapter: a.safetensors}\n")
    for name in ("ours", "BASE"):
        assert before.variant("one", name) == after.variant("one", name)
        first, second = (p.render_spec("one", name, "solo") for p in (before, after))
        assert first.canonical() == second.canonical()


def test_one_file_a_run_several_weights_and_together_with_our_own(root):
    for name in "ab":
        kohya(root / f"{name}.safetensors")
    plan = plan_of(
        root,
        "  ours: {runs: 3}\n  two: {adapter: [a.safetensors, b.safetensors]}\n"
        "  one: {adapter: a.safetensors, sweep: {weight: [0.5, 1.0]}}\n"
        "  both: {adapters: {ours: 1, one-0.5: 0.7}}\n  all: {adapters: {ours: 1, two: 1}}\n",
    )
    assert plan.variant("one", "two").runs == (1, 2)
    assert paths.adapters_of(plan, "one", "two", "2") == ["b.safetensors"]
    assert plan.variant("one", "one-0.5").weight == 0.5
    assert plan.variant("one", "both").runs == (1, 2, 3)
    assert plan.variant("one", "all").runs == (1, 2)
    ours = "results/one/ours/run-2/lora.safetensors"
    assert paths.adapters_of(plan, "one", "both", "2") == [ours, "a.safetensors"]
    assert paths.adapters_of(plan, "one", "all", "2") == [ours, "b.safetensors"]
    assert plan.render_spec("one", "both", "solo").weights == [1.0, 0.7]


def test_a_base_of_its_own_that_can_t_be_looked_at(root):
    kohya(root / "a.safetensors", width=3072)
    plan = plan_of(root, "  theirs: {adapter: a.safetensors, base: large}\n")
    assert plan.variant("one", "theirs").base == "large"
    assert plan.variant("one", "BASE-large").base == "large"


def test_all_that_is_wrong_is_said_at_once(root):
    (root / "lo<r>as").mkdir()
    kohya(root / "lo<r>as/{b}.safetensors")
    kohya(root / "deep.safetensors", "lora_unet_double_blocks_7_img_attn_proj")
    kohya(root / "wide.safetensors", width=3072)
    kohya(root / "sdxl.safetensors", "lora_unet_input_blocks_4_1_proj_in")
    safetensors_files.save(root / "vae.safetensors", {"decoder.weight": torch.ones(2)})
    (root / "text.safetensors").write_text("not tensors")
    listed = problems(
        root,
        "  a: {adapter: gone.safetensors}\n  b: {adapter: deep.safetensors}\n"
        "  c: {adapter: wide.safetensors}\n  d: {adapter: sdxl.safetensors}\n"
        "  e: {adapter: [vae.safetensors, text.safetensors]}\n  f: {adapter: []}\n"
        "  g: {adapter: wide.safetensors, rank: 4, runs: 2}\n  h: {weight: 0.5}\n"
        "  i: {adapter: 'lo<r>as/{b}.safetensors'}\n",
    )
    wanted = [
        "variants.a.adapter: 'gone.safetensors' does not exist. Correct the path",
        "'deep.safetensors' 1 of its 1 layer is not in this base, e.g. transformer_blocks.7.",
        "transformer_blocks.0.attn.to_out.0 reads 3072 features, but 32 in the base",
        "'sdxl.safetensors' is a LoRA of a model other than FLUX.1",
        "'vae.safetensors' contains no LoRA weights. Give a LoRA file",
        "'text.safetensors' is not a complete safetensors file",
        "variants.f.adapter: no file is named",
        "`adapter` is not trained, so rank, runs can't be set",
        "variants.h.weight: has no effect here",
        "'lo<r>as/{b}.safetensors' has a brace in its path. Rename it without { } < >",
    ]
    assert len(listed) == len(wanted)
    for text in wanted:
        assert any(text in line for line in listed), text
    assert all(line.startswith("one.yaml:") for line in listed)


def test_layers_of_a_configuration_are_the_model_s_own(base):
    model = FluxTransformer2DModel.from_pretrained(base, subfolder="transformer")
    linear = {n: m for n, m in model.named_modules() if isinstance(m, torch.nn.Linear)}
    real = {name: (one.in_features, one.out_features) for name, one in linear.items()}
    assert compatibility.layers_of(str(base), None, FLUX1, Path()) == real
    assert compatibility.layers_of("nowhere/at-all", None, FLUX1, Path()) is None
    config = json.loads((base / "transformer/config.json").read_text())
    without = FLUX1.layout(config | {"guidance_embeds": False}).sizes
    assert {name for name in real if name not in without} == {
        f"time_text_embed.guidance_embedder.linear_{k}" for k in (1, 2)
    }
    dev = {"num_layers": 19, "num_single_layers": 38}
    heads = {"attention_head_dim": 128, "num_attention_heads": 24}
    full = FLUX1.layout(dev | heads).sizes
    assert len(full) == 19 * 14 + 38 * 6 + 8
    assert full["single_transformer_blocks.37.proj_out"] == (15360, 3072)


def network(base):
    return FluxTransformer2DModel.from_pretrained(base, subfolder="transformer").eval()


@pytest.mark.parametrize(
    ("name", "layers", "sizes"),
    [
        (BLOCK, ["transformer_blocks.0.attn.to_out.0"], (32, 32)),
        (
            "diffusion_model.double_blocks.0.txt_mlp.0",
            ["transformer_blocks.0.ff_context.net.0.proj"],
            (32, 128),
        ),
        (
            "lora_unet_double_blocks_0_txt_attn_qkv",
            [f"transformer_blocks.0.attn.add_{x}_proj" for x in "qkv"],
            (32, 96),
        ),
        (
            "lora_unet_single_blocks_1_linear1",
            [
                f"single_transformer_blocks.1.{x}"
                for x in ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")
            ],
            (32, 224),
        ),
        ("lora_unet_txt_in", ["context_embedder"], (32, 32)),
        (
            "transformer.single_transformer_blocks.0.attn.to_v",
            ["single_transformer_blocks.0.attn.to_v"],
            (32, 32),
        ),
        (
            "lora_transformer_transformer_blocks_0_attn_to_k",
            ["transformer_blocks.0.attn.to_k"],
            (32, 32),
        ),
    ],
)
def test_every_naming_adds_alpha_over_rank_times_b_a(base, tmp_path, name, layers, sizes):
    """The weights themselves are changed by hand for comparison; q, k, v share one A here."""
    state = kohya(tmp_path / "a.safetensors", name, 2, *sizes, alpha=0.5)
    added = 0.5 / 2 * state[f"{name}.lora_up.weight"] @ state[f"{name}.lora_down.weight"]
    by_hand = network(base)
    row = 0
    for layer in layers:
        weight = by_hand.get_submodule(layer).weight.data
        weight += added[row : row + len(weight)]
        row += len(weight)
    assert row == len(added)
    for merge in (False, True):
        net = network(base)
        apply_adapters(net, read_adapters([tmp_path / "a.safetensors"]), merge)
        torch.testing.assert_close(
            tiny_base.answer(net), tiny_base.answer(by_hand), atol=2e-5, rtol=1e-4
        )


def test_final_layer_has_shift_above_scale_in_the_original(base, tmp_path):
    name = "lora_unet_final_layer_adaLN_modulation_1"
    state = kohya(tmp_path / "a.safetensors", name, 2, 32, 64)
    shift, scale = (state[f"{name}.lora_up.weight"] @ state[f"{name}.lora_down.weight"]).chunk(2)
    by_hand, net = network(base), network(base)
    by_hand.norm_out.linear.weight.data += torch.cat([scale, shift]) / 2
    apply_adapters(net, read_adapters([tmp_path / "a.safetensors"]), True)
    torch.testing.assert_close(
        tiny_base.answer(net), tiny_base.answer(by_hand), atol=2e-5, rtol=1e-4
    )


def test_a_text_encoder_s_part_is_left_out_with_a_warning(base, tmp_path, capsys):
    state = kohya(tmp_path / "a.safetensors")
    encoder = "lora_te1_text_model_encoder_layers_0_mlp_fc1"
    text = {key.replace(BLOCK, encoder): value.clone() for key, value in state.items()}
    safetensors_files.save(tmp_path / "both.safetensors", {**state, **text})
    apply_adapters(net := network(base), read_adapters([tmp_path / "both.safetensors"]), True)
    apply_adapters(alone := network(base), read_adapters([tmp_path / "a.safetensors"]), True)
    assert torch.equal(tiny_base.answer(net), tiny_base.answer(alone))
    assert "both.safetensors: also changes the text encoder" in capsys.readouterr().err


def test_what_can_t_be_split_or_has_two_ranks_is_refused():
    name = "lora_unet_double_blocks_0_img_attn_qkv"
    down, up = torch.ones(2, 32), torch.ones(100, 2)
    with pytest.raises(KindredError, match=r"100 rows, but 96 in FLUX\.1 of this width \(32\)"):
        key_conversion.to_diffusers(
            {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}, FLUX1, "x"
        )
    with pytest.raises(KindredError, match="has two ranks at once, 2 and 3"):
        key_conversion.to_diffusers(
            {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": torch.ones(96, 3)},
            FLUX1,
            "x",
        )
