"""Krea 2 with pictures of several sizes in one batch: positions sample by sample."""

from __future__ import annotations

from typing import Any

import torch

from kindred.models.architectures.interface import Conditioning
from kindred.models.architectures.krea2.attention import GatedAttention
from kindred.models.architectures.krea2.denoiser import joint_ids
from kindred.models.architectures.position_ids import Positions, RotaryInputs


class Krea2BatchedInputs(RotaryInputs):
    """A transformer that is told positions sample by sample."""

    def __init__(self, network: Any) -> None:
        if not isinstance(network.rotary_emb, Positions):
            network.rotary_emb = Positions(network.rotary_emb)
            network.set_attn_processor(GatedAttention())
        super().__init__(network, network.rotary_emb)

    def ids(self, text_tokens: int, height: int, width: int, dtype: torch.dtype) -> torch.Tensor:
        """As `RotaryInputs.ids`."""
        return joint_ids(text_tokens, height, width)

    def answer(
        self, tokens: torch.Tensor, sigmas: torch.Tensor, text: Conditioning, guidance: torch.Tensor
    ) -> torch.Tensor:
        """As `RotaryInputs.answer`; this network takes no scale."""
        return self.network(
            hidden_states=tokens.to(self.network.dtype),
            encoder_hidden_states=text["qwen3vl"],
            timestep=sigmas,
            position_ids=tokens.new_zeros(1, 3),
            encoder_attention_mask=text.get("mask"),
            return_dict=False,
        )[0]
