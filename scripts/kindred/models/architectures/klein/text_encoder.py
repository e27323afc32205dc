"""FLUX.2 klein's reading of a text: states of three layers of Qwen3, joined feature by feature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch


def trimmed(model: Any, layers: Sequence[int]) -> Any:
    """Of a Qwen3ForCausalLM what states of these layers need: no head that predicts words, and one
    layer more than the last of them, because behind the last layer a norm changes the states."""
    inner = model.model
    needed = max(layers) + 1
    if len(inner.layers) > needed:
        inner.layers = inner.layers[:needed]
        inner.config.num_hidden_layers = needed
    return inner


@torch.inference_mode()
def encode(
    tokenizer: Any, model: Any, text: str, tokens: int, layers: Sequence[int]
) -> torch.Tensor:
    """[tokens, len(layers) * D] of one text as the only message of a chat, without thinking.

    Padded on the right or cut to `tokens`. Padding is masked inside Qwen3, yet its states are real
    and the network reads them.
    """
    chat = tokenizer.apply_chat_template(
        [{"role": "user", "content": text}],
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=False,
    )
    read = tokenizer(
        chat, padding="max_length", max_length=tokens, truncation=True, return_tensors="pt"
    )
    states = model(
        input_ids=read["input_ids"].to(model.device),
        attention_mask=read["attention_mask"].to(model.device),
        output_hidden_states=True,
        use_cache=False,
    ).hidden_states
    return torch.cat([states[layer][0] for layer in layers], dim=-1).cpu()
