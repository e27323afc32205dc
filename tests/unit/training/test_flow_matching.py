"""Flow matching against the scheduler's and the pipeline's own conventions."""

import math

import pytest
import torch
from diffusers import FluxPipeline, FluxTransformer2DModel, training_utils

from kindred.models.architectures.flux1.facts import FLUX1
from kindred.specs.training import Recipe
from kindred.training import flow_matching

SCHEDULER = {"base_shift": 0.5, "max_shift": 1.15, "base_image_seq_len": 256}


def sigmas(count=20000, tokens=256, **recipe):
    source = torch.Generator().manual_seed(0)
    shift = FLUX1.shift(SCHEDULER, tokens, None)
    return flow_matching.sample_sigmas(count, Recipe(**recipe), shift, source)


def test_uniform_is_uniform():
    found = sigmas(timesteps="uniform")
    quarters = torch.histc(found, 4, 0, 1) / len(found)
    assert torch.allclose(quarters, torch.full((4,), 0.25), atol=0.02)


def test_sigmoid_is_logit_normal_by_default_and_its_parameters_count():
    assert torch.equal(sigmas(timesteps="sigmoid"), sigmas(timesteps="logit-normal"))
    moved = torch.logit(sigmas(timesteps="logit-normal", logit_mean=0.7, logit_std=0.5))
    assert moved.mean().item() == pytest.approx(0.7, abs=0.02)
    assert moved.std().item() == pytest.approx(0.5, abs=0.02)


def test_shifted_uses_the_schedulers_shift_unless_told():
    plain = torch.logit(sigmas(timesteps="sigmoid"))
    assert torch.allclose(torch.logit(sigmas(timesteps="shifted")), plain + 0.5, atol=1e-3)
    large = torch.logit(sigmas(timesteps="shifted", tokens=4096))
    assert torch.allclose(large, plain + 1.15, atol=1e-3)
    told = torch.logit(sigmas(timesteps="shifted", shift=3.0))
    assert torch.allclose(told, plain + math.log(3), atol=1e-3)


def test_mode_prefers_the_middle_or_the_ends_and_is_diffusers_formula():
    def share_in_the_middle(**recipe):
        found = sigmas(timesteps="mode", **recipe)
        return ((found > 0.4) & (found < 0.6)).float().mean().item()

    assert share_in_the_middle() > 0.3 and share_in_the_middle(mode_scale=-1) < 0.15
    assert share_in_the_middle(mode_scale=0) == pytest.approx(0.2, abs=0.01)
    source = torch.Generator().manual_seed(0)
    theirs = training_utils.compute_density_for_timestep_sampling(
        "mode", 20000, mode_scale=1.29, generator=source
    )
    assert torch.allclose(sigmas(timesteps="mode"), theirs)


@pytest.mark.parametrize("kind", ["uniform", "sigmoid", "shifted", "mode"])
def test_a_range_scales_all_levels_and_the_whole_one_changes_none(kind):
    plain = sigmas(timesteps=kind)
    found = sigmas(timesteps=kind, min_timestep=200, max_timestep=700)
    assert torch.allclose(found, 0.2 + 0.5 * plain)
    assert torch.equal(sigmas(timesteps=kind, min_timestep=0, max_timestep=1000), plain)


@pytest.mark.parametrize("scheme", ["none", "cosmap", "sigma_sqrt"])
def test_weights_of_levels_are_diffusers(scheme):
    levels = torch.tensor([0.1, 0.5, 0.9])
    theirs = training_utils.compute_loss_weighting_for_sd3(scheme, levels)
    assert torch.allclose(flow_matching.loss_weights(levels, scheme), theirs)


@pytest.mark.parametrize("kind", ["uniform", "logit-normal", "sigmoid", "shifted", "mode"])
def test_levels_lie_in_the_unit_interval(kind):
    found = sigmas(timesteps=kind)
    assert found.min() >= 0 and found.max() <= 1


def test_ends_of_the_path():
    latents, noise = torch.randn(2, 16, 4, 4), torch.randn(2, 16, 4, 4)
    mixed = flow_matching.add_noise(latents, noise, torch.tensor([0.0, 1.0]))
    assert torch.equal(mixed[0], latents[0]) and torch.equal(mixed[1], noise[1])


class Oracle(torch.nn.Module):
    """A network that knows the answer, and what it was called with."""

    dtype = torch.float32

    def __init__(self, answer):
        super().__init__()
        self.answer = answer
        self.config = type("Config", (), {"guidance_embeds": True})()

    def forward(self, **called):
        self.called = called
        return (self.answer,)


def test_target_is_noise_minus_latent_in_the_pipelines_packing():
    latents, noise = torch.randn(2, 16, 4, 6), torch.randn(2, 16, 4, 6)
    answer = FluxPipeline._pack_latents(noise - latents, 2, 16, 4, 6)
    oracle = Oracle(answer)
    text = {"t5": torch.randn(2, 7, 32), "clip": torch.randn(2, 24)}
    denoiser, levels = FLUX1.denoiser(oracle), torch.tensor([0.3, 0.9])
    assert flow_matching.flow_loss(denoiser, latents, noise, levels, text, 1.0).item() == 0
    ids = FluxPipeline._prepare_latent_image_ids(2, 2, 3, "cpu", torch.float32)
    assert torch.equal(oracle.called["img_ids"], ids)
    assert torch.equal(oracle.called["txt_ids"], torch.zeros(7, 3))
    assert torch.equal(oracle.called["timestep"], levels)
    assert oracle.called["guidance"].tolist() == [1.0, 1.0]


def test_loss_of_the_real_network_equals_one_written_by_hand(base):
    network = FluxTransformer2DModel.from_pretrained(base, subfolder="transformer")
    latents, noise = torch.randn(2, 16, 4, 6), torch.randn(2, 16, 4, 6)
    states, pooled, levels = torch.randn(2, 7, 32), torch.randn(2, 24), torch.tensor([0.2, 0.7])
    text, denoiser = {"t5": states, "clip": pooled}, FLUX1.denoiser(network)
    with torch.no_grad():
        loss = flow_matching.flow_loss(denoiser, latents, noise, levels, text, 3.5)
        total = 0.0
        for one in range(2):
            noisy = (1 - levels[one]) * latents[one] + levels[one] * noise[one]
            predicted = network(
                hidden_states=FluxPipeline._pack_latents(noisy[None], 1, 16, 4, 6),
                encoder_hidden_states=states[one : one + 1],
                pooled_projections=pooled[one : one + 1],
                timestep=levels[one : one + 1],
                guidance=torch.tensor([3.5]),
                img_ids=FluxPipeline._prepare_latent_image_ids(1, 2, 3, "cpu", torch.float32),
                txt_ids=torch.zeros(7, 3),
            ).sample
            velocity = FluxPipeline._unpack_latents(predicted, 32, 48, 8)[0]
            total += ((velocity - (noise[one] - latents[one])) ** 2).mean().item() / 2
    assert loss.item() == pytest.approx(total, rel=1e-5)
