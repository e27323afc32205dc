"""Flow matching: noise levels, noisy latents, the target, the loss.

sigma is the share of noise: 0 is the picture, 1 is noise, x = (1 - sigma) latent + sigma noise,
and the network says noise - latent (Liu et al. 2022, arXiv 2209.03003; Lipman et al. 2022,
arXiv 2210.02747). Knows nothing of LoRA or of where latents come from.
"""

from __future__ import annotations

import torch

from kindred.models.architectures.interface import Conditioning, Denoiser
from kindred.specs.training import Recipe


def sample_sigmas(
    count: int, recipe: Recipe, usual_shift: float, source: torch.Generator
) -> torch.Tensor:
    """[count] noise levels in (0, 1), float32.

    uniform: as the first rectified flows. logit-normal: sigmoid of a normal number (Esser et al.
    2024, arXiv 2403.03206, section 3.1). sigmoid: the same with mean 0 and deviation 1, under the
    name it has in other trainers. shifted: sigmoid, then moved towards noise by `shift`, or by
    `usual_shift`, the base's for pictures of this size.
    """
    if recipe.timesteps == "uniform":
        return torch.rand(count, generator=source)
    normal = torch.randn(count, generator=source)
    if recipe.timesteps == "logit-normal":
        normal = recipe.logit_mean + recipe.logit_std * normal
    sigmas = torch.sigmoid(normal)
    if recipe.timesteps == "shifted":
        sigmas = shift_sigmas(sigmas, recipe.shift or usual_shift)
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
    denoiser: Denoiser,
    latents: torch.Tensor,
    noise: torch.Tensor,
    sigmas: torch.Tensor,
    text: Conditioning,
    guidance: float,
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Mean squared error of the network's velocity, in float32, taken token by token.

    latents, noise: [B, C, H, W] float32; sigmas [B]; weights: of image tokens [B, T], mean 1; all
    equal when None.
    """
    size = (latents.shape[-2], latents.shape[-1])
    noisy = denoiser.pack(add_noise(latents, noise, sigmas))
    predicted = denoiser.packed_velocity(noisy, size, sigmas, text, guidance)
    target = denoiser.pack(noise - latents)
    if weights is None:
        return torch.nn.functional.mse_loss(predicted.float(), target)
    return ((predicted.float() - target).square().mean(-1) * weights).mean()
