"""Checkpointing of some blocks and offloading of others: equal gradients, absent weights."""

import copy

import pytest
import torch
from diffusers import FluxTransformer2DModel

from kindred.compute import memory_fitting
from kindred.compute.block_offload import Offloader, place, to_offload
from kindred.compute.memory_plan import MemoryPlan
from kindred.models.lora import injection
from kindred.specs.training import Recipe

CPU = torch.device("cpu")
DOUBLE, SINGLE = 2, 4
BLOCKS = DOUBLE + SINGLE


def network(quantization=None, dropout=0.0):
    torch.manual_seed(0)
    net = FluxTransformer2DModel(
        num_layers=DOUBLE,
        num_single_layers=SINGLE,
        attention_head_dim=32,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=24,
        guidance_embeds=True,
        axes_dims_rope=(8, 12, 12),
    )
    if quantization:
        for block in memory_fitting.blocks_of(net):
            quantize(block, quantization)
    net.requires_grad_(False).train()
    parameters = injection.add_lora(net, Recipe(rank=2, lora_dropout=dropout), 0)
    with torch.no_grad():
        for parameter in parameters:
            parameter.normal_(std=0.1)
    return net, parameters


def quantize(module, kind):
    """Put bitsandbytes layers in place of a block's linear layers."""
    bnb = pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed")
    for name, part in list(module.named_children()):
        if not isinstance(part, torch.nn.Linear):
            quantize(part, kind)
            continue
        sizes = part.in_features, part.out_features
        if kind == "int8":
            made = bnb.nn.Linear8bitLt(*sizes, has_fp16_weights=False)
        else:
            nested = kind == "nf4-double"
            made = bnb.nn.Linear4bit(
                *sizes, compute_dtype=torch.float32, compress_statistics=nested, quant_type="nf4"
            )
        made.load_state_dict(part.state_dict())
        setattr(module, name, made.to("cpu"))


def gradients(net, parameters, seed=1):
    """Loss and gradients of one made-up batch."""
    source = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    for parameter in parameters:
        parameter.grad = None
    said = net(
        hidden_states=torch.randn(1, 6, 64, generator=source),
        encoder_hidden_states=torch.randn(1, 5, 32, generator=source),
        pooled_projections=torch.randn(1, 24, generator=source),
        timestep=torch.tensor([0.5]),
        guidance=torch.tensor([3.5]),
        img_ids=torch.zeros(6, 3),
        txt_ids=torch.zeros(5, 3),
        return_dict=False,
    )[0]
    loss = said.square().mean()
    loss.backward()
    return loss.item(), [parameter.grad.clone() for parameter in parameters]


def arranged(net, checkpointed=0, offloaded=(), preserve_rng=True):
    """A Fitting that arranges `net` so, as if a plan had said it."""
    made = object.__new__(memory_fitting.FittedMemory)
    made.device, made.preserve_rng, made.offloader, made.allowed = CPU, preserve_rng, None, 0.0
    made.job = type("Eager", (), {"compiled": False})()
    made.plan = MemoryPlan(1, 1, checkpointed, tuple(offloaded), BLOCKS, 0.0, 1.0)
    made.apply(net)
    return made


def same(first, second):
    assert first[0] == second[0]
    assert all(torch.equal(a, b) for a, b in zip(first[1], second[1], strict=True))


@pytest.mark.parametrize("checkpointed", [1, 3, BLOCKS])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_checkpointing_some_blocks_changes_no_gradient(checkpointed, dropout):
    net, parameters = network(dropout=dropout)
    plain = gradients(net, parameters)
    arranged(net, checkpointed, preserve_rng=bool(dropout))
    same(gradients(net, parameters), plain)


def test_only_the_chosen_blocks_are_computed_anew():
    net, parameters = network()
    arranged(net, 3)
    calls = []
    for index, block in enumerate(memory_fitting.blocks_of(net)):
        block.register_forward_pre_hook(lambda *_, index=index: calls.append(index))
    gradients(net, parameters)
    assert calls == [*range(BLOCKS), 2, 1, 0]


PLACES = [tuple(range(BLOCKS)), (0, 2, 5), (1, 3), (4,)]


@pytest.mark.parametrize("away", PLACES, ids=str)
@pytest.mark.parametrize("quantization", [None, "nf4", "nf4-double", "int8"])
def test_offloading_changes_no_gradient(away, quantization):
    net, parameters = network(quantization)
    plain = [gradients(net, parameters, seed) for seed in (1, 2)]
    arranged(net, BLOCKS, away)
    for seed, expected in zip((1, 2, 1), (*plain, plain[0]), strict=True):
        same(gradients(net, parameters, seed), expected)


def test_offloading_repeats_dropout():
    net, parameters = network(dropout=0.3)
    plain = gradients(net, parameters)
    arranged(net, BLOCKS, range(BLOCKS))
    same(gradients(net, parameters), plain)


def frozen_bytes(block):
    """Bytes of a block's frozen weights that are really there."""
    total = 0
    for parameter in block.parameters():
        if not parameter.requires_grad:
            total += parameter.untyped_storage().nbytes()
            state = getattr(parameter, "quant_state", None)
            total += state.absmax.untyped_storage().nbytes() if state else 0
    for module in block.modules():
        held = getattr(getattr(module, "state", None), "CB", None)
        total += held.untyped_storage().nbytes() if held is not None else 0
    return total


