"""FLUX.2 klein's blocks as the memory model sees them, against the real module; full-size plans."""

from dataclasses import replace

import pytest
import torch
from autograd_bytes import Live, places_of, saved_bytes
from diffusers import Flux2Transformer2DModel

from kindred.compute import memory_plan
from kindred.compute.memory_plan import STATES, MemoryDemand
from kindred.models.architectures.klein.facts import KLEIN
from kindred.models.lora import injection
from kindred.models.lora.target_layers import target_layers
from kindred.specs.training import Recipe

# transformer/config.json of the base models.
SHARED = {
    "patch_size": 1,
    "in_channels": 128,
    "out_channels": None,
    "attention_head_dim": 128,
    "timestep_guidance_channels": 256,
    "mlp_ratio": 3.0,
    "axes_dims_rope": [32, 32, 32, 32],
    "rope_theta": 2000,
    "eps": 1e-06,
    "guidance_embeds": False,
}
B4 = {"num_layers": 5, "num_single_layers": 20, "num_attention_heads": 24}
B4 = {**SHARED, **B4, "joint_attention_dim": 7680}
B9 = {"num_layers": 8, "num_single_layers": 24, "num_attention_heads": 32}
B9 = {**SHARED, **B9, "joint_attention_dim": 12288}
SMALL = {**SHARED, "num_layers": 1, "num_single_layers": 1, "num_attention_heads": 3}
SMALL["joint_attention_dim"] = 768
IMAGE, TEXT, RANK = 192, 64, 4


def demand(config, targets="all-linear", **changes):
    shape = KLEIN.layout(config)
    names = target_layers([layer.name for layer in shape.layers], targets, KLEIN)
    own = {"rank": 16, "batch": 1, "optimizer": "adamw8bit", "quantization": "nf4"}
    tokens = {"image_tokens": IMAGE, "text_tokens": TEXT}
    return MemoryDemand(shape, KLEIN.activations, frozenset(names), **own | tokens | changes)


def real_block(kind, targets):
    """(block with an adapter, its arguments, tensors that are there anyway: weights, constants)."""
    network = Flux2Transformer2DModel(**SMALL).requires_grad_(False)
    for parameter in network.parameters():
        parameter.data = parameter.data.bfloat16()
    injection.add_lora(network, Recipe(rank=RANK, targets=targets), 0)
    width = network.inner_dim
    counts = (IMAGE, TEXT) if kind == "double" else (IMAGE + TEXT,)
    rows = [
        torch.randn(1, count, width, dtype=torch.bfloat16, requires_grad=True) for count in counts
    ]
    image, text, joint = (torch.randn(1, n * width, dtype=torch.bfloat16) for n in (6, 6, 3))
    places = network.pos_embed(torch.zeros(IMAGE + TEXT, 4))
    known = [*network.parameters(), image, text, joint, *places]
    if kind == "double":
        return network.transformer_blocks[0], (*rows, image, text, places, None), known
    return network.single_transformer_blocks[0], (*rows, None, joint, places, None), known


def shape_of(asked, kind):
    return next(block for block in asked.shape.blocks if block.kind == kind)


@pytest.mark.parametrize(
    ("config", "billions", "attention", "everything", "millions"),
    [(B4, 3.876, 80, 100, 24.1), (B9, 9.079, 112, 144, 43.5)],
    ids=["4B", "9B"],
)
def test_layers_of_full_size_are_those_of_the_real_module(
    config, billions, attention, everything, millions
):
    with torch.device("meta"):
        network = Flux2Transformer2DModel(**config)
    linear = {n: p for n, p in network.named_modules() if isinstance(p, torch.nn.Linear)}
    real = {name: (part.in_features, part.out_features) for name, part in linear.items()}
    layout = KLEIN.layout(dict(network.config))
    assert layout.sizes == real
    assert sum(one.numel() for one in network.parameters()) / 1e9 == pytest.approx(billions, 1e-3)
    counted = {name: target_layers(real, name, KLEIN) for name in KLEIN.lora_targets}
    assert {name: len(found) for name, found in counted.items()} == {
        "attention": attention,
        "all-linear": everything,
    }
    learned = sum(16 * sum(real[name]) for name in counted["all-linear"])
    assert learned / 1e6 == pytest.approx(millions, abs=0.1)


LONG = pytest.mark.long


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=LONG)])
@pytest.mark.parametrize("targets", ["attention", "all-linear"])
@pytest.mark.parametrize("kind", ["double", "single"])
def test_kept_bytes_are_what_autograd_keeps(kind, targets, compiled):
    block, arguments, known = real_block(kind, targets)
    called = block
    if compiled:
        torch._dynamo.reset()
        called = torch.compile(block, backend="aot_eager_decomp_partition")
    asked = demand(SMALL, targets, rank=RANK, compiled=compiled)
    counted = saved_bytes(called, arguments, known)
    assert asked.kept(shape_of(asked, kind), 1) == pytest.approx(counted, rel=0.02)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["double", "single"])
def test_working_set_covers_the_real_backward_pass(kind):
    block, arguments, known = real_block(kind, "all-linear")
    tensors = [one for one in arguments if isinstance(one, torch.Tensor)]

    def passes():
        found = block(*arguments)
        found = found if isinstance(found, tuple) else (found,)
        torch.autograd.backward(found, [torch.ones_like(one) for one in found])

    passes()
    for tensor in (*block.parameters(), *tensors):
        tensor.grad = None
    with Live(places_of([*known, *tensors])) as live:
        passes()
    asked = demand(SMALL, rank=RANK, quantization=None)
    gradients = asked.adapter / (2 + STATES[asked.optimizer])
    one = shape_of(asked, kind)
    on_cpu = asked.kept(one, 1) + KLEIN.activations.working[kind] * asked.inputs(1)
    if kind == "double":  # the adapter of one block alone is there
        gradients *= sum(sum(asked.shape.sizes[layer.name]) for layer in one.layers) / sum(
            sum(asked.shape.sizes[name]) for name in asked.adapted
        )
    assert 0.9 * live.peak < on_cpu + gradients < 1.15 * live.peak


@pytest.mark.parametrize("edge", [512, 1024])
@pytest.mark.parametrize(
    ("config", "gib"),
    [(B4, 6), (B4, 8), (B4, 12), (B9, 8), (B9, 12)],
    ids=["4B-6", "4B-8", "4B-12", "9B-8", "9B-12"],
)
def test_trainings_of_full_size_are_planned_into_small_cards(config, gib, edge):
    tokens = {"image_tokens": (edge // 16) ** 2, "text_tokens": 512}
    asked = demand(config, compiled=True, **tokens)
    allowed = memory_plan.usable(gib)
    found = memory_plan.plan(asked, allowed)
    assert found.peak <= allowed and found.time < 2.5
    eager = memory_plan.plan(replace(asked, compiled=False), allowed)
    assert eager.peak <= allowed
    if (config, edge) == (B4, 512):
        least = memory_plan.plan(asked, memory_plan.usable(5.3))
        assert least.peak <= memory_plan.usable(5.3)
