"""Loads a base's text encoders when something must be encoded, one at a time.

Shared by the programs that encode captions and prompts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from kindred.common.backends import backend_of
from kindred.compute import devices
from kindred.compute.memory_limit import GIB, available
from kindred.models import loading
from kindred.models.identity import architecture_of
from kindred.specs.base_model import TextEncoder

if TYPE_CHECKING:
    import torch

WORKING = 0.5 * GIB  # of a large encoder on one text, beside its weights


def text_loader(
    encoder: TextEncoder, device: str, threads: int
) -> Callable[[str], Callable[[str], Any]]:
    """Claims the device and loads an encoder when it is called with the name of a tensor; gives the
    function text -> that tensor, as long as which the encoder lives."""

    def load(name: str) -> Callable[[str], Any]:
        claimed = devices.prepare(devices.acquire_device(device), threads)
        text = architecture_of(encoder).text
        part = partial(part_that_fits, encoder, claimed)
        return text.encoder(name, part, encoder.tokens)

    return load


def part_that_fits(encoder: TextEncoder, device: torch.device, folder: str) -> Any:
    """A tokenizer, or an encoder on the device; where that is too small for the weights, they stay
    in their files and visit it block by block, which gives the same states. Quantized ones are read
    once and are a half or a quarter of that: they have to fit."""
    blocks = architecture_of(encoder).parts.find(folder).blocks
    visits = blocks is not None and backend_of(device).cuda_api and not encoder.quantization
    if not visits or _fits(encoder, folder, device):
        return loading.load_text_part(encoder, folder, device)
    from kindred.compute.group_offload import stream_blocks

    readers = architecture_of(encoder).text.tokenizers
    name = " and ".join(one.reader for one in readers if one.content)
    print(f"{name} is larger than the GPU: its blocks visit it one by one", file=sys.stderr)
    model = loading.load_text_part(encoder, folder, "cpu")
    stream_blocks(model.get_submodule(blocks), device)
    return model


def _fits(encoder: TextEncoder, folder: str, device: torch.device) -> bool:
    """Whether an encoder's own weights and one text's work fit into what is left of a GPU."""
    files = set(loading.weight_files(encoder, folder).values())
    return sum(file.stat().st_size for file in files) + WORKING <= available(device)
