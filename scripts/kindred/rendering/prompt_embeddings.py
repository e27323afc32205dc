"""Embedded prompts: what the encoders cut off, and reading embeddings back for drawing.

Knows prompt names and texts; the encoding itself is the captions'.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kindred.common import safetensors_files
from kindred.common.errors import KindredError
from kindred.common.hashing import caption_hash
from kindred.data import encoding_cache
from kindred.models.tokenizers import load_tokenizer, too_long
from kindred.specs.base_model import Base, TextEncoder

if TYPE_CHECKING:
    import torch

ADVICE = "run encode_prompts again for this base and these prompts"


def truncation_warnings(encoder: TextEncoder, prompts: Mapping[str, str]) -> list[str]:
    """A warning for each prompt that is longer than an encoder reads, with the words it loses.

    T5 reads what a picture shows; CLIP only sets its general direction, and less of it.
    """
    at = f"@{encoder.revision}" if encoder.revision else ""
    warnings = []
    for part, reader in (("tokenizer_2", "T5"), ("tokenizer", "CLIP")):
        tokenizer = load_tokenizer(f"{encoder.model}/{part}{at}")
        limit = encoder.tokens if reader == "T5" else tokenizer.model_max_length
        for cut in too_long(tokenizer, limit, prompts)["cut"]:
            warnings.append(
                f"prompt '{cut['id']}': {cut['tokens']} tokens where {reader} reads {limit}; "
                f"lost: “{cut['lost']}”"
            )
    return warnings


def read_texts(
    path: Path | str, prompts: Iterable[str], base: Base
) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Caption hash -> (T5 states [L, D], CLIP vector [P]) of the prompts.

    Raises KindredError when the file lacks one, or was made by other encoders than the base's.
    """
    entries, metadata = safetensors_files.header(path)
    made_by = json.loads(metadata.get(encoding_cache.ABOUT, "{}"))
    expected = encoding_cache.texts_fingerprint(base.text_encoder())
    wrong = sorted(key for key in expected if made_by.get(key) != expected[key])
    if wrong:
        found = ", ".join(f"{key} {made_by.get(key)} instead of {expected[key]}" for key in wrong)
        raise KindredError(f"{path}: made by another text encoder ({found}); {ADVICE}")
    by_hash = {caption_hash(prompt): prompt for prompt in prompts}
    lost = [prompt for name, prompt in by_hash.items() if f"{name}.t5" not in entries]
    if lost:
        quoted = ", ".join(f"“{prompt}”" for prompt in lost)
        raise KindredError(f"{path}: lacks {quoted}; {ADVICE}")
    found_texts = encoding_cache.read_texts(path, by_hash)
    return {name: (text.states, text.pooled) for name, text in found_texts.items()}
