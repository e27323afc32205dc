"""Trainings of FLUX.2 klein: the loss of diffusers' script, many in one loop, pictures together."""

import copy
import json

import pytest
import tiny_klein
import torch
import training_set
from diffusers import FlowMatchEulerDiscreteScheduler, Flux2KleinPipeline
from diffusers.models.transformers.transformer_flux2 import (
    Flux2AttnProcessor,
    Flux2ParallelSelfAttnProcessor,
)

import train
import train_batched
from kindred.common import safetensors_files
from kindred.common.files import read_json
from kindred.models.architectures.klein.attention import set_attention
from kindred.models.architectures.klein.batched import KleinBatchedInputs
from kindred.models.architectures.klein.facts import KLEIN, LAYERS
from kindred.models.lora import injection
from kindred.rendering.sampling import initial_noise
from kindred.specs.training import Recipe
from kindred.training.flow_matching import flow_loss

torch.set_num_threads(1)
MEMBERS = {
    "plain": {"steps": 4},
    "uncaptioned": {"run": 1, "caption_dropout": 0.5, "timesteps": "shifted"},
    "attention": {"targets": "attention", "rank": 3},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_klein.build(tmp_path_factory.mktemp("base") / "klein")


@pytest.fixture(scope="module")
def pipeline(folder):
    return Flux2KleinPipeline.from_pretrained(folder)


def with_adapter(network, recipe):
    """An adapter on a network, with effect; its parameters."""
    parameters = injection.add_lora(network, recipe, 0)
    source = torch.Generator().manual_seed(3)
    for parameter in parameters:
        parameter.data = torch.randn(parameter.shape, generator=source) * 0.2
    return parameters


def gradients(loss, parameters):
    """Of a loss, and the loss."""
    loss.backward()
    return [parameter.grad.clone() for parameter in parameters], loss.detach()


def script_loss(pipeline, network, latents, noise, indices, texts):
    """By the formulas of diffusers' train_dreambooth_lora_flux2_klein.py of version 0.42, uniform
    weighting: levels from the scheduler's grid, which a dynamic shift leaves even; tokens, ids and
    the way back as its pipeline has them."""
    scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True)
    times = scheduler.timesteps[indices]
    sigmas = torch.stack([
        scheduler.sigmas[(scheduler.timesteps == time).nonzero().item()] for time in times
    ]).reshape(-1, 1, 1, 1)  # fmt: skip
    noisy = (1.0 - sigmas) * latents + sigmas * noise
    ids = pipeline._prepare_latent_ids(noisy)
    answer = network(
        hidden_states=pipeline._pack_latents(noisy),
        timestep=times / 1000,
        guidance=None,
        encoder_hidden_states=texts,
        txt_ids=pipeline._prepare_text_ids(texts),
        img_ids=ids,
        return_dict=False,
    )[0]
    predicted = pipeline._unpack_latents_with_ids(answer[:, : ids.shape[1]], ids)
    target = noise - latents
    loss = ((predicted.float() - target.float()) ** 2).reshape(len(target), -1).mean(1).mean()
    return loss, sigmas.flatten()


@pytest.mark.parametrize("checkpointed", [False, True])
def test_loss_and_gradients_are_the_scripts(pipeline, checkpointed):
    """The script's own default reads layers 10, 20 and 30; the pipeline, and we, 9, 18 and 27."""
    assert LAYERS == (9, 18, 27)
    with torch.no_grad():
        texts, _ = pipeline.encode_prompt(
            ["a photo of JRussell", "two people"], max_sequence_length=48, device="cpu"
        )
    recipe = Recipe(rank=2, targets=r"(?!norm_out).+")
    plain = copy.deepcopy(pipeline.transformer).requires_grad_(False)
    other = copy.deepcopy(plain)
    latents, noise = (initial_noise(seeds, 16, 4, 6) for seeds in ([1, 2], [3, 4]))
    theirs = with_adapter(plain, recipe)
    loss, sigmas = script_loss(pipeline, plain, latents, noise, [150, 800], texts)
    wanted, their_loss = gradients(loss, theirs)
    ours = with_adapter(other, recipe)
    if checkpointed:
        other.train().enable_gradient_checkpointing()
    text = KLEIN.text.collate([{"qwen3": one} for one in texts])
    loss = flow_loss(KLEIN.denoiser(other), latents, noise, sigmas, text, 1.0)
    found, our_loss = gradients(loss, ours)
    torch.testing.assert_close(our_loss, their_loss, rtol=1e-5, atol=0)
    for one, another in zip(found, wanted, strict=True):
        assert (one - another).norm() < 1e-4 * another.norm()
    assert all(one.abs().max() > 0 for one in wanted)


