"""One model over several GPUs: which block goes where, and equal gradients when it does."""

import fake_gpu
import pytest
import tiny_base
import torch
from accelerate import dispatch_model
from accelerate.big_modeling import check_device_map
from diffusers import FluxTransformer2DModel

from kindred.benchmarking import random_weights
from kindred.compute import device_map as splitting
from kindred.compute.device_map import device_map
from kindred.compute.devices import Split
from kindred.models import loading
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.models.lora import injection
from kindred.models.opened_base import open_base
from kindred.rendering import pipeline, precision
from kindred.specs.base_model import Base
from kindred.specs.rendering import PromptSet, RenderSpec
from kindred.specs.training import Recipe


@pytest.fixture(scope="module")
def folder(tiny_folder):
    return tiny_folder


@pytest.fixture(scope="module")
def full():
    with torch.device("meta"):
        return FluxTransformer2DModel(**random_weights.SHAPES["flux-dev"].network)


def weights_on(net, places, device):
    parts = [net.get_submodule(name) for name, place in places.items() if place == device]
    return sum(p.numel() for part in parts for p in part.parameters())


@pytest.mark.parametrize("memory", [[16, 16], [12, 24], [24, 8], [8, 16, 8]])
def test_blocks_are_spread_in_proportion_to_memory(full, memory):
    places = device_map(FLUX1.layout(full.config), memory, range(len(memory)))
    check_device_map(full, places)  # every part has a place
    total = sum(p.numel() for p in full.parameters())
    for device, size in enumerate(memory):
        share = weights_on(full, places, device) / total
        assert share == pytest.approx(size / sum(memory), abs=0.03)


def test_blocks_stay_in_their_order(full):
    places = device_map(FLUX1.layout(full.config), [10, 20, 30], [0, 1, 2])
    order = [name for name in places if "blocks" in name]
    assert [places[name] for name in order] == sorted(places[name] for name in order)
    assert len(order) == 57 and places["x_embedder"] == 0 and places["proj_out"] == 2


def test_bfloat16_flux_fits_two_cards_of_16_gib(full):
    places = device_map(FLUX1.layout(full.config), [16, 16], [0, 1])
    assert max(2 * weights_on(full, places, device) for device in (0, 1)) < 12 * 2**30


def gradients(net):
    parameters = injection.add_lora(net, Recipe(rank=2, targets="all-linear"), 1)
    for parameter in parameters:  # B starts at zero, and A would have no gradient
        torch.nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(0))
    source = torch.Generator().manual_seed(1)
    net.train()
    net(
        hidden_states=torch.randn(1, 6, 64, generator=source),
        encoder_hidden_states=torch.randn(1, 5, 32, generator=source),
        pooled_projections=torch.randn(1, 24, generator=source),
        timestep=torch.tensor([0.5]),
        guidance=torch.tensor([3.5]),
        img_ids=torch.zeros(6, 3),
        txt_ids=torch.zeros(5, 3),
    ).sample.square().mean().backward()
    return [p.grad for p in parameters if p.grad is not None]


# One processor twice: hooks hand tensors over as between two GPUs.
PAIR = [torch.device("cpu")] * 2


@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_split_model_has_the_same_gradients(folder, checkpointing):
    base = Base(model=str(folder), dtype="float32")
    whole = loading.load_transformer(base, "cpu")
    split = loading.load_transformer(base, "cpu")
    dispatch_model(split, device_map(FLUX1.layout(split.config), [1, 1], PAIR), force_hooks=True)
    assert hasattr(split.single_transformer_blocks[1], "_hf_hook")
    if checkpointing:
        split.enable_gradient_checkpointing()
    expected, found = gradients(whole), gradients(split)
    assert len(expected) == len(found) > 20
    assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))


def test_a_split_base_is_loaded_in_its_parts_and_draws_the_same(folder):
    base = Base(model=str(folder), dtype="float32")
    prompt_set = PromptSet(prompts={"a": "x"}, seeds=[1], width=32, height=32)
    spec = RenderSpec(base=base, prompt_set=prompt_set, name="p")
    places = device_map(open_base(base).layout, [1, 2], PAIR)
    net = precision.load(spec, [], "cpu", places)
    assert set(net.hf_device_map) >= {"x_embedder", "transformer_blocks.0", "proj_out"}
    assert not any(p.requires_grad for p in net.parameters())
    assert torch.equal(
        tiny_base.answer(net), tiny_base.answer(loading.load_transformer(base, "cpu"))
    )


def test_the_roomiest_gpu(monkeypatch):
    assert pipeline.roomiest({"": "cpu"}) == torch.device("cpu")
    gpu = fake_gpu.put_in(monkeypatch, total=16, count=3)
    free = [3, 9, 5]
    monkeypatch.setattr(
        torch.cuda, "mem_get_info", lambda i: (free[getattr(i, "index", i)] * 2**30, 2**34)
    )
    assert pipeline.roomiest({"x": "cuda:0", "y": "cuda:1"}) == torch.device("cuda", 1)
    assert splitting.free_memory(Split()) == [3, 9, 5]
    assert splitting.free_memory(Split((1, 2, 3))) == [1, 2, 3]
    gpu.capped = [7 / 16]
    assert splitting.free_memory(Split()) == [3, 7, 5]


def test_training_of_a_split_model(folder, tmp_path, monkeypatch):
    """By the program itself, with one processor in the place of two GPUs."""
    import shutil

    import training_set

    import train
    from kindred.common import safetensors_files
    from kindred.compute import devices

    data = training_set.build(tmp_path / "set", folder, {"J": 2})
    train.main(data.train_arguments(tmp_path / "whole"))
    shutil.rmtree(data.root / "store")
    asked = []

    def over(base, split):
        asked.append(split)
        return device_map(base.layout, split.sizes, PAIR)

    monkeypatch.setattr(splitting, "over_gpus", over)
    monkeypatch.setattr(devices, "acquire_device", lambda *_, split: asked.append(split) or "cuda")
    monkeypatch.setattr(devices, "prepare", lambda *_: torch.device("cpu"))
    train.main([*data.train_arguments(tmp_path / "split"), "--device-map", "12,24"])
    assert asked == [Split((12, 24))] * 2
    whole, split = (
        safetensors_files.load(tmp_path / n / "lora.safetensors") for n in ("whole", "split")
    )
    assert whole.keys() == split.keys()
    assert all(torch.equal(value, split[name]) for name, value in whole.items())
