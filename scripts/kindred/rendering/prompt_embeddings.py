"""Embedded prompts: what the encoders cut off, and reading embeddings back for drawing.

Knows prompt names and texts; the encoding itself is the captions'.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from kindred.common import safetensors_files
from kindred.common.errors import KindredError
from kindred.common.hashing import caption_hash
from kindred.common.sentences import counted, plural
from kindred.data import encoding_cache
from kindred.models.identity import architecture_of, place_of
from kindred.models.opened_base import OpenedBase
from kindred.models.tokenizers import (
    load_tokenizer,
    too_long,
    unknown_tokens,
    word_positions,
)
from kindred.rendering.image_plan import ImageRequest
from kindred.specs.base_model import Base, TextEncoder

if TYPE_CHECKING:
    import torch

ADVICE = "delete it and run `snakemake`, which encodes this base's prompts again"


def reading_warnings(encoder: TextEncoder, prompts: Mapping[str, str]) -> list[str]:
    """A warning for each prompt that is longer than an encoder reads, with the words it loses, and
    for each with words that an encoder has no token for."""
    warnings = []
    readers = architecture_of(encoder).text.tokenizers
    for reader in sorted(readers, key=lambda reader: not reader.content):
        tokenizer = load_tokenizer(place_of(encoder, reader.folder))
        limit = tokenizer.model_max_length if reader.limit else encoder.tokens
        template = reader.before, reader.uncounted
        for cut in too_long(tokenizer, limit, prompts, *template)["cut"]:
            warnings.append(
                f"prompt '{cut['id']}': {cut['tokens']} tokens where {reader.reader} reads "
                f"{limit}; lost: “{cut['lost']}”"
            )
        for row in unknown_tokens(tokenizer, prompts):
            warnings.append(
                f"prompt '{row['id']}': {row['unknown']} of {counted(row['tokens'], 'token')} "
                f"{plural(row['unknown'], 'is', 'are')} unknown to "
                f"{reader.reader}: {', '.join(row['words'])}"
            )
    return warnings


def texts_of(
    path: Path | str, pictures: Sequence[ImageRequest], base: OpenedBase
) -> dict[str, dict[str, torch.Tensor]]:
    """Caption hash -> the tensors, by name, of all that drawing these pictures reads.

    Raises KindredError as `read_texts` does, and for a negative prompt that would not be read.
    """
    idle = [p for p in pictures if p.negative and not base.cfg_scale(p.settings["guidance"])]
    if idle:
        scale = idle[0].settings["guidance"]
        raise KindredError(
            f"has a negative prompt, which {base.spec.model} ignores at guidance {scale:g}",
            f"prompt '{idle[0].name}'",
            "remove `negative:`; it is for bases that draw with a second pass, at a "
            "`guidance_scale` that turns it on",
        )
    return read_texts(path, [text for picture in pictures for text in picture.texts], base.spec)


def read_texts(
    path: Path | str, prompts: Iterable[str], base: Base
) -> dict[str, dict[str, torch.Tensor]]:
    """Caption hash -> the tensors, by name, of the prompts and of the unconditional text.

    Raises KindredError when the file lacks one, or was made by other encoders than the base's.
    """
    _, metadata = safetensors_files.header(path)
    made_by = json.loads(metadata.get(encoding_cache.ABOUT, "{}"))
    expected = encoding_cache.texts_fingerprint(base.text_encoder())
    wrong = sorted(key for key in expected if made_by.get(key) != expected[key])
    if wrong:
        found = ", ".join(f"{key} {made_by.get(key)} instead of {expected[key]}" for key in wrong)
        raise KindredError(f"was made by another text encoder ({found})", str(path), ADVICE)
    asked = [architecture_of(base).text.unconditional, *prompts]
    by_hash = {caption_hash(prompt): prompt for prompt in asked}
    there = encoding_cache.text_hashes(path)
    lost = [prompt for name, prompt in by_hash.items() if name not in there]
    if lost:
        quoted = ", ".join(f"“{prompt}”" for prompt in lost)
        raise KindredError(f"lacks {quoted}", str(path), ADVICE)
    return encoding_cache.read_texts(path, by_hash)


def named_tokens(
    pictures: Sequence[ImageRequest],
    texts: Mapping[str, Mapping[str, torch.Tensor]],
    base: OpenedBase,
) -> torch.Tensor:
    """[N, adapters, L] of true and false: which of the L tokens of each picture's text name the
    people of each adapter that is kept apart. texts: by caption hash."""
    import torch

    text = base.architecture.text
    reader = next(one for one in text.tokenizers if one.content)
    tokenizer = _tokenizer(place_of(base.spec, reader.folder))
    length = texts[caption_hash(pictures[0].prompt)][text.sequence].shape[0]
    groups = pictures[0].settings["apart"]["names"]
    found = torch.zeros(len(pictures), len(groups), length, dtype=torch.bool)
    for n, picture in enumerate(pictures):
        for k, names in enumerate(groups):
            places = word_positions(tokenizer, picture.prompt, names, reader.before)
            # What the encoder cut off names nobody.
            found[n, k, [place for own in places for place in own if place < length]] = True
    return found


_tokenizer = cache(load_tokenizer)
