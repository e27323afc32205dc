"""Loads a base's text encoders when something must be encoded, one at a time.

Shared by the programs that encode captions and prompts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kindred.compute import devices
from kindred.models import loading
from kindred.specs.base_model import TextEncoder

Loader = Callable[[], Callable[[str], Any]]


def text_loaders(encoder: TextEncoder, device: str, threads: int) -> tuple[Loader, Loader]:
    """(T5's loader, CLIP's loader); each, when called, claims the device, loads its model and
    gives the function text -> tensor. The model lives as long as that function."""

    def load_t5() -> Callable[[str], Any]:
        name = devices.acquire_device(device)
        from kindred.models.vae import encode_t5

        tokenizer, model = loading.load_t5(encoder, devices.prepare(name, threads))
        return lambda text: encode_t5(tokenizer, model, text, encoder.tokens)

    def load_clip() -> Callable[[str], Any]:
        name = devices.acquire_device(device)
        from kindred.models.vae import encode_clip

        tokenizer, model = loading.load_clip(encoder, devices.prepare(name, threads))
        return lambda text: encode_clip(tokenizer, model, text)

    return load_t5, load_clip
