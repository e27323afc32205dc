"""Our sampling loop against diffusers' FluxPipeline on the tiny base, and its parts."""

import math

import numpy as np
import pytest
import tiny_base
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline

from kindred.models.architectures.flux1.facts import FLUX1, mu
from kindred.models.architectures.noise_levels import schedule
from kindred.models.architectures.patches import image_ids, pack, unpack
from kindred.rendering.sampling import denoise, initial_noise

WIDTH, HEIGHT, STEPS, GUIDANCE = 64, 48, 4, 3.5


@pytest.fixture(scope="module")
def pipeline(folder):
    pipeline = FluxPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="module")
def embedded(pipeline):
    text, pooled, _ = pipeline.encode_prompt(
        ["a photo of JRussell", "a woman at the beach"], max_sequence_length=tiny_base.TEXT_TOKENS
    )
    return {"t5": text, "clip": pooled}


def levels(pipeline, steps, tokens):
    return schedule(FLUX1.shift(pipeline.scheduler.config, tokens, steps), steps)


def ours(pipeline, embedded, seeds):
    noise = initial_noise(seeds, 16, HEIGHT // 8, WIDTH // 8)
    times = levels(pipeline, STEPS, HEIGHT * WIDTH // 256)
    latents = denoise(FLUX1.denoiser(pipeline.transformer), noise, embedded, times, GUIDANCE)
    return latents, FLUX1.latent_coding(pipeline.vae).decode(latents)


def test_same_latents_and_pixels_as_flux_pipeline(pipeline, embedded):
    settings = {
        "prompt_embeds": embedded["t5"],
        "pooled_prompt_embeds": embedded["clip"],
        "width": WIDTH,
        "height": HEIGHT,
        "num_inference_steps": STEPS,
        "guidance_scale": GUIDANCE,
    }
    seeds = [7, 8]

    def generators():
        return [torch.Generator("cpu").manual_seed(seed) for seed in seeds]

    with torch.inference_mode():
        theirs = pipeline(**settings, generator=generators(), output_type="latent").images
        pictures = pipeline(**settings, generator=generators(), output_type="np").images
        latents, pixels = ours(pipeline, embedded, seeds)
    torch.testing.assert_close(pack(latents), theirs, atol=1e-5, rtol=1e-5)
    assert np.abs(pixels.numpy() / 255 - pictures).max() <= 1.01 / 255
    assert pictures.std() > 0.01


def test_guidance_and_prompt_matter(pipeline, embedded):
    noise = initial_noise([1, 1], 16, 6, 8)
    times = levels(pipeline, 2, 12)
    with torch.inference_mode():
        low = denoise(FLUX1.denoiser(pipeline.transformer), noise, embedded, times, 1.0)
        high = denoise(FLUX1.denoiser(pipeline.transformer), noise, embedded, times, 8.0)
    assert not torch.allclose(low, high, atol=1e-4)
    assert not torch.allclose(low[0], low[1], atol=1e-4)


def test_noise_follows_from_seed_and_size_alone():
    alone = initial_noise([5], 16, 18, 16)
    among = initial_noise([3, 5, 9], 16, 18, 16)
    assert torch.equal(alone[0], among[1])
    assert not torch.equal(among[0], among[1])
    assert abs(among.mean()) < 0.05 and abs(among.std() - 1) < 0.05


def test_pack_and_unpack_are_inverse_and_flux_pipelines():
    latents = torch.randn(2, 16, 6, 8)
    tokens = pack(latents)
    assert torch.equal(tokens, FluxPipeline._pack_latents(latents, 2, 16, 6, 8))
    assert torch.equal(unpack(tokens, 6, 8), latents)
    theirs = FluxPipeline._prepare_latent_image_ids(1, 3, 4, "cpu", torch.float32)
    assert torch.equal(image_ids(6, 8), theirs)


@pytest.mark.parametrize(("tokens", "wanted"), [(256, 0.5), (4096, 1.15), (72, 0.4688541667)])
def test_shift_is_linear_in_tokens(tokens, wanted):
    assert mu(tokens, {}) == pytest.approx(wanted)


@pytest.mark.parametrize("steps", [1, 3, 8, 28, 50])
@pytest.mark.parametrize("tokens", [12, 144, 256, 1024, 4096, 5000])
def test_noise_levels_are_the_schedulers_to_the_bit(pipeline, steps, tokens):
    scheduler = pipeline.scheduler
    even = torch.linspace(1.0, 1.0 / steps, steps).tolist()
    scheduler.set_timesteps(sigmas=even, mu=mu(tokens, scheduler.config))
    assert levels(pipeline, steps, tokens) == scheduler.sigmas.tolist()


def test_a_scheduler_without_dynamic_shifting_draws_by_its_own_factor():
    config = {"shift": 1.0, "use_dynamic_shifting": False}
    assert schedule(FLUX1.shift(config, 4096, 4), 4) == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert FLUX1.shift(config, 4096, None) == pytest.approx(math.exp(1.15))


@pytest.mark.parametrize("shift", [1.0, 1.15, 3.0, 6.0])
def test_noise_levels_of_a_fixed_shift_are_the_schedulers_to_rounding(shift):
    scheduler = FlowMatchEulerDiscreteScheduler(shift=shift, use_dynamic_shifting=False)
    for steps in (4, 8, 28, 50):
        scheduler.set_timesteps(sigmas=torch.linspace(1.0, 1.0 / steps, steps).tolist())
        found = schedule(FLUX1.shift(scheduler.config, 4096, steps), steps)
        assert found == pytest.approx(scheduler.sigmas.tolist(), rel=0, abs=1.2e-7)


def test_schedule_ends(pipeline):
    times = levels(pipeline, 24, 72)
    assert times[0] == pytest.approx(1.0) and times[-1] == 0.0 and len(times) == 25
    assert times == sorted(times, reverse=True)