@pytest.mark.parametrize("quantization", [None, "nf4", "int8"])
def test_weights_are_there_for_the_block_in_use_and_the_next_alone(quantization):
    net, parameters = network(quantization)
    blocks = memory_fitting.blocks_of(net)
    full = [frozen_bytes(block) for block in blocks]
    arranged(net, BLOCKS, range(BLOCKS))
    assert [frozen_bytes(block) for block in blocks] == [0] * BLOCKS
    seen = []

    def note(index):
        seen.append([i for i, block in enumerate(blocks) if frozen_bytes(block)])
        assert frozen_bytes(blocks[index]) >= full[index] > 0

    for index, block in enumerate(blocks):
        block.register_forward_pre_hook(lambda *_, index=index: note(index))
    gradients(net, parameters)
    order = [*range(BLOCKS), *reversed(range(BLOCKS))]
    for index, there in zip(order, seen, strict=True):
        assert index in there and len(there) <= 2 and all(abs(i - index) <= 1 for i in there)


def test_copies_are_freed_when_their_block_leaves():
    net, parameters = network("nf4")
    made = arranged(net, BLOCKS, range(BLOCKS))
    copies, fetch = [], made.offloader._fetch

    def watched(index):
        before = index in made.offloader.visits
        fetch(index)
        if not before:
            tensors = made.offloader.visits[index].tensors
            # A weakref to the storage's owner: alive as long as anything, a graph too, holds it.
            copies.append(
                [
                    torch.multiprocessing.reductions.StorageWeakRef(t.untyped_storage())
                    for t in tensors
                ]
            )

    made.offloader._fetch = watched
    most = 0

    def count(*_):
        nonlocal most
        most = max(most, sum(not any(ref.expired() for ref in refs) for refs in copies))

    for block in memory_fitting.blocks_of(net):
        block.register_forward_hook(count)
    gradients(net, parameters)
    assert len(copies) == 2 * BLOCKS - 1 and most == 2


def test_the_block_that_comes_first_next_time_stays():
    net, parameters = network()
    made = arranged(net, BLOCKS, (0, 2, 4))
    gradients(net, parameters)
    assert made.offloader.present() == [0]


def test_the_adapter_is_read_while_weights_are_away():
    net, parameters = network("nf4")
    before = {name: value.clone() for name, value in injection.lora_state(net).items()}
    arranged(net, BLOCKS, range(BLOCKS))
    gradients(net, parameters)
    after = injection.lora_state(net)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_training_steps_keep_what_they_taught():
    nets = [network("nf4") for _ in range(2)]
    arranged(nets[1][0], BLOCKS, range(BLOCKS))
    for net, parameters in nets:
        optimizer = torch.optim.AdamW(parameters, lr=0.1)
        for seed in range(3):
            gradients(net, parameters, seed)
            optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(nets[0][1], nets[1][1], strict=True))


def test_a_block_with_everything_trained_has_nothing_to_offload():
    block = copy.deepcopy(memory_fitting.blocks_of(network()[0])[0]).requires_grad_(True)
    assert Offloader({0: block}, CPU).slots == {0: []}


@pytest.mark.parametrize("quantization", [None, "nf4", "nf4-double", "int8"])
def test_a_network_loaded_at_home_is_sent_to_the_device_whole(quantization, monkeypatch):
    """Without a second device: every tensor must be asked `to` it, be at home or stand in."""
    net, parameters = network(quantization)
    blocks, sent, original = memory_fitting.blocks_of(net), set(), torch.Tensor.to

    def to(self, *args, **kwargs):
        sent.add(self.data_ptr())
        return original(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(torch.Tensor, "to", to)
        made = Offloader({1: blocks[1], 4: blocks[4]}, CPU)
        place(net, made.blocks, CPU)
    assert all(not slot.nothing.numel() for slots in made.slots.values() for slot in slots)
    missed = [t for t in everything(net) if t.numel() and t.data_ptr() not in sent]
    assert not missed
    assert all(a is b for a, b in zip(parameters, trained(net), strict=True))


def trained(net):
    return [parameter for parameter in net.parameters() if parameter.requires_grad]


def everything(net):
    """Every tensor that the network's layers hold, in places that libraries made up too."""
    for module in net.modules():
        yield from module.buffers(recurse=False)
        for parameter in module.parameters(recurse=False):
            yield parameter
            state = getattr(parameter, "quant_state", None)
            for holder in (state, getattr(state, "state2", None), getattr(module, "state", None)):
                held = vars(holder).values() if holder is not None else ()
                yield from (value for value in held if isinstance(value, torch.Tensor))


# With "eager" blocks are traced and not compiled, which is where offloading could be in the way.
@pytest.mark.long  # tracing takes half a minute
@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_compiled_blocks_are_offloaded_too_and_not_compiled_one_by_one(backend):
    net, parameters = network("nf4")
    loss, slopes = gradients(net, parameters)
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    arranged(net, BLOCKS, (0, 1, 3, 5))
    net.compile_repeated_blocks(backend=backend)
    found = gradients(net, parameters)
    assert found[0] == pytest.approx(loss, rel=1e-5)
    for one, other in zip(found[1], slopes, strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-6)
    # Of each kind: with and without gradients, the first block of its kind and the others.
    assert 0 < torch._dynamo.utils.counters["stats"]["unique_graphs"] <= 8
    assert not torch._dynamo.utils.counters["graph_break"]
    torch._dynamo.reset()


def test_as_few_blocks_are_away_as_must():
    sizes = [10] * 20
    assert to_offload(sizes, 0) == to_offload(sizes, -5) == ()
    assert to_offload(sizes, 1) == to_offload(sizes, 10) == (3, 10, 16)  # two of three are there
    assert len(to_offload(sizes, 11)) == 4
    assert to_offload(sizes, 180) == to_offload(sizes, 1000) == tuple(range(20))
    uneven = [30] * 5 + [10] * 15
    away = to_offload(uneven, 100)
    left = sorted((uneven[index] for index in away), reverse=True)
    assert sum(left) - sum(left[:2]) >= 100
