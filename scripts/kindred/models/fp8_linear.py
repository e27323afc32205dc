"""Linear layers whose products are taken in 8-bit floats: half the memory of bfloat16, and up to
twice its speed on GPUs that multiply them (Ada, Hopper and later).

Weights have a scale a row and inputs a scale a token, found anew at each call (Micikevicius et al.
2022, arXiv 2209.05433: e4m3, largest number 448). Knows modules; knows nothing of bases or files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch

from kindred.common.backends import backend_of

KIND = torch.float8_e4m3fn
LARGEST = torch.finfo(KIND).max
SMALLEST_SCALE = 1e-12
MULTIPLE = 16  # of both edges of a weight, for the GPU's kernels
WRAPPED = ".base_layer"  # behind the name of a layer that has an adapter
FROM = (8, 9)  # compute capability


class Fp8Linear(torch.nn.Module):
    """A frozen linear layer of [..., in] to [..., out]; products in e4m3, sums in float32."""

    weight: torch.Tensor
    scale: torch.Tensor

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        """From a plain layer's weight [out, in] and bias [out]."""
        super().__init__()
        self.out_features, self.in_features = weight.shape
        eight, scale = eight_bit(weight)
        self.register_buffer("weight", eight)
        self.register_buffer("scale", scale.t().contiguous())
        self.bias = bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """In the precision of x, bfloat16 or float16."""
        return self.product(x, *eight_bit(x.reshape(-1, self.in_features)))

    def product(self, x: torch.Tensor, eight: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        """`forward(x)`, where x's tokens are in 8 bits already."""
        found = torch._scaled_mm(
            eight, self.weight.t(), scale, self.scale, out_dtype=torch.bfloat16, use_fast_accum=True
        ).to(x.dtype)
        if self.bias is not None:
            found = found + self.bias
        return found.view(*x.shape[:-1], self.out_features)


def answers(layers: Sequence[Any], x: torch.Tensor) -> list[torch.Tensor]:
    """What each layer makes of x; 8-bit layers share x in 8 bits, which the compiler would find
    anew for each."""
    if not all(isinstance(layer, Fp8Linear) for layer in layers):
        return [layer(x) for layer in layers]
    tokens = eight_bit(x.reshape(-1, x.shape[-1]))
    return [layer.product(x, *tokens) for layer in layers]


def eight_bit(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """[n, d] as e4m3 [n, d] and scales [n, 1] in float32, so that the first times the second is
    nearly what came."""
    rows = rows.float()
    scale = (rows.abs().amax(1, keepdim=True) / LARGEST).clamp(min=SMALLEST_SCALE)
    return (rows / scale).clamp(-LARGEST, LARGEST).to(KIND), scale


def can(device: torch.device) -> bool:
    """Whether a device multiplies 8-bit floats. CPUs do, slowly."""
    backend = backend_of(device)
    generation = torch.cuda.get_device_capability(device) if backend.cuda_api else FROM
    return backend.fp8 and generation >= FROM


def layers(transformer: Any, names: Collection[str]) -> Mapping[str, Any]:
    """Name -> layer, of the linear layers called so that the kernels can multiply; `names`: those
    that read tokens. Under adapters they go by their own names all the same."""
    return {
        name: part
        for name, part in transformer.named_modules()
        if isinstance(part, torch.nn.Linear)
        and name.removesuffix(WRAPPED) in names
        and not (part.in_features % MULTIPLE or part.out_features % MULTIPLE)
    }


def more(transformer: Any, names: Collection[str]) -> int:
    """Bytes that the weights take beyond what they take now."""
    found = layers(transformer, names).values()
    return sum(part.in_features * part.out_features - part.weight.nbytes for part in found)


@torch.no_grad()
def convert(transformer: Any, names: Collection[str], plain: Any) -> None:
    """Put such a layer in the place of each of `layers`; `plain(layer)` gives its weight [out, in]
    in full. One weight is in memory in full at a time."""
    for name, part in layers(transformer, names).items():
        transformer.set_submodule(name, Fp8Linear(plain(part), part.bias))
        part.weight = None
