"""Z-Image with pictures of several sizes in one batch: positions sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from kindred.models.architectures.interface import BatchedInputs, Conditioning
from kindred.models.architectures.z_image.denoiser import ZImageDenoiser, image_ids


class ZImageBatchedInputs(BatchedInputs):
    """A transformer that is told where each sample's tokens stand; how long its text is stands
    beside that."""

    def __init__(self, network: Any) -> None:
        self.denoiser = ZImageDenoiser(network)

    def tables(
        self, sizes: Sequence[tuple[int, int]], text_tokens: int, dtype: torch.dtype
    ) -> Conditioning:
        """`image_ids` [sizes, tokens, 3]."""
        return {"ids": torch.stack([image_ids(*size) for size in sizes])}

    def packed_velocity(
        self,
        tokens: torch.Tensor,
        sigmas: torch.Tensor,
        text: Conditioning,
        guidance: torch.Tensor,
        rows: Conditioning,
    ) -> torch.Tensor:
        """As `BatchedInputs.packed_velocity`; this network takes no scale."""
        return self.denoiser.with_ids(tokens, rows["ids"], sigmas, text)

    def release(self) -> None:
        """As `BatchedInputs.release`."""
        self.denoiser.release()
