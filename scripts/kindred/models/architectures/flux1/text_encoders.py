"""FLUX.1's two readings of a text: T5's states and CLIP's pooled vector.

Every text goes through its encoder alone, padded to a fixed length: its result then depends on
nothing else, so an embedding that was kept is the one that would be made again. A batch would save
little: encoding happens once.
"""

from __future__ import annotations

from typing import Any

import torch


@torch.inference_mode()
def encode_t5(tokenizer: Any, model: Any, text: str, tokens: int) -> torch.Tensor:
    """[tokens, D]: T5's last hidden states, padding included and unmasked, as FLUX reads them."""
    ids = _ids(tokenizer, text, tokens).to(model.device)
    return model(ids)[0][0].cpu()


@torch.inference_mode()
def encode_clip(tokenizer: Any, model: Any, text: str) -> torch.Tensor:
    """[D]: CLIP's pooled output, of at most the model's 77 tokens."""
    ids = _ids(tokenizer, text, tokenizer.model_max_length).to(model.device)
    return model(ids).pooler_output[0].cpu()


def _ids(tokenizer: Any, text: str, tokens: int) -> torch.Tensor:
    """[1, tokens] token ids, padded or cut."""
    return tokenizer(
        text, padding="max_length", max_length=tokens, truncation=True, return_tensors="pt"
    ).input_ids
