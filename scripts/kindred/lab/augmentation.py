"""Disturbances of training images, so that the judge also reads softened and generated pictures.

Knows images as tensors [B, 3, H, W] in [-1, 1]; every function draws from the generator it is
given, on its device.
"""

from __future__ import annotations

import math
from functools import cache
from random import Random

import torch
import torch.nn.functional as F
from torch import Generator, Tensor


def disturb(images: Tensor, rng: Generator) -> Tensor:
    """Slight colour shift, blur, loss of resolution, JPEG-like blocks, blobs and noise.

    Each is given to a random part of the batch with a random strength; about a fifth of the
    images meets none of the strong ones. Sides must be multiples of 8. Not under autocast.
    """
    images = shift_colours(images.contiguous(), rng)
    images = blur(images, rng)
    images = lose_resolution(images, rng)
    images = jpeg_like(images, rng)
    return add_noise(images, rng).clamp(-1.1, 1.1)


def uniform(count: int, low: float, high: float, rng: Generator, channels: int = 1) -> Tensor:
    """[count, channels, 1, 1], uniform."""
    draw = torch.rand(count, channels, 1, 1, generator=rng, device=rng.device)
    return draw * (high - low) + low


def some(count: int, share: float, rng: Generator) -> Tensor:
    """[count, 1, 1, 1] of 0 and 1: which images are meant."""
    return (torch.rand(count, 1, 1, 1, generator=rng, device=rng.device) < share).float()


def shift_colours(images: Tensor, rng: Generator) -> Tensor:
    """Contrast, brightness and colour cast of a few percent (skin and eyes are identity)."""
    n = len(images)
    gain = uniform(n, 0.93, 1.07, rng) * uniform(n, 0.98, 1.02, rng, channels=3)
    return images * gain + uniform(n, -0.05, 0.05, rng) + uniform(n, -0.02, 0.02, rng, channels=3)


def blur(images: Tensor, rng: Generator) -> Tensor:
    """Mix in a Gaussian blur of 1.2 px with strength 0-1, in half of the images."""
    n = len(images)
    x = torch.arange(-3, 4, device=images.device, dtype=images.dtype)
    line = torch.exp(-(x**2) / (2 * 1.2**2))
    line = (line / line.sum()).expand(3, 1, -1)
    soft = F.pad(images, (3, 3, 3, 3), mode="replicate")
    soft = F.conv2d(F.conv2d(soft, line[..., None, :], groups=3), line[..., None], groups=3)
    return torch.lerp(images, soft, uniform(n, 0, 1, rng) * some(n, 0.5, rng))


def lose_resolution(images: Tensor, rng: Generator) -> Tensor:
    """Down and up again by one factor in 0.45-0.9, in a third of the images."""
    height, width = images.shape[2:]
    # From the seed, not from the stream: reading the stream would make the host wait.
    factor = 0.45 + 0.45 * Random(rng.initial_seed()).random()
    small = [max(8, round(height * factor)), max(8, round(width * factor))]
    poor = F.interpolate(images, small, mode="bilinear", antialias=True)
    poor = F.interpolate(poor, [height, width], mode="bilinear")
    return torch.lerp(images, poor, some(len(images), 0.33, rng))


@cache
def _dct(device: torch.device) -> Tensor:
    n = torch.arange(8, dtype=torch.float32)
    basis = torch.cos(math.pi / 8 * (n[None] + 0.5) * n[:, None]) * math.sqrt(2 / 8)
    basis[0] /= math.sqrt(2)
    return basis.to(device)


def jpeg_like(images: Tensor, rng: Generator) -> Tensor:
    """Round 8x8 cosine coefficients, high frequencies more coarsely, in a third of the images."""
    n, channels, height, width = images.shape
    basis = _dct(images.device)
    blocks = images.reshape(n, channels, height // 8, 8, width // 8, 8)
    waves = torch.einsum("ui,ncaibj,vj->ncaubv", basis, blocks, basis)
    rank = torch.arange(8, device=images.device)
    coarse = 1 + (rank.view(8, 1, 1) + rank.view(1, 1, 8)) / 3
    step = (uniform(n, 0.01, 0.09, rng) * 2)[..., None, None] * coarse
    waves = torch.round(waves / step) * step
    back = torch.einsum("ui,ncaubv,vj->ncaibj", basis, waves, basis).reshape(images.shape)
    return torch.lerp(images, back, some(n, 0.33, rng))


def add_noise(images: Tensor, rng: Generator) -> Tensor:
    """White noise (half of the images) and coarse blobs (a third), a few percent strong."""
    n, channels, height, width = images.shape
    white = torch.randn(images.shape, generator=rng, device=rng.device)
    coarse = torch.randn(n, channels, height // 4, width // 4, generator=rng, device=rng.device)
    blobs = F.interpolate(coarse, [height, width], mode="bilinear")
    images = images + white * uniform(n, 0, 0.07, rng) * some(n, 0.5, rng)
    return images + blobs * uniform(n, 0, 0.1, rng) * some(n, 0.33, rng)
