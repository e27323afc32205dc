"""The call of FLUX.2 klein's transformer: a latent a token, ids on four axes, sigma as time."""

from __future__ import annotations

import torch

from kindred.models.architectures.interface import Conditioning, Denoiser
from kindred.models.architectures.position_ids import kept


def image_ids(height: int, width: int) -> torch.Tensor:
    """Position ids [H * W, 4] of a latent image: (0, row, column, 0) of each token."""
    axes = (torch.arange(n) for n in (1, height, width, 1))
    return torch.cartesian_prod(*axes)


def text_ids(tokens: int) -> torch.Tensor:
    """Position ids [tokens, 4] of a text: (0, 0, 0, number) of each token."""
    return torch.cartesian_prod(*(torch.arange(n) for n in (1, 1, 1, tokens)))


IMAGE_IDS, TEXT_IDS = kept(image_ids), kept(text_ids)


class KleinDenoiser(Denoiser):
    """A Flux2Transformer2DModel without embedded guidance."""

    def pack(self, latents: torch.Tensor) -> torch.Tensor:
        """As `Denoiser.pack`."""
        return latents.flatten(2).transpose(1, 2)

    def unpack(self, tokens: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """As `Denoiser.unpack`."""
        return tokens.transpose(1, 2).unflatten(2, (height, width))

    def packed_velocity(
        self,
        tokens: torch.Tensor,
        size: tuple[int, int],
        sigmas: torch.Tensor,
        text: Conditioning,
        guidance: float,
    ) -> torch.Tensor:
        """As `Denoiser.packed_velocity`; this network takes no scale."""
        device, dtype = tokens.device, self.network.dtype
        (velocity,) = self.call(
            hidden_states=tokens.to(dtype),
            encoder_hidden_states=text["qwen3"].to(dtype),
            timestep=sigmas,
            guidance=None,
            img_ids=IMAGE_IDS(size, device),
            txt_ids=TEXT_IDS((text["qwen3"].shape[1],), device),
        )
        return velocity
