"""The call of Krea 2's transformer: packed latents behind the text, whose padding is masked."""

from __future__ import annotations

import torch

from kindred.models.architectures.interface import Conditioning
from kindred.models.architectures.patches import PatchDenoiser, image_ids, text_ids
from kindred.models.architectures.position_ids import kept


def joint_ids(text: int, height: int, width: int) -> torch.Tensor:
    """Position ids [text + H/2 * W/2, 3] of a text's tokens, all at the origin, and of latents."""
    return torch.cat([text_ids(text), image_ids(height, width)])


IDS = kept(joint_ids)


class Krea2Denoiser(PatchDenoiser):
    """A Krea2Transformer2DModel."""

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
        states = text["qwen3vl"]
        (velocity,) = self.call(
            hidden_states=tokens.to(dtype),
            encoder_hidden_states=states.to(dtype),
            timestep=sigmas,
            position_ids=IDS((states.shape[1], *size), device),
            encoder_attention_mask=text.get("mask"),
        )
        return velocity
