"""FLUX.1 with pictures of several sizes in one batch: positions sample by sample."""

from __future__ import annotations

from typing import Any

import torch

from kindred.models.architectures.interface import Conditioning
from kindred.models.architectures.joint_attention import JointAttention
from kindred.models.architectures.patches import image_ids, text_ids
from kindred.models.architectures.position_ids import Positions, RotaryInputs


class Flux1BatchedInputs(RotaryInputs):
    """A transformer that is told positions sample by sample."""

    def __init__(self, network: Any) -> None:
        if not isinstance(network.pos_embed, Positions):
            network.pos_embed = Positions(network.pos_embed)
            network.set_attn_processor(JointAttention())
        super().__init__(network, network.pos_embed)

    def ids(self, text_tokens: int, height: int, width: int, dtype: torch.dtype) -> torch.Tensor:
        """As `RotaryInputs.ids`, in that precision."""
        return torch.cat([text_ids(text_tokens), image_ids(height, width)]).to(dtype)

    def answer(
        self, tokens: torch.Tensor, sigmas: torch.Tensor, text: Conditioning, guidance: torch.Tensor
    ) -> torch.Tensor:
        """As `RotaryInputs.answer`."""
        no_ids = tokens.new_zeros(1, 3)
        return self.network(
            hidden_states=tokens.to(self.network.dtype),
            encoder_hidden_states=text["t5"],
            pooled_projections=text["clip"],
            timestep=sigmas,
            guidance=guidance if self.network.config.guidance_embeds else None,
            img_ids=no_ids,
            txt_ids=no_ids,
            return_dict=False,
        )[0]
