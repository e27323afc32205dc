"""Flow matching: noise levels, noisy latents, the target, the loss.

sigma is the share of noise: 0 is the picture, 1 is noise, x = (1 - sigma) latent + sigma noise,
and the network says noise - latent (Liu et al. 2022, arXiv 2209.03003; Lipman et al. 2022,
arXiv 2210.02747). Knows nothing of LoRA or of where latents come from.
"""

from __future__ import annotations

import math

import torch

from kindred.models.architectures.interface import Conditioning, Denoiser
from kindred.specs.training import Recipe

# A recipe's options that `sample_sigmas` asks for.
NOISE_LEVELS = (
    "timesteps",
    "logit_mean",
    "logit_std",
    "mode_scale",
    "shift",
    "min_timestep",
    "max_timestep",
)


def sample_sigmas(
    count: int, recipe: Recipe, usual_shift: float, source: torch.Generator
) -> torch.Tensor:
    """[count] noise levels in (0, 1), float32, scaled into the recipe's range as musubi-tuner does
    by default: low + (high - low) sigma.

    uniform: as the first rectified flows. logit-normal: sigmoid of a normal number (Esser et al.
    2024, arXiv 2403.03206, section 3.1). sigmoid: the same with mean 0 and deviation 1, under the
    name it has in other trainers. shifted: sigmoid, then moved towards noise by `shift`, or by
    `usual_shift`, the base's for pictures of this size. mode: 1 - u - s (cos^2(pi u / 2) - 1 + u)
    of an even u, with s the recipe's `mode_scale` (arXiv 2403.03206, equation 20).
    """
    sigmas = _of_whole_range(count, recipe, usual_shift, source)
    low, high = recipe.min_timestep / 1000, recipe.max_timestep / 1000
    return sigmas if (low, high) == (0, 1) else low + (high - low) * sigmas


def _of_whole_range(
    count: int, recipe: Recipe, usual_shift: float, source: torch.Generator
) -> torch.Tensor:
    if recipe.timesteps == "mode":
        even = torch.rand(count, generator=source)
        return 1 - even - recipe.mode_scale * (torch.cos(math.pi * even / 2) ** 2 - 1 + even)
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


def loss_weights(sigmas: torch.Tensor, scheme: str) -> torch.Tensor:
    """The weight of each noise level's loss [B], by the names that diffusers' training scripts have
    for it (compute_loss_weighting_for_sd3)."""
    if scheme == "sigma_sqrt":
        return sigmas**-2
    if scheme == "cosmap":
        return 2 / (math.pi * (1 - 2 * sigmas + 2 * sigmas**2))
    return torch.ones_like(sigmas)


def add_noise(latents: torch.Tensor, noise: torch.Tensor, sigmas: torch.Tensor) -> torch.Tensor:
    """(1 - sigma) latents + sigma noise, all [B, ...], sigmas [B]."""
    share = sigmas.reshape(-1, *[1] * (latents.ndim - 1))
    return (1 - share) * latents + share * noise


def velocity(
    denoiser: Denoiser,
    latents: torch.Tensor,
    noise: torch.Tensor,
    sigmas: torch.Tensor,
    text: Conditioning,
    guidance: float,
) -> torch.Tensor:
    """What the network says of noisy latents, as tokens [B, T, D]."""
    size = (latents.shape[-2], latents.shape[-1])
    noisy = denoiser.pack(add_noise(latents, noise, sigmas))
    return denoiser.packed_velocity(noisy, size, sigmas, text, guidance)


def flow_loss(
    denoiser: Denoiser,
    latents: torch.Tensor,
    noise: torch.Tensor,
    sigmas: torch.Tensor,
    text: Conditioning,
    guidance: float,
    weights: torch.Tensor | None = None,
    weighting: str = "none",
    target: torch.Tensor | None = None,
) -> torch.Tensor:
    """Mean squared error of the network's velocity, in float32, taken token by token.

    latents, noise: [B, C, H, W] float32; sigmas [B]; weights: of image tokens [B, T], mean 1; all
    equal when None. weighting: of noise levels, see `loss_weights`. target: what the network is to
    say, as `velocity` gives it; noise - latent when None.
    """
    predicted = velocity(denoiser, latents, noise, sigmas, text, guidance)
    if target is None:
        target = denoiser.pack(noise - latents)
    if weighting != "none":
        by_level = loss_weights(sigmas, weighting)[:, None]
        weights = by_level if weights is None else by_level * weights
    if weights is None:
        return torch.nn.functional.mse_loss(predicted.float(), target)
    return ((predicted.float() - target).square().mean(-1) * weights).mean()


def losses_of_samples(
    denoiser: Denoiser,
    latents: torch.Tensor,
    noise: torch.Tensor,
    sigmas: torch.Tensor,
    text: Conditioning,
    guidance: float,
) -> torch.Tensor:
    """Each sample's mean squared error [B] of the velocity in float32, all tokens alike; given as
    for `flow_loss`."""
    predicted = velocity(denoiser, latents, noise, sigmas, text, guidance).float()
    return (predicted - denoiser.pack(noise - latents)).square().mean((1, 2))
