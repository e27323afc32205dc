"""Krea 2's blocks as the memory model sees them, against the real module; plans of full size."""

from dataclasses import replace

import pytest
import tiny_krea2
import torch
from autograd_bytes import Live, places_of, saved_bytes
from diffusers import Krea2Transformer2DModel

from kindred.compute import memory_plan
from kindred.compute.memory_fitting import FittedMemory
from kindred.compute.memory_plan import MemoryDemand, MemoryPlan
from kindred.models.architectures.krea2.facts import KREA2
from kindred.models.lora import injection
from kindred.models.lora.target_layers import target_layers
from kindred.specs.training import Recipe
from kindred.training.flow_matching import flow_loss

FULL = {
    "num_layers": 28,
    "attention_head_dim": 128,
    "num_attention_heads": 48,
    "num_key_value_heads": 12,
    "intermediate_size": 16384,
    "num_text_layers": 12,
    "text_hidden_dim": 2560,
}
# A twelfth as wide, in the same proportions, with hardly any text.
SMALL = {
    **FULL,
    "num_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 1,
    "intermediate_size": 1365,
    "text_hidden_dim": 64,
    "text_num_attention_heads": 2,
    "text_num_key_value_heads": 2,
    "text_intermediate_size": 64,
}
IMAGE, TEXT, RANK = 192, 64, 4
TOKENS, WIDTH = IMAGE + TEXT, 512


def demand(config, targets="all-linear", **changes):
    shape = KREA2.layout(config)
    names = target_layers([layer.name for layer in shape.layers], targets, KREA2)
    own = {"rank": 16, "batch": 1, "optimizer": "adamw8bit", "quantization": "nf4"}
    tokens = {"image_tokens": IMAGE, "text_tokens": TEXT}
    return MemoryDemand(shape, KREA2.activations, frozenset(names), **own | tokens | changes)


def real_block(targets, masked=False):
    """(block with an adapter, its arguments, tensors that are there anyway: weights, constants)."""
    network = Krea2Transformer2DModel(**SMALL).requires_grad_(False)
    for name, parameter in network.named_parameters():
        if ".norm" not in name:
            parameter.data = parameter.data.bfloat16()
    injection.add_lora(network, Recipe(rank=RANK, targets=targets), 0)
    rows = torch.randn(1, TOKENS, WIDTH, dtype=torch.bfloat16, requires_grad=True)
    time = torch.randn(1, 1, 6 * WIDTH, dtype=torch.bfloat16)
    turns = torch.randn(TOKENS, 128), torch.randn(TOKENS, 128)
    mask = torch.ones(1, 1, 1, TOKENS, dtype=torch.bool) if masked else None
    given = [*network.parameters(), time, *turns, *([mask] if masked else [])]
    return network.transformer_blocks[0], (rows, time, turns, mask), given


CASES = [("attention", False, False), ("all-linear", False, False), ("all-linear", True, False)]
LONG = [("attention", False, True), ("all-linear", True, True)]


@pytest.mark.parametrize(
    ("targets", "masked", "compiled"),
    [*CASES, *(pytest.param(*case, marks=pytest.mark.long) for case in LONG)],
)
def test_kept_bytes_are_what_autograd_keeps(targets, masked, compiled):
    block, arguments, known = real_block(targets, masked)
    called = block
    if compiled:
        torch._dynamo.reset()
        called = torch.compile(block, backend="aot_eager_decomp_partition")
    asked = demand(SMALL, targets, rank=RANK, compiled=compiled)
    counted = saved_bytes(called, arguments, known)
    assert asked.kept(asked.shape.blocks[0], 1) == pytest.approx(counted, rel=0.02)


@pytest.mark.long
def test_working_set_covers_the_real_backward_pass():
    block, arguments, known = real_block("all-linear")
    block(*arguments).float().sum().backward()
    for tensor in (*block.parameters(), arguments[0]):
        tensor.grad = None
    with Live(places_of([*known, arguments[0]])) as live:
        result = block(*arguments)
        torch.autograd.backward([result], [torch.ones_like(result)])
    asked = demand(SMALL, rank=RANK, quantization=None)
    one = asked.shape.blocks[0]
    on_cpu = asked.kept(one, 1) + KREA2.activations.working["joint"] * asked.inputs(1)
    assert 0.9 * live.peak < on_cpu + asked.adapter < 1.15 * live.peak


def test_layers_of_full_size_are_those_of_the_real_module():
    with torch.device("meta"):
        network = Krea2Transformer2DModel()
    assert FULL.items() <= dict(network.config).items()
    linear = {n: p for n, p in network.named_modules() if isinstance(p, torch.nn.Linear)}
    real = {name: (part.in_features, part.out_features) for name, part in linear.items()}
    assert KREA2.layout(network.config).sizes == KREA2.layout(FULL).sizes == real


@pytest.mark.parametrize("text", [64, 512])
@pytest.mark.parametrize("edge", [512, 1024])
@pytest.mark.parametrize("gib", [8, 12])
def test_trainings_of_full_size_are_planned_into_small_cards(gib, edge, text):
    asked = demand(FULL, image_tokens=(edge // 16) ** 2, text_tokens=text, compiled=True)
    allowed = memory_plan.usable(gib)
    found = memory_plan.plan(asked, allowed)
    assert found.peak <= allowed and found.time < 3
    assert bool(found.offloaded) == (gib == 8 or edge == 1024)
    if (gib, edge) != (8, 1024):  # there blocks have to be compiled
        assert memory_plan.plan(replace(asked, compiled=False), allowed).peak <= allowed


def gradients(network, parameters):
    """Loss and gradients of one made-up batch, its texts of unequal length."""
    source = torch.Generator().manual_seed(1)
    for parameter in parameters:
        parameter.grad = None
    texts = [{"qwen3vl": torch.randn(rows, 12, 32, generator=source)} for rows in (5, 9)]
    noise = torch.randn(2, 4, 6, 8, generator=source)
    inputs = noise, noise.flip(0), torch.tensor([0.9, 0.2]), KREA2.text.collate(texts)
    loss = flow_loss(KREA2.denoiser(network), *inputs, 1.0)
    loss.backward()
    return loss.item(), [parameter.grad.clone() for parameter in parameters]


@pytest.mark.parametrize(("checkpointed", "away"), [(1, ()), (2, ()), (2, (1,)), (2, (0, 1))])
def test_checkpointing_and_offloading_change_no_gradient(checkpointed, away):
    torch.manual_seed(0)
    network = tiny_krea2.transformer().requires_grad_(False).train()
    parameters = injection.add_lora(network, Recipe(rank=2, targets="all-linear"), 0)
    with torch.no_grad():
        for parameter in parameters:
            parameter.normal_(std=0.1)
    loss, plain = gradients(network, parameters)
    fitted = object.__new__(FittedMemory)
    fitted.device, fitted.preserve_rng, fitted.offloader = torch.device("cpu"), False, None
    fitted.job = type("Eager", (), {"compiled": False})()
    fitted.plan = MemoryPlan(2, 2, checkpointed, away, 2, 0.0, 1.0)
    fitted.apply(network)
    again, found = gradients(network, parameters)
    assert again == loss
    assert all(torch.equal(one, other) for one, other in zip(found, plain, strict=True))
