"""How well a picture shows its prompt, by a model of the CLIP class.

The figure is the cosine of picture and text, the core of CLIPScore (Hessel et al. 2021,
arXiv 2104.08718) without its factor 2.5. Its scale is the model's own: CLIP gives 0.15 to 0.35,
SigLIP less; compare figures of one model only. Knows nothing of names: whoever asks replaces
trigger names by class nouns first, because no such model has heard of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from transformers import AutoModel, AutoTokenizer

from kindred.judges.pretrained_vision import (
    BATCH,
    UNREADABLE,
    Vision,
    batches,
    load,
    place,
    pooled,
    unloadable,
)
from kindred.specs.judge import PretrainedModel

ROLE = "adherence"
# SigLIP was trained on texts padded to full length (its model card); CLIP masks the padding.
KINDS: dict[str, str | bool] = {"clip": True, "siglip": "max_length"}


class Adherence:
    """Cosine of pictures and prompts."""

    def __init__(self, vision: Vision, tokenizer: Any) -> None:
        self.vision = vision
        self.tokenizer = tokenizer
        self.identity = vision.identity
        config = vision.model.config
        self.padding = KINDS[config.model_type]
        self.tokens = int(config.text_config.max_position_embeddings)

    @classmethod
    def open(cls, spec: PretrainedModel, device: torch.device | str = "cpu") -> Adherence:
        """By id@revision or local folder. Raises KindredError when it can't be had."""
        vision = load(spec, AutoModel, tuple(KINDS), ROLE, device)
        where, options = place(spec)
        try:
            tokenizer = AutoTokenizer.from_pretrained(where, **options)
        except UNREADABLE as error:
            raise unloadable(ROLE, spec, error) from error
        return cls(vision, tokenizer)

    @torch.inference_mode()
    def cosines(self, images: Sequence[Image.Image], prompts: Sequence[str]) -> list[float]:
        """Picture i against prompt i. Longer prompts are cut at the model's token limit."""
        texts = list(dict.fromkeys(prompts))
        rows = [self._texts(texts[at : at + BATCH]) for at in range(0, len(texts), BATCH)]
        by_text = dict(zip(texts, torch.cat(rows), strict=True)) if rows else {}
        pictures = self._pictures(images)
        wanted = [by_text[prompt] for prompt in prompts]
        pairs = zip(pictures, wanted, strict=True)
        return [float(picture @ text) for picture, text in pairs]

    def too_long(self, prompts: Sequence[str]) -> list[str]:
        """The prompts whose end the model never reads."""
        one_more = {"truncation": True, "max_length": self.tokens + 1}
        return [p for p in prompts if len(self.tokenizer(p, **one_more)["input_ids"]) > self.tokens]

    def _texts(self, texts: Sequence[str]) -> torch.Tensor:
        inputs = self.tokenizer(
            list(texts),
            padding=self.padding,
            truncation=True,
            max_length=self.tokens,
            return_tensors="pt",
        ).to(self.vision.device)
        return pooled(self.vision.model.get_text_features(**inputs)).cpu()

    def _pictures(self, images: Sequence[Image.Image]) -> list[torch.Tensor]:
        model = self.vision.model
        rows: list[torch.Tensor] = []
        for some in batches(images):
            rows += pooled(model.get_image_features(**self.vision.pixels(some))).cpu()
        return rows
