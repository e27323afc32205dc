"""Sampling of FLUX as small pure functions: noise, schedule, denoising, decoding.

Knows how one batch of pictures comes out of a transformer and a VAE; knows nothing of prompts,
adapters, files or where modules live. Method: rectified flow, Euler steps from noise (t = 1) to
picture (t = 0), as in the published FLUX.1 sampling code, written anew here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel

from kindred.models.architectures.flux1.latents import (
    dynamic_shift,
    image_ids,
    pack,
    text_ids,
    unpack,
)


def initial_noise(seeds: Sequence[int], channels: int, height: int, width: int) -> torch.Tensor:
    """Standard normal noise [N, channels, height, width] in float32 on the CPU, `height` and
    `width` in latents.

    Each image's noise follows from its seed and size alone, whatever is drawn beside it.
    """
    generators = (torch.Generator("cpu").manual_seed(seed) for seed in seeds)
    return torch.stack([torch.randn(channels, height, width, generator=g) for g in generators])


def schedule(scheduler: FlowMatchEulerDiscreteScheduler, steps: int, tokens: int) -> list[float]:
    """Times from 1 down to 0, `steps` + 1 of them, shifted as the base's scheduler says.

    Evenly spaced from 1 to 1/steps before the shift, which is FLUX's convention.
    """
    even = torch.linspace(1.0, 1.0 / steps, steps).tolist()
    scheduler.set_timesteps(sigmas=even, mu=dynamic_shift(tokens, scheduler.config))
    return scheduler.sigmas.tolist()


def denoise(
    transformer: FluxTransformer2DModel,
    noise: torch.Tensor,
    text: torch.Tensor,
    pooled: torch.Tensor,
    times: Sequence[float],
    guidance: float,
    after_step: Callable[[], None] = lambda: None,
    network: Callable[..., tuple[torch.Tensor]] | None = None,
) -> torch.Tensor:
    """Latents [N, C, H, W] in float32 from noise of that shape.

    `text` [N, L, D] are T5 states, `pooled` [N, P] the CLIP vector. The network computes in its
    own precision; the sum of the steps is kept in float32. `network`: called in the transformer's
    place (a recording of it).
    """
    device, dtype = transformer.device, transformer.dtype
    count, _, height, width = noise.shape
    tokens = pack(noise).to(device)
    fixed = {
        "encoder_hidden_states": text.to(device, dtype),
        "pooled_projections": pooled.to(device, dtype),
        "txt_ids": text_ids(text.shape[1]).to(device, dtype),
        "img_ids": image_ids(height, width).to(device, dtype),
        "guidance": torch.full((count,), guidance, device=device)
        if transformer.config.guidance_embeds
        else None,
    }
    network = network or partial(transformer, return_dict=False)
    for now, following in pairwise(times):
        time = torch.full((count,), now, device=device, dtype=dtype)
        (velocity,) = network(hidden_states=tokens.to(dtype), timestep=time, **fixed)
        tokens = tokens + (following - now) * velocity.float()
        after_step()
    return unpack(tokens, height, width)


def decode(vae: AutoencoderKL, latents: torch.Tensor) -> torch.Tensor:
    """Pictures as bytes [N, H, W, 3], on the CPU, from latents [N, C, h, w]."""
    scaled = latents / vae.config.scaling_factor + vae.config.shift_factor
    (pictures,) = vae.decode(scaled.to(vae.device, vae.dtype), return_dict=False)
    unit = (pictures.float() / 2 + 0.5).clamp(0, 1)
    return (unit * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu()
