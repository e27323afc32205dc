"""FLUX.1 with pictures of several sizes in one batch: positions sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from kindred.models.architectures.interface import BatchedInputs, Conditioning
from kindred.models.architectures.joint_attention import JointAttention
from kindred.models.architectures.patches import image_ids, text_ids
from kindred.models.architectures.position_ids import Positions


class Flux1BatchedInputs(BatchedInputs):
    """A transformer that is told positions sample by sample."""

    def __init__(self, network: Any) -> None:
        if not isinstance(network.pos_embed, Positions):
            network.pos_embed = Positions(network.pos_embed)
            network.set_attn_processor(JointAttention())
        self.network, self.positions = network, network.pos_embed

    def tables(
        self, sizes: Sequence[tuple[int, int]], text_tokens: int, dtype: torch.dtype
    ) -> Conditioning:
        """Cosines and sines [sizes, text + tokens, 1, D], of ids in the precision that the network
        is given them in."""
        words = text_ids(text_tokens)
        turns = [
            self.positions.plain(torch.cat([words, image_ids(*size)]).to(dtype)) for size in sizes
        ]
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
        """As `BatchedInputs.packed_velocity`."""
        self.positions.turns = (rows["cosines"], rows["sines"])
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

    def release(self) -> None:
        """As `BatchedInputs.release`."""
        self.positions.turns = None
