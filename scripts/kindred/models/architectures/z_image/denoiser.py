"""The call of Z-Image's transformer: patches, texts of varying length, 1 - sigma as time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.functional import pad

from kindred.models.architectures.interface import Conditioning, Denoiser
from kindred.models.architectures.position_ids import kept
from kindred.models.architectures.z_image.layer_shapes import PATCH
from kindred.models.architectures.z_image.sequences import Sequences, Texts
from kindred.models.architectures.z_image.text_padding import ATTENDED, LENGTH, STATES, filled


def image_ids(height: int, width: int) -> torch.Tensor:
    """[tokens, 3] of a latent image: (1, row, column) of each token, and (0, 0, 0) of what fills
    them up. The 1 is to be multiplied by where the picture begins, behind its text."""
    axes = (torch.ones(1, dtype=torch.long), *(torch.arange(n // PATCH) for n in (height, width)))
    ids = torch.cartesian_prod(*axes)
    return pad(ids, (0, 0, 0, filled(len(ids)) - len(ids)))


IMAGE_IDS = kept(image_ids)


class ZImageDenoiser(Denoiser):
    """A ZImageTransformer2DModel, which from now on takes tensors and no lists."""

    def __init__(
        self, network: Any, call: Callable[..., tuple[torch.Tensor]] | None = None
    ) -> None:
        super().__init__(network, call)
        if network is not None:
            Sequences.of(network)

    def pack(self, latents: torch.Tensor) -> torch.Tensor:
        """As `Denoiser.pack`; a token is its rows, columns and channels, in that order."""
        n, c, h, w = latents.shape
        patches = latents.reshape(n, c, h // PATCH, PATCH, w // PATCH, PATCH)
        return patches.permute(0, 2, 4, 3, 5, 1).reshape(n, -1, PATCH * PATCH * c)

    def unpack(self, tokens: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """As `Denoiser.unpack`."""
        patches = tokens.unflatten(2, (PATCH, PATCH, -1))
        patches = patches.unflatten(1, (height // PATCH, width // PATCH))
        return patches.permute(0, 5, 1, 3, 2, 4).reshape(len(tokens), -1, height, width)

    def packed_velocity(
        self,
        tokens: torch.Tensor,
        size: tuple[int, int],
        sigmas: torch.Tensor,
        text: Conditioning,
        guidance: float,
    ) -> torch.Tensor:
        """As `Denoiser.packed_velocity`; this network takes no scale."""
        return self.with_ids(tokens, IMAGE_IDS(size, tokens.device), sigmas, text)

    def with_ids(
        self, tokens: torch.Tensor, ids: torch.Tensor, sigmas: torch.Tensor, text: Conditioning
    ) -> torch.Tensor:
        """The same of pictures with these `image_ids`, [tokens, 3] for all or [B, tokens, 3]."""
        dtype = self.network.dtype
        (answer,) = self.call(
            x=tokens.to(dtype),
            ids=ids,
            t=(1000 - 1000 * sigmas) / 1000,  # 1 - sigma as diffusers rounds it
            states=text[STATES].to(dtype),
            length=text[LENGTH],
            attended=text.get(ATTENDED),
        )
        return -answer  # it says latent - noise

    def release(self) -> None:
        """Hold on to nothing of the last pass."""
        Sequences.of(self.network).attended = None

    def _call(self, **inputs: Any) -> tuple[torch.Tensor]:
        texts = Texts(inputs["states"], inputs["length"], inputs["attended"], inputs["ids"])
        answer: tuple[torch.Tensor] = self.network(
            inputs["x"], inputs["t"], texts, return_dict=False
        )
        return answer
