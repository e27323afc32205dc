"""FLUX.2 klein with pictures of several sizes in one batch: positions sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from kindred.models.architectures.interface import BatchedInputs, Conditioning
from kindred.models.architectures.klein.attention import set_attention
from kindred.models.architectures.klein.denoiser import image_ids, text_ids
from kindred.models.architectures.position_ids import Positions


class KleinBatchedInputs(BatchedInputs):
    """A transformer that is told positions sample by sample."""

    def __init__(self, network: Any) -> None:
        if not isinstance(network.pos_embed, Positions):
            network.pos_embed = Positions(network.pos_embed)
            set_attention(network)
        self.network, self.positions = network, network.pos_embed

    def tables(
        self, sizes: Sequence[tuple[int, int]], text_tokens: int, dtype: torch.dtype
    ) -> Conditioning:
        """Cosines and sines [sizes, text + tokens, 1, D]."""
        words = text_ids(text_tokens)
        turns = [self.positions.plain(torch.cat([words, image_ids(*size)])) for size in sizes]
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

    def release(self) -> None:
        """As `BatchedInputs.release`."""
        self.positions.turns = None
