"""How many tokens a text of Z-Image takes: a multiple of 32, filled up with a learned token.

That filling is read as any token is; what evens out a batch beyond it is masked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kindred.models.architectures.interface import Conditioning, Embeddings

if TYPE_CHECKING:
    import torch

MULTIPLE = 32
STATES, LENGTH, ATTENDED = "qwen3", "length", "attended"


def filled(tokens: int) -> int:
    """The next multiple."""
    return -(-tokens // MULTIPLE) * MULTIPLE


def filled_lengths(length: torch.Tensor) -> torch.Tensor:
    """The same of a tensor of lengths, without a look at its numbers."""
    return (length + (MULTIPLE - 1)) // MULTIPLE * MULTIPLE


def collate(texts: Sequence[Embeddings], rows: int | None) -> Conditioning:
    """States [B, L, D] of texts, zeros behind each; their lengths [B]; and where rows were asked
    for or lengths differ, which rows of the L are attended to [B, L]."""
    import torch

    states = [text[STATES] for text in texts]
    length = torch.tensor([len(one) for one in states])
    own = filled_lengths(length)
    most = rows or int(own.max())
    even = [torch.nn.functional.pad(one, (0, 0, 0, most - len(one))) for one in states]
    found = {STATES: torch.stack(even), LENGTH: length}
    if rows or int(own.min()) < most:
        found[ATTENDED] = torch.arange(most) < own[:, None]
    return found
