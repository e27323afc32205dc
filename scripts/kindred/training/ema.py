"""Exponential moving average of weights (EMA); its decay by step is in ema_decay.py."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from kindred.training.ema_decay import share_taken


class EMA:
    """The average of parameters. dtype: of the averages; by default each has its parameter's."""

    def __init__(
        self,
        parameters: Iterable[torch.nn.Parameter],
        decay: float,
        dtype: torch.dtype | None = None,
    ) -> None:
        self.decay, self.parameters = decay, list(parameters)
        self.values = [p.detach().to(dtype=dtype, copy=True) for p in self.parameters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the parameters after optimizer step `step` (0-based)."""
        new = [
            p.detach().to(value.dtype)
            for p, value in zip(self.parameters, self.values, strict=True)
        ]
        torch._foreach_lerp_(self.values, new, share_taken(step, self.decay))

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange average and parameters; a second call changes them back."""
        for value, parameter in zip(self.values, self.parameters, strict=True):
            kept = parameter.detach().clone()
            parameter.copy_(value)
            value.copy_(kept)

    @torch.no_grad()
    def copy_to_parameters(self) -> None:
        """Replace the parameters by their average."""
        torch._foreach_copy_([p.data for p in self.parameters], self.values)

    def state_dict(self) -> dict[str, Any]:
        """The averages."""
        return {"mean": self.values}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take saved averages."""
        for own, value in zip(self.values, state["mean"], strict=True):
            own.copy_(value)
