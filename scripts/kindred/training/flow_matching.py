"""Flow matching as FLUX is trained: noise levels, noisy latents, the target, the network call.

sigma is the share of noise: 0 is the picture, 1 is noise, x = (1 - sigma) latent + sigma noise,
and the network says noise - latent (Liu et al. 2022, arXiv 2209.03003; Lipman et al. 2022,
arXiv 2210.02747). Knows nothing of LoRA or of where latents come from.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import torch

from kindred.models.architectures.flux1.latents import dynamic_shift, image_ids, pack, text_ids
from kindred.specs.training import Recipe


def sample_sigmas(
    count: int, recipe: Recipe, tokens: int, scheduler: Any, source: torch.Generator
) -> torch.Tensor:
    """[count] noise levels in (0, 1), float32.

    uniform: as the first rectified flows. logit-normal: sigmoid of a normal number (Esser et al.
    2024, arXiv 2403.03206, section 3.1). sigmoid: the same with mean 0 and deviation 1, under the
    name it has in other trainers. shifted: sigmoid, then moved towards noise by `shift`, or by
    what the scheduler uses for this number of image tokens.
    """
    if recipe.timesteps == "uniform":
        return torch.rand(count, generator=source)
    normal = torch.randn(count, generator=source)
    if recipe.timesteps == "logit-normal":
        normal = recipe.logit_mean + recipe.logit_std * normal
    sigmas = torch.sigmoid(normal)
    if recipe.timesteps == "shifted":
        shift = recipe.shift or math.exp(dynamic_shift(tokens, scheduler))
        sigmas = shift_sigmas(sigmas, shift)
    return sigmas


def shift_sigmas(sigmas: torch.Tensor, shift: float) -> torch.Tensor:
    """sigma' = s sigma / (1 + (s - 1) sigma): equal signal-to-noise at another resolution
    (arXiv 2403.03206, equation 23)."""
    return shift * sigmas / (1 + (shift - 1) * sigmas)


def add_noise(latents: torch.Tensor, noise: torch.Tensor, sigmas: torch.Tensor) -> torch.Tensor:
    """(1 - sigma) latents + sigma noise, all [B, ...], sigmas [B]."""
    share = sigmas.reshape(-1, *[1] * (latents.ndim - 1))
    return (1 - share) * latents + share * noise


def flow_loss(
    transformer: Any,
    latents: torch.Tensor,
    noise: torch.Tensor,
    sigmas: torch.Tensor,
    states: torch.Tensor,
    pooled: torch.Tensor,
    guidance: float,
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Mean squared error of the network's velocity, in float32.

    latents, noise: [B, C, H, W] float32; sigmas [B]; states [B, tokens, D]; pooled [B, D];
    weights: of image tokens [B, H * W / 4], mean 1; all equal when None.
    """
    dtype = transformer.dtype
    noisy = pack(add_noise(latents, noise, sigmas)).to(dtype)
    device = noisy.device
    levels = None
    if transformer.config.guidance_embeds:
        levels = torch.full((len(latents),), guidance, device=device, dtype=torch.float32)
    predicted = transformer(
        hidden_states=noisy,
        encoder_hidden_states=states.to(dtype),
        pooled_projections=pooled.to(dtype),
        timestep=sigmas,
        guidance=levels,
        img_ids=_image_ids(*latents.shape[-2:], device, dtype),
        txt_ids=_text_ids(states.shape[1], device, dtype),
        return_dict=False,
    )[0]
    target = pack(noise - latents)
    if weights is None:
        return torch.nn.functional.mse_loss(predicted.float(), target)
    return ((predicted.float() - target).square().mean(-1) * weights).mean()


# Kept on the device, and for good: copying them there at every step would make the step wait, and
# recorded steps read them where they are.
@cache
def _image_ids(height: int, width: int, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    return image_ids(height, width).to(device, dtype)


@cache
def _text_ids(tokens: int, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    return text_ids(tokens).to(device, dtype)
