"""Writes captions with a model that is told what to say: Qwen-VL, LLaVA (JoyCaption) or Florence-2.

Knows transformers; imported only when a caption is missing. Knows nothing of names or files. The
answer is the same every time: nothing is sampled, one picture at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoModelForImageTextToText,
    AutoProcessor,
    AutoTokenizer,
)

from kindred.common.errors import KindredError, first_line_of
from kindred.specs.dataset import Captioner

KINDS = ("qwen3_vl", "qwen2_5_vl", "llava", "florence2")
WITHOUT_PROCESSOR = ("qwen3_vl", "qwen2_5_vl")  # theirs asks for torchvision, because of videos
WHOLE = (
    "Describe this photo in one sentence: what each person wears and does, and where they are. "
    "Name nobody, and don't guess what they feel."
)
PART = (
    "Describe the one person in the middle in one short phrase that begins with 'a': clothes with "
    "colours, and what they do. Name nobody, and say nothing of the place or of anybody else."
)
TASKS = {WHOLE: "<DETAILED_CAPTION>", PART: "<CAPTION>"}  # Florence-2 knows only its own


@dataclass
class InstructedCaptioner:
    """A loaded captioner."""

    model: Any
    kind: str
    processor: Any
    tokenizer: Any
    max_tokens: int


def kind_of(spec: Captioner) -> str:
    """The model's type by its configuration. Raises KindredError when it can't be read."""
    options = {} if Path(spec.model).is_dir() else {"revision": spec.revision}
    try:
        return str(AutoConfig.from_pretrained(spec.model, **options).model_type)
    except (OSError, ValueError) as error:
        raise unloadable(spec, error) from error


def unloadable(spec: Captioner, error: Exception) -> KindredError:
    """The error for a captioner that can't be loaded."""
    return KindredError(
        f"can't be loaded ({first_line_of(error)})",
        f"captioner {spec.model}",
        "check the name and the network, use a local folder, or write the missing captions "
        "yourself",
    )


def load(spec: Captioner, kind: str) -> InstructedCaptioner:
    """Load by id@revision or from a local directory: in bfloat16 on the GPU where there is one,
    else in float32 on the CPU. Raises KindredError when it can't be loaded."""
    options = {} if Path(spec.model).is_dir() else {"revision": spec.revision}
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    try:
        model = AutoModelForImageTextToText.from_pretrained(spec.model, dtype=dtype, **options)
        if kind in WITHOUT_PROCESSOR:
            processor = AutoImageProcessor.from_pretrained(spec.model, backend="pil", **options)
            tokenizer = AutoTokenizer.from_pretrained(spec.model, **options)
        else:
            processor = AutoProcessor.from_pretrained(spec.model, **options)
            tokenizer = processor.tokenizer
    except (OSError, ValueError, ImportError) as error:
        raise unloadable(spec, error) from error
    return InstructedCaptioner(model.to(device).eval(), kind, processor, tokenizer, spec.max_tokens)


@torch.inference_mode()
def describe(writer: InstructedCaptioner, image: Image.Image, instruction: str) -> str:
    """What the model says of an RGB image when it is told so."""
    told = _inputs(writer, image, instruction)
    device, dtype = writer.model.device, writer.model.dtype
    told = {
        name: value.to(device, dtype if value.is_floating_point() else None)
        for name, value in told.items()
    }
    tokens = writer.model.generate(
        **told, max_new_tokens=writer.max_tokens, do_sample=False, num_beams=1
    )
    # Florence-2 decodes apart from what it read; the others go on behind it.
    begin = 0 if writer.kind == "florence2" else told["input_ids"].shape[1]
    text = writer.tokenizer.decode(tokens[0, begin:], skip_special_tokens=True)
    return " ".join(text.split())


def _inputs(
    writer: InstructedCaptioner, image: Image.Image, instruction: str
) -> dict[str, torch.Tensor]:
    if writer.kind == "florence2":
        return dict(writer.processor(text=TASKS[instruction], images=image, return_tensors="pt"))
    content = [{"type": "image"}, {"type": "text", "text": instruction}]
    messages = [{"role": "user", "content": content}]
    if writer.kind not in WITHOUT_PROCESSOR:
        text = writer.processor.apply_chat_template(messages, add_generation_prompt=True)
        return dict(writer.processor(images=image, text=text, return_tensors="pt"))
    text = writer.tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=False
    )
    seen = writer.processor(images=[image], return_tensors="pt")
    number = writer.model.config.image_token_id
    mark = writer.tokenizer.convert_ids_to_tokens(number)
    places = int(seen["image_grid_thw"][0].prod()) // writer.processor.merge_size**2
    read = writer.tokenizer(text.replace(mark, mark * places), return_tensors="pt")
    types = (read["input_ids"] == number).long()
    return {
        "input_ids": read["input_ids"],
        "attention_mask": read["attention_mask"],
        "mm_token_type_ids": types,
        "pixel_values": seen["pixel_values"],
        "image_grid_thw": seen["image_grid_thw"],
    }
