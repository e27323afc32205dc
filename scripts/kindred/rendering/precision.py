"""A base's transformer with its adapters, in the precision that a prompt set is drawn in.

trained: adapters beside the quantized weights, as they were trained. merged: adapters added into
the base's own weights, layer by layer, each quantized again. unquantized: adapters on the base's
own weights; where the card is too small for them, they stay in their files and visit it block by
block. fp8: as trained, with large products in 8-bit floats. Of quantized weights that are too much
for the card, so many blocks' as must lie in the machine's memory, and visit it too. Knows modules
and memory; knows nothing of prompts or pictures.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from peft.tuners.tuners_utils import BaseTunerLayer

from kindred.common import safetensors_files
from kindred.common.backends import backend_of
from kindred.common.errors import KindredError
from kindred.common.sentences import plural
from kindred.compute.block_offload import Offloader, place, to_offload, weight_bytes
from kindred.compute.group_offload import stream_blocks
from kindred.compute.memory_fitting import blocks_of
from kindred.compute.memory_limit import GIB, available
from kindred.models import architectures, fp8_linear, loading, quantized_weights
from kindred.models.identity import architecture_of
from kindred.models.lora.adapters import Adapter, apply_adapters
from kindred.models.lora.lokr_layers import change_of
from kindred.specs.base_model import Base
from kindred.specs.rendering import RenderSpec

# Beside the weights: activations of one large picture, and the VAE as it decodes that at once.
WORKING = 5 * GIB
# What a token of reference pictures takes while a pass reads it: a row of the widest layer of a
# block 4096 features wide, and what that is made of, in halves. Counted, not measured.
TOKEN_BYTES = 200_000
# And where the VAE decodes in tiles, which it does when memory runs out.
LEAST_WORKING = 2 * GIB


def load(
    spec: RenderSpec,
    adapters: Sequence[Adapter],
    device: torch.device | str,
    places: Mapping[str, Any] | None = None,
) -> Any:
    """The transformer to draw with, on `device` or in `places` (module -> device).

    Raises KindredError for a base or adapter that can't be used.
    """
    way, device = spec.drawn_as(bool(adapters)), torch.device(device)
    if way == "fp8":
        _check_eight_bit(spec.base, device)
    elif way == "unquantized" or spec.base.quantization is None:
        return _whole(spec, adapters, device, places)
    transformer = _load_or_take_home(spec.base, device, places)
    apply_adapters(transformer, adapters, merge=False)
    if way == "merged":
        merge_and_quantize(transformer, spec.base, device)
    limited = places is None and backend_of(device).cuda_api
    beside = working_beside(spec)
    if limited and offload_excess(transformer, device, beside):
        if way == "fp8":
            raise KindredError(
                "the GPU is too small for the weights, even as trained",
                "precision: fp8",
                "remove `precision`",
            )
        return transformer
    left = room(device, beside) if limited else None
    if way == "fp8":
        _to_eight_bit(transformer, left)
    elif left is not None:
        dequantize_weights(transformer, left)
    return transformer


def working_beside(spec: RenderSpec) -> int:
    """Bytes that the work on one picture takes more beside the largest reference pictures of all
    characters; 0 without."""
    shown = spec.references
    if shown is None:
        return 0
    tokens = (
        sum(shown.photos.values()) * shown.area // architecture_of(spec.base).size_multiple ** 2
    )
    return tokens * TOKEN_BYTES


def room(device: torch.device, beside: int = 0) -> int:
    """Bytes of a GPU that are left beside the work on one picture, which takes `beside` more."""
    return int(available(device)) - WORKING - beside


def _load_or_take_home(base: Base, device: torch.device, places: Mapping[str, Any] | None) -> Any:
    """The base's transformer on the device, or in main memory where the device can't take it."""
    try:
        return loading.load_transformer(base, device, places=places)
    except torch.OutOfMemoryError:
        if places is not None:
            raise
    # Outside the except clause, which holds what was loaded.
    gc.collect()
    torch.cuda.empty_cache()
    return loading.load_transformer(base, device, in_main_memory=True)


def offload_excess(transformer: Any, device: torch.device, beside: int = 0) -> bool:
    """Bring a transformer to the device, but for the weights of so many blocks that a picture can
    be drawn beside the rest, in `beside` bytes more than one without reference pictures; those
    visit it. Whether there are any."""
    blocks, total = blocks_of(transformer), weight_bytes(transformer)
    there = next(transformer.parameters()).device.type == device.type
    allowed = available(device) + (total if there else 0) - LEAST_WORKING - beside
    away = to_offload([weight_bytes(block) for block in blocks], total - allowed)
    visiting = {index: blocks[index] for index in away}
    offloader = Offloader(visiting, device)
    place(transformer, visiting, device)
    offloader.fetch_before_calls()
    transformer.kindred_offloaded = bool(away)
    if away:
        torch.cuda.empty_cache()
        print(
            f"the quantized base is larger than the GPU, so {len(away)} of {len(blocks)} blocks "
            f"{plural(len(away), 'is', 'are')} loaded from main memory when needed",
            file=sys.stderr,
        )
    return bool(away)


def is_offloaded(transformer: Any) -> bool:
    """Whether weights of its blocks visit the device: it can't be recorded then."""
    return getattr(transformer, "kindred_offloaded", False)


