"""The memory model against the real module, against measured peaks, and the plans it comes to."""

from dataclasses import replace

import pytest
import torch
from autograd_bytes import Live, places_of, saved_bytes
from diffusers import FluxTransformer2DModel

from kindred.common.errors import KindredError
from kindred.compute import memory_plan
from kindred.compute.memory_plan import GIB, DrawingDemand, MemoryDemand
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.models.lora import injection
from kindred.models.lora.target_layers import target_layers
from kindred.specs.training import Recipe

FLUX_DEV = {
    "num_layers": 19,
    "num_single_layers": 38,
    "attention_head_dim": 128,
    "num_attention_heads": 24,
    "guidance_embeds": True,
}
SMALL = {
    "num_layers": 1,
    "num_single_layers": 1,
    "attention_head_dim": 128,
    "num_attention_heads": 2,
    "joint_attention_dim": 32,
    "pooled_projection_dim": 24,
    "guidance_embeds": True,
}
IMAGE, TEXT = 512, 128


def job(edge=512, config=FLUX_DEV, targets="attention", **changes):
    shape = FLUX1.layout(config)
    names = target_layers([layer.name for layer in shape.layers], targets, FLUX1)
    settings = {"rank": 4, "batch": 1, "optimizer": "adamw8bit", "quantization": "nf4"}
    tokens = (edge // 16) ** 2
    own = {"image_tokens": tokens, "text_tokens": 512}
    return MemoryDemand(shape, FLUX1.activations, frozenset(names), **own, **settings | changes)


@pytest.mark.parametrize("config", [FLUX_DEV, SMALL, {**SMALL, "guidance_embeds": False}])
def test_layers_are_those_of_the_real_module(config):
    with torch.device("meta"):
        net = FluxTransformer2DModel(**config)
    real = {
        name: (part.in_features, part.out_features)
        for name, part in net.named_modules()
        if isinstance(part, torch.nn.Linear)
    }
    shape = FLUX1.layout(net.config)
    assert {layer.name: (layer.inputs, layer.outputs) for layer in shape.layers} == real
    assert len(shape.layers) == len(real)
    names = [*(f"transformer_blocks.{i}" for i in range(config["num_layers"]))]
    names += [f"single_transformer_blocks.{i}" for i in range(config["num_single_layers"])]
    assert [block.name for block in shape.blocks] == names


def test_a_config_of_something_else_is_refused():
    with pytest.raises(KindredError, match="num_single_layers"):
        FLUX1.layout({"num_layers": 2, "attention_head_dim": 64, "num_attention_heads": 24})


# Peaks on one H200, random weights, rank 4 on q/k/v/out, batch 1:
# GiB, edge in px, quantization, compiled, checkpointed blocks.
MEASURED = [
    (7.0, 512, "nf4", False, 57),
    (9.9, 1024, "nf4", False, 57),
    (6.9, 512, "nf4", True, 57),
    (9.3, 1024, "nf4", True, 57),
    (11.8, 512, "nf4", True, 0),
    (28.0, 1024, "nf4", True, 0),
    (31.0, 512, None, True, 0),
    (44.0, 1024, None, True, 0),
]


@pytest.mark.parametrize(("measured", "edge", "quantization", "compiled", "checkpointed"), MEASURED)
def test_measured_peaks_are_foretold(measured, edge, quantization, compiled, checkpointed):
    asked = job(edge, quantization=quantization, compiled=compiled)
    assert memory_plan.peak(asked, 1, checkpointed) / GIB == pytest.approx(measured, rel=0.15)


def real_block(kind, targets, rank, **more):
    """(block with an adapter, its arguments, tensors that are there anyway: weights, constants)."""
    net = FluxTransformer2DModel(**SMALL)
    net.requires_grad_(False)
    for parameter in net.parameters():
        parameter.data = parameter.data.bfloat16()
    injection.add_lora(net, Recipe(rank=rank, targets=targets, **more), 0)
    width = net.inner_dim
    image, text = (
        torch.randn(1, count, width, dtype=torch.bfloat16, requires_grad=True)
        for count in (IMAGE, TEXT)
    )
    time = torch.randn(1, width, dtype=torch.bfloat16)
    places = net.pos_embed(torch.zeros(IMAGE + TEXT, 3))
    given = [*net.parameters(), time, *places]
    blocks = {"double": net.transformer_blocks, "single": net.single_transformer_blocks}
    return blocks[kind][0], (image, text, time, places, {}), given


ADAPTED = [
    *(
        pytest.param(kind, targets, False, id=f"{kind}-{targets}-eager")
        for kind in ("double", "single")
        for targets in ("attention", "all-linear")
    ),
    *(
        pytest.param(kind, targets, True, id=f"{kind}-{targets}-compiled", marks=pytest.mark.long)
        for kind, targets in (
            ("double", "attention"),
            ("double", "all-linear"),
            ("single", "attention"),
            ("single", "all-linear"),
        )
    ),
]


@pytest.mark.parametrize(("kind", "targets", "compiled"), ADAPTED)
def test_kept_bytes_are_what_autograd_keeps(kind, targets, compiled):
    block, arguments, known = real_block(kind, targets, rank=4)
    called = block
    if compiled:
        torch._dynamo.reset()
        called = torch.compile(block, backend="aot_eager_decomp_partition")
    asked = job(config=SMALL, targets=targets, compiled=compiled)
    asked = replace(asked, image_tokens=IMAGE, text_tokens=TEXT)
    one = next(found for found in asked.shape.blocks if found.kind == kind)
    counted = saved_bytes(called, arguments, known)
    share = FLUX1.activations.kept_share[compiled]
    units = FLUX1.activations.kept[compiled][kind]
    told = asked.kept(one, 1) + (1 - share) * units * asked.inputs(1)
    assert told == pytest.approx(counted, rel=0.02)


@pytest.mark.parametrize("rank", [4, 999], ids=["factored", "whole"])
@pytest.mark.parametrize("kind", ["double", "single"])
@pytest.mark.long
def test_kept_bytes_of_a_lokr_are_what_autograd_keeps(kind, rank):
    lokr = {"adapter_type": "lokr", "lokr_factor": 8}
    block, arguments, known = real_block(kind, "all-linear", rank, **lokr)
    asked = job(config=SMALL, targets="all-linear", compiled=False)
    asked = replace(asked, image_tokens=IMAGE, text_tokens=TEXT, rank=rank)
    asked = replace(asked, lokr=True, lokr_factor=8)
    one = next(found for found in asked.shape.blocks if found.kind == kind)
    share = FLUX1.activations.kept_share[False]
    units = FLUX1.activations.kept[False][kind]
    told = asked.kept(one, 1) + (1 - share) * units * asked.inputs(1)
    assert told == pytest.approx(saved_bytes(block, arguments, known), rel=0.02)


@pytest.mark.parametrize("targets", ["attention", "all-linear"])
@pytest.mark.parametrize("kind", [pytest.param("double", marks=pytest.mark.long), "single"])
def test_working_set_covers_the_real_backward_pass(kind, targets):
    block, arguments, known = real_block(kind, targets, rank=4)
    block(*arguments)[1].float().sum().backward()
    for tensor in (*block.parameters(), *arguments[:2]):
        tensor.grad = None
    with Live(places_of([*known, *arguments[:2]])) as live:
        results = block(*arguments)
        torch.autograd.backward(results, [torch.ones_like(result) for result in results])
    asked = replace(
        job(config=SMALL, targets=targets, quantization=None), image_tokens=IMAGE, text_tokens=TEXT
    )
    one = next(found for found in asked.shape.blocks if found.kind == kind)
    on_cpu = asked.kept(one, 1) + FLUX1.activations.working[kind] * asked.inputs(1)
    assert 0.9 * live.peak < on_cpu + asked.adapter < 1.15 * live.peak
    assert asked.working(one, 1) > FLUX1.activations.working[kind] * asked.inputs(1)


@pytest.mark.parametrize("double", [False, True])
def test_nf4_bytes_are_those_of_bitsandbytes(double):
    bnb = pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed")
    asked = job(config=SMALL, quantization="nf4-double" if double else "nf4")
    layer = next(found for found in asked.shape.layers if found.name.endswith("ff.net.2"))
    real = bnb.nn.Linear4bit(
        layer.inputs,
        layer.outputs,
        compute_dtype=torch.bfloat16,
        compress_statistics=double,
        quant_type="nf4",
    )
    real.bias.data = real.bias.data.bfloat16()
    real.to("cpu")
    state = real.weight.quant_state
    parts = [real.weight, real.bias, state.absmax]
    parts += [state.state2.absmax] if double else []
    assert asked._weight(layer) == sum(part.nbytes for part in parts)


def plan(gib, **changes):
    asked = job(compiled=True, **changes)
    return memory_plan.plan(asked, memory_plan.usable(gib))


def test_less_memory_is_met_step_by_step():
    roomy, twelve, eight, six = (plan(gib) for gib in (24, 12, 8, 6))
    assert (roomy.checkpointed, roomy.offloaded, roomy.time) == (0, (), 1.0)
    assert 0 < twelve.checkpointed < 57 and not twelve.offloaded
    assert eight.checkpointed == six.checkpointed == 57
    assert len(eight.offloaded) < len(six.offloaded) < 57
    times = [found.time for found in (roomy, twelve, eight, six)]
    assert times == sorted(times) and times[3] < 2
    for found, gib in ((twelve, 12), (eight, 8), (six, 6)):
        assert found.peak <= memory_plan.usable(gib)


def test_one_block_fewer_would_not_fit():
    found = plan(12)
    asked = job(compiled=True)
    assert memory_plan.peak(asked, 1, found.checkpointed - 1) > memory_plan.usable(12)


def test_twelve_gib_take_1024_px():
    assert plan(12, edge=1024).peak <= memory_plan.usable(12)


def drawing(edge, images=1):
    return DrawingDemand(images, (edge // 16) ** 2, 512, edge**2)


def test_drawing_on_the_way_is_planned_for():
    """A picture takes room only where it takes more than a step, and then weights leave the card;
    training at 12 GiB draws at 1024 px."""
    assert plan(24, drawing=drawing(1024)).time == 1.0
    drawn = plan(12, drawing=drawing(1024))
    assert drawn.peak <= memory_plan.usable(12)
    assert memory_plan.peak(job(), 1, 57) < memory_plan.peak(job(drawing=drawing(2048)), 1, 57)
    tight = min(gib for gib in (6, 6.5, 7, 7.5, 8, 8.5, 9) if fits(gib, drawing=drawing(1024)))
    assert len(plan(tight, drawing=drawing(1024)).offloaded) > len(plan(tight).offloaded)


def fits(gib, **changes):
    try:
        return bool(plan(gib, **changes))
    except KindredError:
        return False


def test_what_drawing_takes_is_named_where_nothing_fits():
    with pytest.raises(KindredError, match=r"no `samples` \(\d"):
        plan(4, drawing=drawing(1024, images=8))


def test_a_pass_that_draws_takes_no_more_than_is_planned():
    """Counted on the real module: all that is alive at once in a pass without gradients."""
    asked = job(config=SMALL, quantization=None, dtype_bytes=4, drawing=drawing(512))
    net = FluxTransformer2DModel(**SMALL)
    shapes = {
        "hidden_states": (1, 1024, 64),
        "encoder_hidden_states": (1, 512, 32),
        "pooled_projections": (1, 24),
        "timestep": (1,),
        "guidance": (1,),
        "img_ids": (1024, 3),
        "txt_ids": (512, 3),
    }
    given = {name: torch.zeros(shape) for name, shape in shapes.items()}
    with torch.no_grad(), Live(places_of([*net.parameters(), *given.values()])) as live:
        net(**given)
    without_vae = replace(asked, drawing=replace(asked.drawing, pixels=0))
    assert live.peak <= without_vae.drawn


def test_a_batch_is_split_before_weights_leave_the_card():
    found = plan(12, batch=8)
    assert found.micro_batch < 8 and not found.offloaded and found.batch == 8
    assert any("in " in line and "parts" in line for line in found.lines(memory_plan.usable(12)))


def test_splitting_may_be_faster_than_checkpointing_but_costs():
    asked = job(batch=4)
    assert memory_plan.seconds(asked, 1, 0, 0) > memory_plan.seconds(asked, 4, 0, 0)
    assert memory_plan.seconds(asked, 4, 57, 0) > memory_plan.seconds(asked, 4, 56, 0)


def test_offloaded_blocks_lie_evenly_and_two_are_on_the_card():
    assert memory_plan.spread(3, 57) == (9, 28, 47)
    assert memory_plan.spread(57, 57) == tuple(range(57))
    asked = job()
    everything = memory_plan.peak(asked, 1, 57, memory_plan.spread(57, 57))
    away = sum(asked.block_weights) - 2 * max(asked.block_weights)
    assert memory_plan.peak(asked, 1, 57) - everything == pytest.approx(away)


def test_what_does_not_fit_says_by_how_much_and_what_to_change():
    with pytest.raises(KindredError) as error:
        plan(4, edge=1024, quantization=None, rank=64)
    said = str(error.value)
    assert "at least" in said and "GiB more than there is" in said
    assert "nf4" in said and "512 px" in said and "rank: 4" in said
    assert "adamw8bit" not in said
    with pytest.raises(KindredError, match="at least"):
        plan(0.4)


def test_preserving_the_bases_answers_takes_little_memory_and_more_than_twice_the_time():
    plain, more = job(), job(preserves=True)
    added = memory_plan.peak(more, 1, 0) - memory_plan.peak(plain, 1, 0)
    assert 0 < added < 0.1 * GIB
    times = [memory_plan.seconds(one, 1, 0, 0) for one in (more, plain)]
    assert times[0] / times[1] == pytest.approx(6.2 / 2.6)


def test_layers_of_another_rank_take_its_memory():
    plain = job()
    name = "transformer_blocks.3.attn.to_q"
    added = 4 * (8 - 4) * (3072 + 3072) * (2 + memory_plan.STATES["adamw8bit"])
    assert job(ranks={name: 8}).adapter - plain.adapter == pytest.approx(added)
    whole, factored = job(lokr=True, ranks={name: 9999}), job(lokr=True)
    assert whole.adapter > factored.adapter


def test_states_and_averages_take_memory():
    plain = job(optimizer="adamw")
    assert job(optimizer="adamw", ema=True).adapter > plain.adapter > job().adapter
    assert job(optimizer="adamw", dora=True).adapter > plain.adapter
    numbers = sum(
        4 * (layer.inputs + layer.outputs)
        for layer in plain.shape.layers
        if layer.name in plain.adapted
    )
    assert plain.adapter == 4 * 4 * numbers
