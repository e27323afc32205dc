"""Z-Image's blocks as the memory model sees them, against the real module; plans of full size."""

from dataclasses import replace

import pytest
import torch
from autograd_bytes import Live, places_of, saved_bytes
from diffusers import ZImageTransformer2DModel

from kindred.compute import memory_plan
from kindred.compute.memory_plan import MemoryDemand
from kindred.models.architectures.z_image.facts import Z_IMAGE
from kindred.models.lora import injection
from kindred.models.lora.target_layers import target_layers
from kindred.specs.training import Recipe

FULL = {
    "in_channels": 16,
    "dim": 3840,
    "n_layers": 30,
    "n_refiner_layers": 2,
    "n_heads": 30,
    "n_kv_heads": 30,
    "cap_feat_dim": 2560,
}
# Heads as wide as the real ones.
SMALL = {**FULL, "dim": 384, "n_layers": 1, "n_refiner_layers": 1, "n_heads": 3, "n_kv_heads": 3}
IMAGE, TEXT, RANK = 192, 64, 4
TOKENS = {"noise": IMAGE, "context": TEXT, "joint": IMAGE + TEXT}


def demand(config, targets="all-linear", **changes):
    shape = Z_IMAGE.layout(config)
    names = target_layers([layer.name for layer in shape.layers], targets, Z_IMAGE)
    own = {"rank": 16, "batch": 1, "optimizer": "adamw8bit", "quantization": "nf4"}
    tokens = {"image_tokens": IMAGE, "text_tokens": TEXT}
    units = Z_IMAGE.activations
    return MemoryDemand(shape, units, frozenset(names), **own | tokens | changes)


def real_block(kind, targets):
    """(block with an adapter, its arguments, tensors that are there anyway: weights, constants)."""
    network = ZImageTransformer2DModel(**SMALL).requires_grad_(False)
    for parameter in network.parameters():
        parameter.data = parameter.data.bfloat16()
    injection.add_lora(network, Recipe(rank=RANK, targets=targets), 0)
    Z_IMAGE.denoiser(network)
    rows = torch.randn(1, TOKENS[kind], SMALL["dim"], dtype=torch.bfloat16, requires_grad=True)
    turns = torch.randn(1, TOKENS[kind], 64, 2)
    time = torch.randn(1, 256, dtype=torch.bfloat16)
    blocks = {
        "noise": network.noise_refiner,
        "context": network.context_refiner,
        "joint": network.layers,
    }
    given = [*network.parameters(), turns, time]
    return blocks[kind][0], (rows, None, turns, time), given


def shape_of(asked, kind):
    return next(block for block in asked.shape.blocks if block.kind == kind)


def test_layers_of_full_size_are_those_of_the_real_module():
    with torch.device("meta"):
        network = ZImageTransformer2DModel()
    assert FULL.items() <= dict(network.config).items()
    linear = {n: p for n, p in network.named_modules() if isinstance(p, torch.nn.Linear)}
    real = {name: (part.in_features, part.out_features) for name, part in linear.items()}
    assert Z_IMAGE.layout(network.config).sizes == real
    counted = {name: len(target_layers(real, name, Z_IMAGE)) for name in Z_IMAGE.lora_targets}
    assert counted == {"attention": 120, "all-linear": 210}


CASES = [("joint", "all-linear", False), ("context", "all-linear", False)]
LONG = [("joint", "attention", False), ("noise", "all-linear", False)]
LONG += [("joint", "attention", True), ("joint", "all-linear", True), ("noise", "attention", True)]


@pytest.mark.parametrize(
    ("kind", "targets", "compiled"),
    [*CASES, *(pytest.param(*case, marks=pytest.mark.long) for case in LONG)],
)
def test_kept_bytes_are_what_autograd_keeps(kind, targets, compiled):
    block, arguments, known = real_block(kind, targets)
    called = block
    if compiled:
        torch._dynamo.reset()
        called = torch.compile(block, backend="aot_eager_decomp_partition")
    asked = demand(SMALL, targets, rank=RANK, compiled=compiled)
    counted = saved_bytes(called, arguments, known) * sum((IMAGE, TEXT)) / TOKENS[kind]
    assert asked.kept(shape_of(asked, kind), 1) == pytest.approx(counted, rel=0.02)


@pytest.mark.long
def test_working_set_covers_the_real_backward_pass():
    block, arguments, known = real_block("joint", "all-linear")
    block(*arguments).float().sum().backward()
    for tensor in (*block.parameters(), arguments[0]):
        tensor.grad = None
    with Live(places_of([*known, arguments[0]])) as live:
        result = block(*arguments)
        torch.autograd.backward([result], [torch.ones_like(result)])
    asked = demand(SMALL, rank=RANK, quantization=None)
    one = shape_of(asked, "joint")
    on_cpu = asked.kept(one, 1) + Z_IMAGE.activations.working["joint"] * asked.inputs(1)
    assert 0.9 * live.peak < on_cpu + asked.adapter < 1.15 * live.peak


@pytest.mark.parametrize("edge", [512, 1024])
@pytest.mark.parametrize("gib", [8, 12])
def test_trainings_of_full_size_are_planned_into_small_cards(edge, gib):
    asked = demand(FULL, image_tokens=(edge // 16) ** 2, compiled=True)
    allowed = memory_plan.usable(gib)
    found = memory_plan.plan(asked, allowed)
    assert found.peak <= allowed and found.time < 2
    eager = memory_plan.plan(replace(asked, compiled=False), allowed)
    assert eager.peak <= allowed
