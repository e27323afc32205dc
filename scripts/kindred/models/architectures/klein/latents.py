"""FLUX.2 klein's latents: 2 x 2 patches as channels, normalised by the VAE's batch statistics."""

from __future__ import annotations

import torch

from kindred.models.architectures.latent_coding import LatentCoding

PATCH = 2


class KleinLatents(LatentCoding):
    """[4 c, H, W] of the VAE's [c, 2 H, 2 W]; a latent is 16 pixels."""

    def shape(self, width: int, height: int) -> tuple[int, int, int]:
        """As `LatentCoding.shape`."""
        edge = PATCH * self.step
        return PATCH * PATCH * self.vae.config.latent_channels, height // edge, width // edge

    def normalise(self, latents: torch.Tensor) -> torch.Tensor:
        """As `LatentCoding.normalise`."""
        mean, deviation = self._statistics(latents)
        return (patchify(latents) - mean) / deviation

    def denormalise(self, latents: torch.Tensor) -> torch.Tensor:
        """As `LatentCoding.denormalise`."""
        mean, deviation = self._statistics(latents)
        return unpatchify(latents * deviation + mean)

    def _statistics(self, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and deviation [1, 4 c, 1, 1] of each channel."""
        norm = self.vae.bn
        deviation = torch.sqrt(norm.running_var + self.vae.config.batch_norm_eps)
        shaped = (value.view(1, -1, 1, 1) for value in (norm.running_mean, deviation))
        mean, deviation = (value.to(like.device, like.dtype) for value in shaped)
        return mean, deviation


def patchify(latents: torch.Tensor) -> torch.Tensor:
    """[N, c, 2 H, 2 W] to [N, 4 c, H, W]; channel c * 4 + row * 2 + column."""
    n, c, h, w = latents.shape
    patches = latents.reshape(n, c, h // PATCH, PATCH, w // PATCH, PATCH)
    return patches.permute(0, 1, 3, 5, 2, 4).reshape(n, c * PATCH * PATCH, h // PATCH, w // PATCH)


def unpatchify(latents: torch.Tensor) -> torch.Tensor:
    """[N, 4 c, H, W] back to [N, c, 2 H, 2 W]."""
    n, c, h, w = latents.shape
    patches = latents.reshape(n, c // (PATCH * PATCH), PATCH, PATCH, h, w)
    return patches.permute(0, 1, 4, 2, 5, 3).reshape(n, c // (PATCH * PATCH), h * PATCH, w * PATCH)
