"""The call of FLUX.2 klein's transformer: a latent a token, ids on four axes, sigma as time."""

from __future__ import annotations

import torch

from kindred.models.architectures.interface import (
    Conditioning,
    Denoiser,
    ReferenceTokens,
)
from kindred.models.architectures.position_ids import kept

REFERENCE_TIME = 10  # between one reference picture and the next, on the ids' first axis


def image_ids(height: int, width: int) -> torch.Tensor:
    """Position ids [H * W, 4] of a latent image: (0, row, column, 0) of each token."""
    axes = (torch.arange(n) for n in (1, height, width, 1))
    return torch.cartesian_prod(*axes)


def text_ids(tokens: int) -> torch.Tensor:
    """Position ids [tokens, 4] of a text: (0, 0, 0, number) of each token."""
    return torch.cartesian_prod(*(torch.arange(n) for n in (1, 1, 1, tokens)))


def ids_beside(height: int, width: int, *references: int) -> torch.Tensor:
    """Position ids [H * W + R, 4] of a latent image and of reference pictures behind it, whose
    heights and widths follow each other in `references`: the k-th is at time 10 k."""
    found = [image_ids(height, width)]
    sizes = zip(references[::2], references[1::2], strict=True)
    for number, one in enumerate(sizes, start=1):
        found.append(image_ids(*one) + torch.tensor([REFERENCE_TIME * number, 0, 0, 0]))
    return torch.cat(found)


IMAGE_IDS, TEXT_IDS, IDS_BESIDE = kept(image_ids), kept(text_ids), kept(ids_beside)


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
        return self._velocity(tokens, IMAGE_IDS(size, tokens.device), sigmas, text)

    def velocity_beside(
        self,
        references: ReferenceTokens,
        tokens: torch.Tensor,
        size: tuple[int, int],
        sigmas: torch.Tensor,
        text: Conditioning,
        guidance: float,
    ) -> torch.Tensor:
        """As `Denoiser.velocity_beside`: one sequence, the reference pictures behind the noise."""
        joined = torch.cat([tokens, references.tokens.to(tokens.dtype)], dim=1)
        sizes = size + sum(references.sizes, ())
        ids = IDS_BESIDE(sizes, tokens.device)
        return self._velocity(joined, ids, sigmas, text)[:, : tokens.shape[1]]

    def _velocity(
        self, tokens: torch.Tensor, ids: torch.Tensor, sigmas: torch.Tensor, text: Conditioning
    ) -> torch.Tensor:
        device, dtype = tokens.device, self.network.dtype
        (velocity,) = self.call(
            hidden_states=tokens.to(dtype),
            encoder_hidden_states=text["qwen3"].to(dtype),
            timestep=sigmas,
            guidance=None,
            img_ids=ids,
            txt_ids=TEXT_IDS((text["qwen3"].shape[1],), device),
        )
        return velocity
