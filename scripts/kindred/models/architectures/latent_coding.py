"""Photos -> latents -> pictures by a VAE, whatever its normalisation.

Every photo goes through the encoder alone: its latent then depends on nothing else in the dataset,
so one that was kept is the one that would be made again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from PIL import Image


class LatentCoding(ABC):
    """A VAE with its normalisation; latents outside are normalised, as the network reads them."""

    def __init__(self, vae: Any) -> None:
        self.vae = vae

    @torch.inference_mode()
    def encode(self, image: Image.Image) -> torch.Tensor:
        """Latent [C, H, W], float32, of an RGB image whose sides divide by the size multiple.

        The mean of the VAE's distribution: its spread is far below the noise of training, and
        without it equal photos have equal latents.
        """
        pixels = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)[None]
        scaled = (pixels.to(self.vae.device, torch.float32) / 127.5 - 1).to(self.vae.dtype)
        return self.normalise(self.encoded(scaled).float())[0].cpu()

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Pictures as bytes [N, H, W, 3], on the CPU, from latents [N, C, h, w]."""
        plain = self.denormalise(latents)
        pictures = self.decoded(plain.to(self.vae.device, self.vae.dtype))
        unit = (pictures.float() / 2 + 0.5).clamp(0, 1)
        return (unit * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu()

    def encoded(self, pixels: torch.Tensor) -> torch.Tensor:
        """The VAE's means [N, c, h, w] of pixels [N, 3, H, W] from -1 to 1."""
        return self.vae.encode(pixels).latent_dist.mode()

    def decoded(self, latents: torch.Tensor) -> torch.Tensor:
        """The VAE's pixels [N, 3, H, W] of its own latents [N, c, h, w]."""
        (pixels,) = self.vae.decode(latents, return_dict=False)
        return pixels

    def decode_in_tiles(self, edge: int) -> None:
        """Decode in tiles of `edge` latents of the VAE from now on."""
        self.vae.enable_tiling()
        self.vae.tile_latent_min_size = edge
        self.vae.tile_sample_min_size = edge * self.step

    @property
    def step(self) -> int:
        """Pixels that a latent of the VAE is wide and high."""
        return 2 ** (len(self.vae.config.block_out_channels) - 1)

    @abstractmethod
    def shape(self, width: int, height: int) -> tuple[int, int, int]:
        """C, H, W of the latent of a picture of this size in pixels."""

    @abstractmethod
    def normalise(self, latents: torch.Tensor) -> torch.Tensor:
        """The VAE's [N, c, h, w] as the network reads it, [N, C, H, W]."""

    @abstractmethod
    def denormalise(self, latents: torch.Tensor) -> torch.Tensor:
        """The other way."""


class ScaledLatents(LatentCoding):
    """(mean - shift) * scale by the VAE's configuration, as an AutoencoderKL is read."""

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
