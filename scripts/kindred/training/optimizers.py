"""Optimizers by name, with errors for what a machine or an installation lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from kindred.common.backends import backend_of
from kindred.common.errors import KindredError
from kindred.specs.training import Recipe

WHERE = "recipe: optimizer"
RATIO = "lr_ratio"  # of a parameter group


def make_optimizer(
    parameters: Sequence[torch.nn.Parameter],
    recipe: Recipe,
    ups: Sequence[torch.nn.Parameter] = (),
) -> torch.optim.Optimizer:
    """The recipe's optimizer. Its learning rate is set before every step by the schedule.

    ups: those of the parameters that are a LoRA's B, which LoRA+ gives a rate of their own.
    AdamW: Loshchilov and Hutter 2017 (arXiv 1711.05101). Adafactor: Shazeer and Stern 2018 (arXiv
    1804.04235), by the schedule's rate and not by one of its own. Raises KindredError when 8-bit
    states are asked for on a CPU, or a package is missing.
    """
    backend = backend_of(parameters[0].device)
    parameters = _groups(parameters, recipe, ups)
    settings = {"lr": recipe.lr, "weight_decay": recipe.weight_decay}
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(parameters, fused=True, **settings)
    if recipe.optimizer == "adafactor":
        from transformers.optimization import Adafactor

        return Adafactor(parameters, scale_parameter=False, relative_step=False, **settings)
    if recipe.optimizer == "adamw8bit":
        if not backend.quantizes:
            what = f"adamw8bit needs a CUDA GPU, but this run is on {backend.title}"
            raise KindredError(what, WHERE, "use `optimizer: adamw` here")
        try:
            from bitsandbytes.optim import AdamW8bit
        except ImportError:
            raise KindredError(
                "adamw8bit needs the package bitsandbytes",
                WHERE,
                "run `pip install bitsandbytes`, or use `optimizer: adamw`",
            ) from None
        return AdamW8bit(parameters, **settings)
    try:
        from prodigyopt import Prodigy
    except ImportError:
        raise KindredError(
            "prodigy needs the package prodigyopt",
            WHERE,
            "run `pip install prodigyopt`, or use `optimizer: adamw`",
        ) from None
    return Prodigy(
        parameters, use_bias_correction=True, safeguard_warmup=recipe.warmup > 0, **settings
    )


def _groups(
    parameters: Sequence[torch.nn.Parameter],
    recipe: Recipe,
    ups: Sequence[torch.nn.Parameter],
) -> Sequence[Any]:
    """The parameters; in two groups with LoRA+ (Hayou et al. 2024, arXiv 2402.12354)."""
    if recipe.loraplus_lr_ratio is None:
        return parameters
    those = set(map(id, ups))
    others = [parameter for parameter in parameters if id(parameter) not in those]
    return [{"params": others}, {"params": list(ups), RATIO: recipe.loraplus_lr_ratio}]


def clip_gradients(parameters: Sequence[torch.nn.Parameter], most: float) -> torch.Tensor:
    """Scale gradients down to a norm of `most`, where 0 is any; the norm before that []."""
    if most:
        return torch.nn.utils.clip_grad_norm_(parameters, most)
    return torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of all parameter groups, each with its ratio to it."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get(RATIO, 1.0)
