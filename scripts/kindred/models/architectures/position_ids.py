"""Position ids that are made once for a size and stay where the network reads them, and rotary
embeddings that are given sample by sample."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch

from kindred.models.architectures.interface import BatchedInputs, Conditioning


def kept(
    make: Callable[..., torch.Tensor],
) -> Callable[[tuple[int, ...], torch.device, torch.dtype | None], torch.Tensor]:
    """The function (sizes, device, dtype) -> `make(*sizes)` there, in its own dtype for None.

    Kept on the device, and for good: copying ids there at every step would make the step wait, and
    recorded steps read them where they are. Of no inference mode, since trainings use them too.
    """

    @cache
    def ids(
        sizes: tuple[int, ...], device: torch.device, dtype: torch.dtype | None = None
    ) -> torch.Tensor:
        with torch.inference_mode(False):
            return make(*sizes).to(device, dtype)

    return ids


class Positions(torch.nn.Module):
    """Stands in for a network's rotary embedding: what it would say was worked out before, for
    every sample."""

    def __init__(self, plain: Any) -> None:
        super().__init__()
        self.plain = plain
        self.turns: tuple[torch.Tensor, torch.Tensor] | None = None

    def forward(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Cosines and sines [N, tokens, 1, D] of the batch in work, whatever the ids; of no ids
        none, for networks that ask for text and image apart and join the answers."""
        if self.turns is None:
            raise ValueError("no positions were set")
        cosines, sines = self.turns
        return self.turns if len(ids) else (cosines[:0], sines[:0])


class RotaryInputs(BatchedInputs):
    """Pictures of several sizes in one batch for a network with a rotary embedding, which is told
    sample by sample what it would say. positions: stands in for that embedding."""

    def __init__(self, network: Any, positions: Positions) -> None:
        self.network, self.positions = network, positions

    @abstractmethod
    def ids(self, text_tokens: int, height: int, width: int, dtype: torch.dtype) -> torch.Tensor:
        """Position ids [text + tokens, axes] of a text and latents, as the network is given them
        where it computes in `dtype`."""

    @abstractmethod
    def answer(
        self, tokens: torch.Tensor, sigmas: torch.Tensor, text: Conditioning, guidance: torch.Tensor
    ) -> torch.Tensor:
        """As `BatchedInputs.packed_velocity`, positions being set."""

    def tables(
        self, sizes: Sequence[tuple[int, int]], text_tokens: int, dtype: torch.dtype
    ) -> Conditioning:
        """Cosines and sines [sizes, text + tokens, 1, D]."""
        turns = [self.positions.plain(self.ids(text_tokens, *size, dtype)) for size in sizes]
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
        return self.answer(tokens, sigmas, text, guidance)

    def release(self) -> None:
        """As `BatchedInputs.release`."""
        self.positions.turns = None
