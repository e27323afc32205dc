"""Z-Image's reading of a text: states of Qwen3's last layer but one, of the text's own tokens."""

from __future__ import annotations

from typing import Any

import torch


def trimmed(model: Any) -> Any:
    """Of a Qwen3Model all that comes before its last layer: the norm behind it goes too, since
    states between layers are not normed."""
    model.layers = model.layers[:-1]
    model.config.num_hidden_layers = len(model.layers)
    model.norm = torch.nn.Identity()
    return model


@torch.inference_mode()
def encode(tokenizer: Any, model: Any, text: str, tokens: int) -> torch.Tensor:
    """[L, D] of one text as the only message of a chat, before an answer that may think; L is the
    number of its tokens, `tokens` at most. `model` is `trimmed`.

    Nothing is padded: padding would be masked and dropped, so states are the same without.
    """
    chat = tokenizer.apply_chat_template(
        [{"role": "user", "content": text}],
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=True,
    )
    ids = tokenizer(chat, max_length=tokens, truncation=True, return_tensors="pt")["input_ids"]
    return model(input_ids=ids.to(model.device), use_cache=False).last_hidden_state[0].cpu()
