"""Words that tools put before the names of layers in LoRA files. Imports no torch."""

from __future__ import annotations

import re
from collections.abc import Iterator

# What tools put before a layer's name, one word or several in a row, and stands for no layer.
PREFIX_WORD = re.compile(
    r"(?:base_model|diffusion_model|transformer|unet|model|module|pipe|dit|lora|lycoris)[._]"
)
TEXT_ENCODER = re.compile(
    r"te\d?[._]|text_encoder|text_model|lora_clip|clip_[lg][._]|t5xxl|cond_stage_model|conditioner"
)


def bare_names(name: str) -> Iterator[str]:
    """A layer's name in a file, and what is left of it as one prefix after the other goes."""
    yield name
    while match := PREFIX_WORD.match(name):
        name = name[match.end() :]
        yield name


def is_of_text_encoder(key: str) -> bool:
    """Whether a key is of a text encoder's LoRA, which is not used."""
    return any(TEXT_ENCODER.match(name) for name in bare_names(key))
