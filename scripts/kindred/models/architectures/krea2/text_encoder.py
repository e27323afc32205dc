"""Krea 2's reading of a text: states of twelve layers of Qwen3-VL's language part, apart.

diffusers pads a text to a fixed length between the template's beginning and its end, masks the
padding, and counts positions of real tokens alone. States of the real tokens are then those of the
text read at its own length, which is what is done here; the padding has no effect in the network
and is never stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from kindred.common.errors import KindredError


def trimmed(model: Any, layers: Sequence[int]) -> Any:
    """Of a Qwen3VLModel what states of these layers need: nothing that sees, and one layer more
    than the last of them, because behind the last layer a norm changes the states."""
    language, needed = model.language_model, max(layers) + 1
    model.visual = None
    if len(language.layers) > needed:
        language.layers = language.layers[:needed]
        language.config.num_hidden_layers = needed
    return language


def template_ids(tokenizer: Any, template: Sequence[str], lengths: Sequence[int]) -> list[int]:
    """Token ids of what stands behind every text. template: what stands before and behind; lengths:
    their tokens.

    Raises KindredError where the tokenizer counts otherwise: states would be cut off elsewhere.
    """
    ids = [list(tokenizer(text).input_ids) for text in template]
    counts = [len(one) for one in ids]
    if counts != list(lengths):
        raise KindredError(
            f"splits the template around every text into {counts[0]} and {counts[1]} tokens, but "
            f"Krea 2's own tokenizer into {lengths[0]} and {lengths[1]}",
            "the base's tokenizer",
            "download or save the base again",
        )
    return ids[1]


@torch.inference_mode()
def encode(
    tokenizer: Any, model: Any, before: str, behind: Sequence[int], text: str, most: int, skip: int
) -> Sequence[torch.Tensor]:
    """States [L, D] of every layer of one text. before: the template's beginning; behind: the ids
    of its end; most: tokens of beginning and text together; skip: of the beginning, left out."""
    ids = tokenizer(before + text, truncation=True, max_length=most).input_ids
    read = torch.tensor([[*ids, *behind]], device=model.device)
    states = model(input_ids=read, output_hidden_states=True, use_cache=False).hidden_states
    return [state[0, skip:] for state in states]
