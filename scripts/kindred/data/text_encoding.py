"""Loads a base's text encoders when something must be encoded, one at a time.

Shared by the programs that encode captions and prompts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kindred.compute import devices
from kindred.compute.memory_limit import GIB, available
from kindred.models import loading
from kindred.specs.base_model import TextEncoder

if TYPE_CHECKING:
    import torch

WORKING = 0.5 * GIB  # of T5 on one text, beside its weights
Loader = Callable[[], Callable[[str], Any]]


def text_loaders(encoder: TextEncoder, device: str, threads: int) -> tuple[Loader, Loader]:
    """(T5's loader, CLIP's loader); each, when called, claims the device, loads its model and
    gives the function text -> tensor. The model lives as long as that function."""

    def load_t5() -> Callable[[str], Any]:
        name = devices.acquire_device(device)
        from kindred.models.vae import encode_t5

        tokenizer, model = t5_that_fits(encoder, devices.prepare(name, threads))
        return lambda text: encode_t5(tokenizer, model, text, encoder.tokens)

    def load_clip() -> Callable[[str], Any]:
        name = devices.acquire_device(device)
        from kindred.models.vae import encode_clip

        tokenizer, model = loading.load_clip(encoder, devices.prepare(name, threads))
        return lambda text: encode_clip(tokenizer, model, text)

    return load_t5, load_clip


def t5_that_fits(encoder: TextEncoder, device: torch.device) -> tuple[Any, Any]:
    """(tokenizer, T5) on the device; where that is too small for the weights, they stay in their
    files and visit it block by block, which gives the same states. Quantized ones are read once
    and are a half or a quarter of that: they have to fit."""
    if device.type != "cuda" or encoder.quantization or _fits(encoder, device):
        return loading.load_t5(encoder, device)
    from kindred.compute.group_offload import stream_blocks

    print("T5 is larger than the GPU: its blocks visit it one by one", file=sys.stderr)
    tokenizer, model = loading.load_t5(encoder, "cpu")
    stream_blocks(model.encoder, device)
    return tokenizer, model


def _fits(encoder: TextEncoder, device: torch.device) -> bool:
    """Whether T5's own weights and one text's work fit into what is left of a GPU."""
    files = set(loading.weight_files(encoder, "text_encoder_2").values())
    return sum(file.stat().st_size for file in files) + WORKING <= available(device)
