"""Loading of pretrained vision models by id@revision or from a local folder.

Knows transformers and what can go wrong when a model is fetched; knows nothing of what the models
are for. Image processors are the Pillow ones: torchvision is not needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError
from transformers import AutoConfig, AutoImageProcessor
from transformers.utils import logging

from kindred.common.errors import KindredError
from kindred.common.sentences import counted, listing
from kindred.models.identity import identity, is_local
from kindred.specs.judge import PretrainedModel

BATCH = 16  # pictures
SHOWN = 6  # labels that a message names
UNREADABLE = (OSError, ValueError, ImportError, SafetensorError)


@dataclass(frozen=True)
class Vision:
    """A model with its image processor, in evaluation mode, float32."""

    model: Any
    processor: Any
    identity: str
    device: torch.device

    def pixels(self, images: Sequence[Image.Image]) -> dict[str, torch.Tensor]:
        """The model's image inputs, on its device. All pictures must come out at one size."""
        rgb = [image.convert("RGB") for image in images]
        # The model gets exactly what its processor makes: pixel_values, for some a pixel_mask.
        inputs = self.processor(images=rgb, return_tensors="pt")
        return {name: value.to(self.device) for name, value in inputs.items()}


def place(spec: PretrainedModel) -> tuple[str, dict[str, str | None]]:
    """Where `from_pretrained` finds a model: folder, or repository id with its revision."""
    if is_local(spec.model):
        return str(Path(spec.model).expanduser()), {}
    return spec.model, {"revision": spec.revision}


def named(spec: PretrainedModel) -> str:
    """'id@revision'; for a local folder a hash of its files stands for the revision."""
    return identity(spec.model, spec.revision, parts=("",))


def load(
    spec: PretrainedModel,
    auto: Any,
    kinds: Sequence[str],
    role: str,
    device: torch.device | str = "cpu",
) -> Vision:
    """Load with an auto class of transformers; `kinds` are the model types that will do ([]: any).

    Raises KindredError when the model is missing, damaged or of another kind.
    """
    where, options = place(spec)
    logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(where, **options)
        if kinds and config.model_type not in kinds:
            raise KindredError(
                f"'{spec.model}' is a '{config.model_type}' model",
                f"judge: {role}",
                f"name a model of one of these kinds: {', '.join(kinds)}",
            )
        processor = AutoImageProcessor.from_pretrained(where, backend="pil", **options)
        model, report = auto.from_pretrained(
            where, dtype=torch.float32, output_loading_info=True, **options
        )
        # Weights that a file lacks are drawn at random, with no more than a warning.
        if lacking := sorted(report["missing_keys"]):
            raise ValueError(f"lacks {counted(len(lacking), 'weight')}, e.g. {lacking[0]}")
    except UNREADABLE as error:
        raise unloadable(role, spec, error) from error
    return Vision(model.eval().to(device), processor, named(spec), torch.device(device))


def numbers_of(label: str, vision: Vision, role: str, kind: str) -> list[int]:
    """The numbers by which a model answers this label, whatever its case.

    Raises KindredError when it answers none such; `kind` is what to name instead.
    """
    labels = vision.model.config.id2label
    found = [int(number) for number, name in labels.items() if name.casefold() == label]
    if not found:
        known = sorted(labels.values())
        others = [counted(len(known) - SHOWN, "other")] if len(known) > SHOWN else []
        raise KindredError(
            f"{vision.identity} does not know '{label}', only {listing([*known[:SHOWN], *others])}",
            role,
            f"name a {kind} that was trained on COCO",
        )
    return found


def unloadable(role: str, spec: PretrainedModel, error: Exception) -> KindredError:
    """The message for a model that can't be had, with the first line of the library's reason."""
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return KindredError(
        f"'{spec.model}' can't be loaded ({reason})",
        f"judge: {role}",
        "check the name and the network, or name a local folder",
    )


def batches(images: Sequence[Image.Image], size: int = BATCH) -> Iterator[Sequence[Image.Image]]:
    """The pictures, in order, a few at a time."""
    for first in range(0, len(images), size):
        yield images[first : first + size]


def pooled(output: Any) -> torch.Tensor:
    """[B, D] at unit length, from a model's output or the features themselves."""
    features = output if isinstance(output, torch.Tensor) else output.pooler_output
    return torch.nn.functional.normalize(features.float(), dim=-1)
