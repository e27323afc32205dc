"""Optimizers by name, with errors for what a machine or an installation lacks."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from kindred.common.errors import KindredError
from kindred.specs.training import Recipe


def make_optimizer(
    parameters: Sequence[torch.nn.Parameter], recipe: Recipe
) -> torch.optim.Optimizer:
    """The recipe's optimizer. Its learning rate is set before every step by the schedule.

    AdamW: Loshchilov and Hutter 2017 (arXiv 1711.05101). Raises KindredError when 8-bit states
    are asked for on a CPU, or a package is missing.
    """
    settings = {"lr": recipe.lr, "weight_decay": recipe.weight_decay}
    device = parameters[0].device.type
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(parameters, fused=True, **settings)
    if recipe.optimizer == "adamw8bit":
        if device != "cuda":
            raise KindredError(
                "recipe: optimizer: adamw8bit needs a CUDA GPU; use `optimizer: adamw` here"
            )
        try:
            from bitsandbytes.optim import AdamW8bit
        except ImportError:
            raise KindredError(
                "recipe: optimizer: adamw8bit needs the package bitsandbytes: install it, or use "
                "`optimizer: adamw`"
            ) from None
        return AdamW8bit(parameters, **settings)
    try:
        from prodigyopt import Prodigy
    except ImportError:
        raise KindredError(
            "recipe: optimizer: prodigy needs the package prodigyopt: `pip install prodigyopt`, "
            "or use `optimizer: adamw`"
        ) from None
    return Prodigy(
        parameters, use_bias_correction=True, safeguard_warmup=recipe.warmup > 0, **settings
    )


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of all parameter groups."""
    for group in optimizer.param_groups:
        group["lr"] = rate


class Average:
    """Exponential moving average of parameters (EMA), with the usual young-age correction.

    decay at step t is min(decay, (1 + t) / (10 + t)), so that the random start is soon forgotten.
    """

    def __init__(self, parameters: Sequence[torch.nn.Parameter], decay: float) -> None:
        self.decay, self.parameters = decay, list(parameters)
        self.values = [parameter.detach().clone() for parameter in parameters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the parameters after optimizer step `step` (0-based)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.values, [p.detach() for p in self.parameters], 1 - decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange average and parameters; a second call changes them back."""
        for value, parameter in zip(self.values, self.parameters, strict=True):
            kept = parameter.detach().clone()
            parameter.copy_(value)
            value.copy_(kept)
