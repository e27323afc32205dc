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
        mean = self.vae.encode(scaled).latent_dist.mode()
        return self.normalise(mean.float())[0].cpu()

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Pictures as bytes [N, H, W, 3], on the CPU, from latents [N, C, h, w]."""
        plain = self.denormalise(latents)
        (pictures,) = self.vae.decode(plain.to(self.vae.device, self.vae.dtype), return_dict=False)
        unit = (pictures.float() / 2 + 0.5).clamp(0, 1)
        return (unit * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu()

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
