"""The networks of a lab's base as its training sees them, whatever their architecture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from kindred.world.pretraining_shards import ATTRIBUTES
from kindred.world.vocabulary import TRAITS

FACTS = len(TRAITS) + sum(map(len, ATTRIBUTES.values()))
Text = tuple[torch.Tensor, ...]  # what text encoders tell the transformer


@dataclass(frozen=True)
class Batch:
    """One step's input: packed clean latents and noise [N, T, 4C], loss weights [N, T, 4C],
    image ids [T, axes], token ids name -> [N, L], times [N], facts [N, P, F], owners [N, T]."""

    clean: torch.Tensor
    noise: torch.Tensor
    weight: torch.Tensor
    image_ids: torch.Tensor
    ids: Mapping[str, torch.Tensor]
    time: torch.Tensor
    facts: torch.Tensor
    owners: torch.Tensor

    @property
    def noisy(self) -> torch.Tensor:
        """Between picture (time 0) and noise (time 1)."""
        t = self.time[:, None, None]
        return (1 - t) * self.clean + t * self.noise


class BaseNetwork(nn.Module, ABC):
    """Transformer and text encoders, trained as one; `reader` tells a person's facts from a token,
    and is needed for training alone."""

    transformer: Any
    reader: nn.Module

    @staticmethod
    @abstractmethod
    def image_ids(height: int, width: int) -> torch.Tensor:
        """Position ids [T, axes] of the tokens of latents [C, height, width], rows first."""

    @abstractmethod
    def text(self, ids: Mapping[str, torch.Tensor]) -> Text:
        """What the transformer is told of token ids, name -> [N, L]."""

    @abstractmethod
    def velocity(self, batch: Batch, text: Text) -> torch.Tensor:
        """The transformer's noise - picture, [N, T, 4C], float32; without guidance."""

    @abstractmethod
    def velocity_and_facts(self, batch: Batch, text: Text) -> tuple[torch.Tensor, torch.Tensor]:
        """As `velocity`, and what `reader` tells of each token behind the double blocks, [N, T, F].

        The transformer's own forward pass, which does not give its inner states.
        """


def facts_reader(width: int) -> nn.Module:
    """An untrained `reader` of tokens [N, T, width]."""
    return nn.Sequential(
        nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, FACTS)
    )
