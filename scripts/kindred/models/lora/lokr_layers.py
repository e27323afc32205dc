"""A LoKr beside a layer, as a kind of peft's LoRA: put on, computed and merged as those are.

(W1 x W2) x is computed as two small products and never made: W2 reads every d features in a row,
W1 mixes the b results. peft keeps what comes first as `lora_A` and what comes second as `lora_B`,
so LoKrs and LoRAs stand beside each other at weights of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from peft.tuners.lora.layer import LoraVariant

from kindred.models.lora.lokr_shapes import LokrShape


@dataclass(frozen=True)
class LokrFactors:
    """scale * kron(W1 [a, b], W2 [c, d]), or those `height` rows of it that begin at `start`, going
    on at the top. second: W2, or the two matrices [c, r] and [r, d] that it is the product of."""

    first: torch.Tensor
    second: tuple[torch.Tensor, ...]
    scale: float
    start: int = 0
    height: int | None = None

    @property
    def reads(self) -> int:
        """Features that it reads."""
        return self.first.shape[1] * self.second[-1].shape[1]

    @property
    def writes(self) -> int:
        """Features that it writes."""
        return self.height or self.first.shape[0] * self.second[0].shape[0]

    def product(self) -> torch.Tensor:
        """The change of a weight, [writes, reads], in float32."""
        second = [one.float() for one in self.second]
        larger = second[0] if len(second) == 1 else second[0] @ second[1]
        whole = torch.kron(self.first.float(), larger)
        return self.scale * whole.roll(-self.start, 0)[: self.writes]


class Second(torch.nn.Module):
    """W2 on every d features in a row: [..., b d] to [..., b, c]."""

    def __init__(self, second: tuple[torch.Tensor, ...]) -> None:
        super().__init__()
        self.factors = torch.nn.ParameterList(second)

    @property
    def weight(self) -> torch.Tensor:
        """What peft reads a precision and a device from."""
        return self.factors[0]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """In the precision of x."""
        x = x.unflatten(-1, (-1, self.factors[-1].shape[1]))
        for factor in reversed(list(self.factors)):
            x = torch.nn.functional.linear(x, factor.to(x.dtype))
        return x


class First(torch.nn.Module):
    """W1 over what W2 gave: [..., b, c] to [..., a c], or some rows of that."""

    def __init__(self, first: torch.Tensor, start: int, height: int) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(first)
        self.start, self.height = start, height

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """In the precision of x."""
        mixed = torch.einsum("ab,...bc->...ac", self.weight.to(x.dtype), x).flatten(-2)
        if self.start:
            mixed = mixed.roll(-self.start, -1)
        return mixed if self.height == mixed.shape[-1] else mixed[..., : self.height]


class Lokr(LoraVariant):  # type: ignore[misc]
    """How peft computes and merges it."""

    @staticmethod
    def forward(module: Any, active_adapter: str, x: Any, result: Any, **_: Any) -> torch.Tensor:
        """The layer's result with the adapter's added."""
        name = active_adapter
        changed = module.lora_B[name](module.lora_A[name](module.lora_dropout[name](x)))
        return result + changed * module.scaling[name]

    @staticmethod
    def merge_safe(module: Any, active_adapter: str, orig_weight: torch.Tensor) -> torch.Tensor:
        """The sum, as a new tensor."""
        return orig_weight + change_of(module, active_adapter).to(orig_weight.dtype)

    @staticmethod
    def merge_unsafe(module: Any, active_adapter: str, orig_weight: torch.Tensor) -> None:
        """The sum, in its place."""
        orig_weight.data += change_of(module, active_adapter)

    @staticmethod
    def unmerge(module: Any, active_adapter: str, orig_weight: torch.Tensor) -> torch.Tensor:
        """The weight without it."""
        return orig_weight - change_of(module, active_adapter).to(orig_weight.dtype)


def put(layer: Any, name: str, factors: LokrFactors) -> None:
    """Make a LoKr of peft's adapter `name` on a layer, where that adapter is. Raises ValueError for
    one of another size."""
    inner, place = layer.get_base_layer(), layer.lora_A[name].weight.device
    own, wanted = (factors.reads, factors.writes), (inner.in_features, inner.out_features)
    if own != wanted:
        raise ValueError(f"it changes {own[0]} x {own[1]} features, the layer has {wanted}")
    layer.lora_A[name] = Second(tuple(one.to(place) for one in factors.second))
    layer.lora_B[name] = First(factors.first.to(place), factors.start, factors.writes)
    layer.lora_variant[name] = Lokr()
    layer.r[name], layer.lora_alpha[name], layer.scaling[name] = 1, factors.scale, factors.scale


def factors_of(layer: Any, name: str) -> LokrFactors | None:
    """The LoKr `name` of a layer, sharing memory with it, at its present weight; None for none."""
    if not isinstance(getattr(layer, "lora_variant", {}).get(name), Lokr):
        return None
    first, second = layer.lora_B[name], tuple(layer.lora_A[name].factors)
    return LokrFactors(first.weight, second, layer.scaling[name], first.start, first.height)


def change_of(layer: Any, name: str) -> torch.Tensor:
    """What an adapter adds to a layer's weight at its present weight, [out, in]."""
    factors = factors_of(layer, name)
    if factors is None:
        change: torch.Tensor = layer.get_delta_weight(name)
        return change
    return factors.product()


def fresh(shape: LokrShape, scale: float) -> LokrFactors:
    """What training begins with, drawn from torch's generator: as LyCORIS does it, nothing is
    changed, because W2 or its second matrix is zero."""
    first = _drawn(shape.a, shape.b)
    if shape.rank is None:
        return LokrFactors(first, (torch.zeros(shape.c, shape.d),), scale)
    second = _drawn(shape.c, shape.rank), torch.zeros(shape.rank, shape.d)
    return LokrFactors(first, second, scale)


def _drawn(rows: int, columns: int) -> torch.Tensor:
    return torch.nn.init.kaiming_uniform_(torch.empty(rows, columns), a=math.sqrt(5))
