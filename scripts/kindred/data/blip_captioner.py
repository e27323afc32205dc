"""Writes captions with a BLIP model: one image in, one sentence out, the same every time.

Knows transformers; imported only when a caption is missing. Knows nothing of names or files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import AutoConfig, AutoTokenizer, BlipForConditionalGeneration

# The plain class name asks for torchvision, which nothing else here needs.
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

from kindred.common.errors import KindredError, first_line_of
from kindred.specs.dataset import Captioner

BEAMS = 3


@dataclass
class BlipCaptioner:
    """A loaded captioner."""

    model: Any
    processor: Any
    tokenizer: Any
    max_tokens: int


def load(spec: Captioner) -> BlipCaptioner:
    """Load by id@revision or from a local directory, on the CPU in float32.

    Raises KindredError when it is missing or no BLIP model.
    """
    where = f"captioner {spec.model}"
    options = {} if Path(spec.model).is_dir() else {"revision": spec.revision}
    try:
        config = AutoConfig.from_pretrained(spec.model, **options)
        if config.model_type != "blip":
            raise KindredError(
                f"is a '{config.model_type}' model",
                where,
                "name a captioning model of a kind that docs/guide/who-is-who.md lists",
            )
        model = BlipForConditionalGeneration.from_pretrained(
            spec.model, dtype=torch.float32, **options
        )
        processor = BlipImageProcessorPil.from_pretrained(spec.model, **options)
        tokenizer = AutoTokenizer.from_pretrained(spec.model, **options)
    except (OSError, ValueError) as error:
        raise KindredError(
            f"can't be loaded ({first_line_of(error)})",
            where,
            "check the name and the network, use a local folder, or write the missing captions "
            "yourself",
        ) from error
    return BlipCaptioner(model.eval(), processor, tokenizer, spec.max_tokens)


@torch.inference_mode()
def describe(writer: BlipCaptioner, image: Image.Image) -> str:
    """One sentence about an RGB image: beam search without sampling, one image at a time, so that
    the text depends on nothing but the image and the model."""
    pixels = writer.processor(images=image, return_tensors="pt")["pixel_values"]
    tokens = writer.model.generate(
        pixel_values=pixels,
        max_new_tokens=writer.max_tokens,
        num_beams=BEAMS,
        do_sample=False,
    )
    return tidy(writer.tokenizer.decode(tokens[0], skip_special_tokens=True))


def tidy(text: str) -> str:
    """Single spaces, no space before punctuation, and without BLIP's nonsense word 'arafed'."""
    text = re.sub(r"\b(an? )?araf\w*\b", lambda m: "a" if m.group(1) else "", text)
    return re.sub(r"\s+([,.;:!?])", r"\1", " ".join(text.split()))
