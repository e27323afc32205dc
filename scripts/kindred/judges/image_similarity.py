"""Whole pictures as vectors, by a self-supervised model of the DINOv2 class.

For copies of training images, drift against the base and diversity over seeds. The vector is the
class token after the last norm (DINOv2's own global feature; Oquab et al. 2023, arXiv 2304.07193).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from transformers import AutoModel

from kindred.judges.pretrained_vision import Vision, batches, load, pooled
from kindred.specs.judge import PretrainedModel

KINDS = ("dinov2", "dinov2_with_registers")


class Similarity:
    """Unit vectors of whole pictures; their cosine is likeness."""

    def __init__(self, vision: Vision) -> None:
        self.vision = vision
        self.identity = vision.identity

    @classmethod
    def open(cls, spec: PretrainedModel, device: torch.device | str = "cpu") -> Similarity:
        """By id@revision or local folder. Raises KindredError when it can't be had."""
        return cls(load(spec, AutoModel, KINDS, "similarity", device))

    @torch.inference_mode()
    def vectors(self, images: Sequence[Image.Image]) -> np.ndarray:
        """[N, D], in the order of the pictures."""
        model = self.vision.model
        rows = [
            pooled(model(**self.vision.pixels(some)).last_hidden_state[:, 0]).cpu()
            for some in batches(images)
        ]
        width = int(model.config.hidden_size)
        return torch.cat(rows).numpy() if rows else np.zeros((0, width), np.float32)
