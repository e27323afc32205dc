"""Sampling as small pure functions: noise, denoising.

Knows how one batch of latents comes out of a denoiser; knows nothing of prompts, adapters, files or
where modules live. Method: rectified flow, Euler steps from noise (sigma = 1) to picture (0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch

from kindred.models.architectures.interface import Conditioning, Denoiser, on_device


def initial_noise(seeds: Sequence[int], channels: int, height: int, width: int) -> torch.Tensor:
    """Standard normal noise [N, channels, height, width] in float32 on the CPU, `height` and
    `width` in latents.

    Each image's noise follows from its seed and size alone, whatever is drawn beside it.
    """
    generators = (torch.Generator("cpu").manual_seed(seed) for seed in seeds)
    return torch.stack([torch.randn(channels, height, width, generator=g) for g in generators])


def denoise(
    denoiser: Denoiser,
    noise: torch.Tensor,
    text: Conditioning,
    sigmas: Sequence[float],
    guidance: float,
    after_step: Callable[[], None] = lambda: None,
    negative: Conditioning | None = None,
) -> torch.Tensor:
    """Latents [N, C, H, W] in float32 from noise of that shape.

    negative: the unconditional text, for classifier-free guidance (Ho and Salimans 2022, arXiv
    2207.12598): a second pass at every step. The network computes in its own precision; the sum of
    the steps is kept in float32.
    """
    device, dtype = denoiser.network.device, denoiser.network.dtype
    size = (noise.shape[-2], noise.shape[-1])
    text, negative = (passed and on_device(passed, device, dtype) for passed in (text, negative))
    tokens = denoiser.pack(noise).to(device)
    for now, following in pairwise(sigmas):
        level = torch.full((len(noise),), now, device=device)
        velocity = denoiser.packed_velocity(tokens, size, level, text, guidance).float()
        if negative:
            # A recording writes its next answer over its last.
            velocity = velocity.clone()
            other = denoiser.packed_velocity(tokens, size, level, negative, guidance).float()
            velocity = other + guidance * (velocity - other)
        tokens = tokens + (following - now) * velocity
        after_step()
    return denoiser.unpack(tokens, *size)