@pytest.mark.parametrize("cudnn", [False, True])
def test_attention_is_diffusers_own(pipeline, cudnn):
    network = copy.deepcopy(pipeline.transformer)
    assert isinstance(network.transformer_blocks[0].attn.processor, Flux2AttnProcessor)
    single = network.single_transformer_blocks[0].attn.processor
    assert isinstance(single, Flux2ParallelSelfAttnProcessor)
    KLEIN.fast_attention(network, torch.device("cpu"))
    assert network.single_transformer_blocks[0].attn.processor is single, "a CPU keeps its own"
    asked = (initial_noise([1], 16, 4, 6), torch.tensor([0.4]), {"qwen3": torch.randn(1, 9, 96)})
    with torch.no_grad():
        wanted = KLEIN.denoiser(network).velocity(*asked, 1.0)
        set_attention(network, cudnn)
        found = KLEIN.denoiser(network).velocity(*asked, 1.0)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


def test_samples_of_several_sizes_share_a_pass(pipeline):
    plain, network = (copy.deepcopy(pipeline.transformer) for _ in range(2))
    inputs, sizes = KleinBatchedInputs(network), [(4, 6), (6, 4)]
    tables = inputs.tables(sizes, 9, torch.float32)
    tokens, texts = torch.randn(2, 24, 16), {"qwen3": torch.randn(2, 9, 96)}
    sigmas, row = torch.tensor([0.9, 0.2]), {name: one.clone() for name, one in tables.items()}
    with torch.no_grad():
        found = inputs.packed_velocity(tokens, sigmas, texts, torch.ones(2), row)
        for k, size in enumerate(sizes):
            one = slice(k, k + 1)
            text = {"qwen3": texts["qwen3"][one]}
            wanted = KLEIN.denoiser(plain).packed_velocity(
                tokens[one], size, sigmas[one], text, 1.0
            )
            torch.testing.assert_close(found[one], wanted, rtol=1e-5, atol=1e-5)
    inputs.release()
    assert KleinBatchedInputs(network).positions is inputs.positions, "not wrapped twice"


def test_trainings_in_one_loop_end_where_each_ends_alone(folder, tmp_path):
    data = training_set.build(tmp_path / "set", folder, {"J": 2, "A+J": 2})
    jobs = []
    for name, recipe in MEMBERS.items():
        given = data.train_arguments(tmp_path / "together" / name, **({"steps": 3} | recipe))
        named = dict(zip(given[::2], given[1::2], strict=True))
        for key in ("--store", "--checkpoints", "--device", "--threads"):
            del named[key]
        job = {key[2:].replace("-", "_"): value for key, value in named.items()}
        jobs.append(job | {"run": int(job["run"])})
    stores = ["--store", str(tmp_path / "store"), "--checkpoints", str(tmp_path / "work")]
    where = ["--jobs", json.dumps(jobs), "--out", str(tmp_path / "trained.json")]
    train_batched.main([*where, *stores, "--device", "cpu", "--threads", "1"])
    report = read_json(tmp_path / "trained.json")
    assert len(report["trained"]) == len(MEMBERS) and not report["left"] and not report["failed"]
    for name, recipe in MEMBERS.items():
        train.main(data.train_arguments(tmp_path / "alone" / name, **({"steps": 3} | recipe)))
        key = report["trained"][str(tmp_path / "together" / name)]
        other = safetensors_files.load(tmp_path / "store" / key / "lora.safetensors")
        alone = safetensors_files.load(tmp_path / "alone" / name / "lora.safetensors")
        assert alone.keys() == other.keys()
        for tensor, value in alone.items():
            assert (value - other[tensor]).norm() < 1e-4 * value.norm(), (name, tensor)