@torch.no_grad()
def dequantize_weights(transformer: Any, allowed: int) -> bool:
    """Put dequantized weights in the place of NF4 ones, where that takes at most `allowed` bytes
    more: every pass needs them so, and dequantizing takes time. Whether it was done.

    The weights are those that bitsandbytes would compute with; its own products of few rows round
    otherwise, so pictures change about as much as with another library version, and say so. LLM
    int8 weights are left: they are multiplied as integers.
    """
    import bitsandbytes as bnb

    packed = {
        name: part
        for name, part in transformer.named_modules()
        if isinstance(part, bnb.nn.Linear4bit)
    }
    more = sum(
        part.in_features * part.out_features * part.compute_dtype.itemsize - part.weight.nbytes
        for part in packed.values()
    )
    if not packed or more > allowed:
        return False
    for name, part in packed.items():
        weight = dequantized(part)
        with torch.device("meta"):
            plain = torch.nn.Linear(part.in_features, part.out_features, part.bias is not None)
        plain.weight = torch.nn.Parameter(weight.to(part.compute_dtype), requires_grad=False)
        plain.bias = part.bias
        transformer.set_submodule(name, plain)
        part.weight = None
    transformer.kindred_unpacked = True
    return True


def is_unpacked(transformer: Any) -> bool:
    """Whether `unpack` was done to it."""
    return getattr(transformer, "kindred_unpacked", False)


def _check_eight_bit(base: Base, device: torch.device) -> None:
    """Raise KindredError where a base or GPU has no products in 8-bit floats."""
    if base.quantization == "int8":
        raise KindredError(
            "an int8 base already computes in 8-bit integers",
            "precision: fp8",
            "remove `precision`, or use a base in NF4 or bfloat16",
        )
    if not fp8_linear.can(device):
        raise KindredError(
            "this GPU can't compute with 8-bit floats (RTX 40, H100 and later can)",
            "precision: fp8",
            "remove `precision`",
        )


def _to_eight_bit(transformer: Any, left: int | None) -> None:
    """The blocks' layers in 8-bit floats; `left`: bytes that they may take more, None: any."""
    names = token_layers(transformer)
    more = fp8_linear.more(transformer, names)
    if left is not None and more > left:
        raise KindredError(
            f"the weights take {more / GIB:.1f} GiB more than as trained, but the GPU has only "
            f"{max(0, left) / GIB:.1f} GiB to spare",
            "precision: fp8",
            "remove `precision`",
        )
    fp8_linear.convert(transformer, names, dequantized)


def token_layers(transformer: Any) -> frozenset[str]:
    """Names of the layers that read tokens inside the blocks."""
    return architectures.of_network(transformer).layout(transformer.config).token_layers


def dequantized(layer: Any) -> torch.Tensor:
    """A linear layer's weight [out, in] in full, from NF4 or as it is."""
    import bitsandbytes as bnb

    if isinstance(layer, bnb.nn.Linear4bit):
        return bnb.functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state)
    return layer.weight


def _whole(
    spec: RenderSpec,
    adapters: Sequence[Adapter],
    device: torch.device,
    places: Mapping[str, Any] | None,
) -> Any:
    """The base's own weights with adapters, on the device or visiting it block by block."""
    base = spec.base.model_copy(update={"quantization": None})
    own = backend_of(device).cuda_api  # memory that weights may be too much for
    away = own and not places and not fits(base, device, working_beside(spec))
    transformer = loading.load_transformer(base, "cpu" if away else device, places=places)
    # Merging would draw weights out of their files into main memory, all of them.
    apply_adapters(transformer, adapters, spec.merged() and not away)
    if away:
        print(
            "the base is larger than the GPU, so its blocks are loaded one by one", file=sys.stderr
        )
        stream_blocks(transformer, device)
    return transformer


def _part(base: Base) -> str:
    """The folder of the base's transformer."""
    return architecture_of(base).parts.network.folder


def fits(base: Base, device: torch.device, beside: int = 0) -> bool:
    """Whether the base's own weights and one picture's work, with `beside` bytes more, fit into
    what is free of a GPU."""
    files = set(loading.weight_files(base, _part(base)).values())
    return sum(file.stat().st_size for file in files) <= room(device, beside)


@torch.no_grad()
def merge_and_quantize(transformer: Any, base: Base, device: torch.device) -> None:
    """Put base weight + adapters, quantized as the base is, into every adapted layer, and drop the
    adapters. Of the base's own weights one is in memory at a time; sums are in float32, made on
    `device`.

    Raises KindredError for adapters of the DoRA kind, which are no sum.
    """
    files = loading.weight_files(base, _part(base))
    dtype, kind = loading.torch_dtype(base.dtype), str(base.quantization)
    for name, layer in list(transformer.named_modules()):
        if not isinstance(layer, BaseTunerLayer):
            continue
        if any(layer.use_dora.values()):
            raise KindredError(
                "a DoRA adapter can't be merged into weights that are quantized again",
                "precision: merged",
                "use `precision: trained` or `unquantized`",
            )
        inner = layer.get_base_layer()
        weight = f"{name}.weight"
        total = safetensors_files.load(files[weight], [weight])[weight].to(device, torch.float32)
        for adapter in layer.active_adapters:
            total += change_of(layer, adapter).to(device).float()
        quantized_weights.replace(inner, total.to(dtype), kind, device)
    transformer.unload_lora()
