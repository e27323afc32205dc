"""Sampling as small pure functions: noise, denoising.

Knows how one batch of latents comes out of a denoiser; knows nothing of prompts, adapters, files or
where modules live. Method: rectified flow, Euler steps from noise (sigma = 1) to picture (0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import ceil

import torch

from kindred.models.architectures.interface import (
    Conditioning,
    Denoiser,
    ReferenceTokens,
    on_device,
)


def initial_noise(seeds: Sequence[int], channels: int, height: int, width: int) -> torch.Tensor:
    """Standard normal noise [N, channels, height, width] in float32 on the CPU, `height` and
    `width` in latents.

    Each image's noise follows from its seed and size alone, whatever is drawn beside it.
    """
    generators = (torch.Generator("cpu").manual_seed(seed) for seed in seeds)
    return torch.stack([torch.randn(channels, height, width, generator=g) for g in generators])


def last_levels(sigmas: Sequence[float], strength: float) -> Sequence[float]:
    """The noise levels of the last steps of a schedule, the share `strength` of them, rounded up;
    of none the last level alone."""
    steps = len(sigmas) - 1
    return sigmas[steps - ceil(strength * steps - 1e-9) :]


def noised(latents: torch.Tensor, noise: torch.Tensor, sigma: float) -> torch.Tensor:
    """Latents at a noise level, on the straight way from them (0) to the noise (1)."""
    return (1 - sigma) * latents + sigma * noise


def denoise(
    denoiser: Denoiser,
    noise: torch.Tensor,
    text: Conditioning,
    sigmas: Sequence[float],
    guidance: float,
    after_step: Callable[[], None] = lambda: None,
    negative: Conditioning | None = None,
    together: bool = False,
    references: ReferenceTokens | None = None,
) -> torch.Tensor:
    """Latents [N, C, H, W] in float32 from noise of that shape.

    negative: what not to draw, or the unconditional text, for classifier-free guidance (Ho and
    Salimans 2022, arXiv 2207.12598): velocities are negative + guidance * (prompt - negative), of
    two passes at every step; `together`: of one pass of twice as many pictures, where both texts
    have one shape. references: pictures that every pass is shown, that of the negative too. The
    network computes in its own precision; the sum of the steps is kept in float32.
    """
    device, dtype = denoiser.network.device, denoiser.network.dtype
    size = (noise.shape[-2], noise.shape[-1])
    text, negative = (passed and on_device(passed, device, dtype) for passed in (text, negative))
    tokens = denoiser.pack(noise).to(device)
    passes = _joined(text, negative) if negative and together else None
    passes = passes or [one for one in (text, negative) if one]
    shown = references and ReferenceTokens(references.tokens.to(device), references.sizes)
    for now, following in pairwise(sigmas):
        level = torch.full((len(noise),), now, device=device)
        velocity = _velocity(denoiser, tokens, size, level, passes, guidance, shown)
        if negative:
            wanted, other = velocity.chunk(2)
            velocity = other + guidance * (wanted - other)
        tokens = tokens + (following - now) * velocity
        after_step()
    return denoiser.unpack(tokens, *size)


def _joined(text: Conditioning, negative: Conditioning) -> list[Conditioning] | None:
    """Two batches of texts as one, in a list; None where their shapes differ."""
    if text.keys() != negative.keys() or any(
        text[name].shape != negative[name].shape for name in text
    ):
        return None
    return [{name: torch.cat([text[name], negative[name]]) for name in text}]


def _velocity(
    denoiser: Denoiser,
    tokens: torch.Tensor,
    size: tuple[int, int],
    level: torch.Tensor,
    passes: Sequence[Conditioning],
    guidance: float,
    references: ReferenceTokens | None = None,
) -> torch.Tensor:
    """Velocities in float32 of the same tokens [N, T, D] with every text of the passes, one pass
    after the other: [texts in all, T, D]."""
    found = []
    for text in passes:
        times = len(next(iter(text.values()))) // len(tokens)
        given = tokens.repeat(times, 1, 1), size, level.repeat(times), text, guidance
        answer = (
            denoiser.velocity_beside(references.repeated(times), *given)
            if references
            else denoiser.packed_velocity(*given)
        ).float()
        # A recording writes its next answer over its last.
        found.append(answer.clone() if len(passes) > 1 else answer)
    return torch.cat(found) if len(found) > 1 else found[0]
