"""A LoKr of ours under the names that ComfyUI and kohya's tools read.

Where a tool knows diffusers' layers, names stay as they are. Else a layer gets the original code's
name, and where that layer has several of diffusers' as its rows there is no LoKr of it: three
Kronecker products one below the other are none. It is then written as kron([1], weight), which is
one, exact, and as large as the layer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kindred.common.errors import KindredError
from kindred.models.architectures.interface import (
    AdapterKeys,
    Architecture,
    FusedLayer,
    LoraLayout,
)
from kindred.models.lora import lokr_keys
from kindred.models.lora.key_conversion import PREFIX

if TYPE_CHECKING:
    import torch

    from kindred.models.lora.lokr_layers import LokrFactors

# What LyCORIS writes into the header of a file of its own.
HEADER = {"ss_network_module": "lycoris.kohya", "ss_network_args": json.dumps({"algo": "lokr"})}


def in_other_layout(where: str) -> KindredError:
    """The error for a file that another tool wrote, or that was written for one."""
    what = "is already in a layout of kohya's tools or ComfyUI"
    return KindredError(what, where, "use it as it is in the tools that it was made for")


def renamed(
    state: Mapping[str, torch.Tensor],
    architecture: Architecture,
    keys: AdapterKeys,
    where: str,
    layout: LoraLayout | None,
) -> dict[str, torch.Tensor]:
    """The LoKr by the names of a layout of the original code's; layout None: by diffusers'.

    Raises KindredError, which begins with `where`, for what is no LoKr of ours.
    """
    if not all(name.startswith(PREFIX) for name in state):
        raise in_other_layout(where)
    layers = lokr_keys.read(state, architecture, where)
    if layout is None:
        return dict(state)
    found: dict[str, torch.Tensor] = {}
    fused: dict[FusedLayer, dict[str, LokrFactors]] = {}
    for part, factors in sorted(layers.items()):
        layer = keys.fused_layer(part)
        assert layer is not None  # read() knows only layers with names
        if layer.parts == (part,) and not layer.swapped:
            found |= lokr_keys.named(_module(layer, layout), factors)
        else:
            fused.setdefault(layer, {})[part] = factors
    for layer, parts in fused.items():
        found |= _dense(layer, parts, layout)
    return found


def _module(layer: FusedLayer, layout: LoraLayout) -> str:
    if layout == "peft":
        return f"diffusion_model.{layer.original}"
    return "lora_unet_" + layer.original.replace(".", "_")


def _dense(
    layer: FusedLayer, parts: Mapping[str, LokrFactors], layout: LoraLayout
) -> dict[str, torch.Tensor]:
    """The whole layer's change; rows of parts that have none are zero."""
    import torch

    from kindred.models.lora.lokr_layers import LokrFactors

    one = next(iter(parts.values()))
    heights = layer.heights(one.reads) if len(layer.parts) > 1 else [one.writes]
    rows = [
        parts[part].product() if part in parts else torch.zeros(height, one.reads)
        for part, height in zip(layer.parts, heights, strict=True)
    ]
    whole = torch.cat(rows)
    if layer.swapped:
        whole = whole.roll(whole.shape[0] // 2, 0)
    factors = LokrFactors(torch.ones(1, 1), (whole,), 1.0)
    return lokr_keys.named(_module(layer, layout), factors)
