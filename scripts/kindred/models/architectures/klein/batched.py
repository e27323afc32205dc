"""FLUX.2 klein with pictures of several sizes in one batch: positions sample by sample."""

from __future__ import annotations

from typing import Any

import torch

from kindred.models.architectures.interface import Conditioning
from kindred.models.architectures.klein.attention import set_attention
from kindred.models.architectures.klein.denoiser import image_ids, text_ids
from kindred.models.architectures.position_ids import Positions, RotaryInputs


class KleinBatchedInputs(RotaryInputs):
    """A transformer that is told positions sample by sample."""

    def __init__(self, network: Any) -> None:
        if not isinstance(network.pos_embed, Positions):
            network.pos_embed = Positions(network.pos_embed)
            set_attention(network)
        super().__init__(network, network.pos_embed)

    def ids(self, text_tokens: int, height: int, width: int, dtype: torch.dtype) -> torch.Tensor:
        """As `RotaryInputs.ids`."""
        return torch.cat([text_ids(text_tokens), image_ids(height, width)])

    def answer(
        self, tokens: torch.Tensor, sigmas: torch.Tensor, text: Conditioning, guidance: torch.Tensor
    ) -> torch.Tensor:
        """As `RotaryInputs.answer`; this network takes no scale."""
        # Positions of texts and images are asked for apart and joined: all come with the image's.
        return self.network(
            hidden_states=tokens.to(self.network.dtype),
            encoder_hidden_states=text["qwen3"],
            timestep=sigmas,
            guidance=None,
            img_ids=tokens.new_zeros(1, 4),
            txt_ids=tokens.new_zeros(0, 4),
            return_dict=False,
        )[0]
