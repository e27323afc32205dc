"""FLUX.1's latents: what its VAE says, moved and scaled."""

from __future__ import annotations

import torch

from kindred.models.architectures.latent_coding import LatentCoding


class Flux1Latents(LatentCoding):
    """(mean - shift) * scale, what the transformer was trained on; a latent is 8 pixels."""

    def shape(self, width: int, height: int) -> tuple[int, int, int]:
        """As `LatentCoding.shape`."""
        return self.vae.config.latent_channels, height // self.step, width // self.step

    def normalise(self, latents: torch.Tensor) -> torch.Tensor:
        """As `LatentCoding.normalise`; models without a shift have 0."""
        config = self.vae.config
        return (latents - float(config.shift_factor or 0.0)) * float(config.scaling_factor)

    def denormalise(self, latents: torch.Tensor) -> torch.Tensor:
        """As `LatentCoding.denormalise`."""
        config = self.vae.config
        return latents / config.scaling_factor + (config.shift_factor or 0.0)
