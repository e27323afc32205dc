"""Position ids that are made once for a size and stay where the network reads them, and rotary
embeddings that are given sample by sample."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch


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
