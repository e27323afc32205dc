"""Krea 2's latents: those of Qwen-Image's VAE for moving pictures, of a single frame."""

from __future__ import annotations

import torch

from kindred.models.architectures.latent_coding import LatentCoding

OVERLAP = 0.25  # of a tile's edge, with the next tile


class Krea2Latents(LatentCoding):
    """Each channel with mean 0 and deviation 1, by the VAE's configuration; a latent is 8 pixels.

    Noise and mean are of the VAE's own distribution, so nothing else shifts or scales them.
    """

    def shape(self, width: int, height: int) -> tuple[int, int, int]:
        """As `LatentCoding.shape`."""
        return self.vae.config.z_dim, height // self.step, width // self.step

    def normalise(self, latents: torch.Tensor) -> torch.Tensor:
        """As `LatentCoding.normalise`."""
        mean, deviation = self._statistics(latents)
        return (latents - mean) / deviation

    def denormalise(self, latents: torch.Tensor) -> torch.Tensor:
        """As `LatentCoding.denormalise`."""
        mean, deviation = self._statistics(latents)
        return latents * deviation + mean

    def encoded(self, pixels: torch.Tensor) -> torch.Tensor:
        """As `LatentCoding.encoded`, through an axis of frames."""
        return self.vae.encode(pixels[:, :, None]).latent_dist.mode()[:, :, 0]

    def decoded(self, latents: torch.Tensor) -> torch.Tensor:
        """As `LatentCoding.decoded`, through an axis of frames."""
        (pixels,) = self.vae.decode(latents[:, :, None], return_dict=False)
        return pixels[:, :, 0]

    def decode_in_tiles(self, edge: int) -> None:
        """As `LatentCoding.decode_in_tiles`."""
        pixels = edge * self.step
        apart = int(pixels * (1 - OVERLAP))
        self.vae.enable_tiling(pixels, pixels, apart, apart)

    @property
    def step(self) -> int:
        """As `LatentCoding.step`."""
        return self.vae.spatial_compression_ratio

    def _statistics(self, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and deviation [1, c, 1, 1] of each channel."""
        config = self.vae.config
        values = (torch.tensor(list(one)) for one in (config.latents_mean, config.latents_std))
        mean, deviation = (value.to(like.device, like.dtype).view(1, -1, 1, 1) for value in values)
        return mean, deviation
