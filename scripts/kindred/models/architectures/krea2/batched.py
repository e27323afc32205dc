"""Krea 2 with pictures of several sizes in one batch: positions sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from kindred.models.architectures.interface import BatchedInputs, Conditioning
from kindred.models.architectures.krea2.attention import GatedAttention
from kindred.models.architectures.krea2.denoiser import joint_ids
from kindred.models.architectures.position_ids import Positions


class Krea2BatchedInputs(BatchedInputs):
    """A transformer that is told positions sample by sample."""

    def __init__(self, network: Any) -> None:
        if not isinstance(network.rotary_emb, Positions):
            network.rotary_emb = Positions(network.rotary_emb)
            network.set_attn_processor(GatedAttention())
        self.network, self.positions = network, network.rotary_emb

    def tables(
        self, sizes: Sequence[tuple[int, int]], text_tokens: int, dtype: torch.dtype
    ) -> Conditioning:
        """Cosines and sines [sizes, text + tokens, 1, D]."""
        turns = [self.positions.plain(joint_ids(text_tokens, *size)) for size in sizes]
        cosines, sines = zip(*turns, strict=True)
        return {
            "cosines": torch.stack([one[:, None] for one in cosines]),
            "sines": torch.stack([one[:, None] for one in sines]),
        }

    def packed_velocity(
        self,
        tokens: torch.Tensor,
        sigmas: torch.Tensor,
        text: Conditioning,
        guidance: torch.Tensor,
        rows: Conditioning,
    ) -> torch.Tensor:
        """As `BatchedInputs.packed_velocity`; this network takes no scale."""
        self.positions.turns = (rows["cosines"], rows["sines"])
        return self.network(
            hidden_states=tokens.to(self.network.dtype),
            encoder_hidden_states=text["qwen3vl"],
            timestep=sigmas,
            position_ids=tokens.new_zeros(1, 3),
            encoder_attention_mask=text.get("mask"),
            return_dict=False,
        )[0]

    def release(self) -> None:
        """As `BatchedInputs.release`."""
        self.positions.turns = None
