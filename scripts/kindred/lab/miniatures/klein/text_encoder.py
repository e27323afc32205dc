"""A small Qwen3, trained from nothing: as many layers as klein reads states of, each a narrow one.

Depth is what klein's text encoder has and can't be made small, because the layers whose states are
read are numbered. So that 28 layers learn from the first step on, states begin at deviation 1 and
what each layer adds to them is scaled by the root of how many add.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from transformers import Qwen3Config, Qwen3ForCausalLM

from kindred.lab.settings import QwenSettings
from kindred.models.architectures.klein.facts import LAYERS

READ = max(LAYERS)  # layers whose states, or what follows from them, are read


def qwen(settings: QwenSettings, vocabulary: int) -> Qwen3ForCausalLM:
    """Untrained. The layer behind the last that is read is there because Qwen3 norms the states of
    its last; that layer and the norm are never trained."""
    model = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=vocabulary,
            hidden_size=settings.width,
            intermediate_size=settings.ff,
            num_hidden_layers=READ + 1,
            num_attention_heads=settings.heads,
            num_key_value_heads=settings.kv_heads,
            head_dim=settings.width // settings.heads,
            max_position_embeddings=max(512, settings.tokens),
            tie_word_embeddings=True,
            initializer_range=settings.width**-0.5,
            use_cache=False,
        )
    )
    inner = model.model
    torch.nn.init.normal_(inner.embed_tokens.weight)
    with torch.no_grad():
        for layer in inner.layers:
            for added in (layer.self_attn.o_proj, layer.mlp.down_proj):
                added.weight.mul_((2 * READ + 2) ** -0.5)
    inner.layers[READ:].requires_grad_(False)
    inner.norm.requires_grad_(False)
    return model


def one_layer(
    layer: Any, hidden: torch.Tensor, mask: torch.Tensor, turns: tuple[torch.Tensor, torch.Tensor]
) -> torch.Tensor:
    """States [N, L, D] behind a decoder layer."""
    return layer(hidden, attention_mask=mask, position_embeddings=turns)


def states(
    model: Qwen3ForCausalLM, ids: torch.Tensor, padding: int, layer: Callable = one_layer
) -> torch.Tensor:
    """[N, L, 3 D] of token ids [N, L], padded on the right: what klein.text_encoder.encode gives
    for one text, with gradients. layer: `one_layer`, or that compiled."""
    inner = model.model
    length = ids.shape[1]
    hidden = inner.embed_tokens(ids)
    turns = inner.rotary_emb(hidden, torch.arange(length, device=ids.device)[None])
    before = torch.ones(length, length, dtype=torch.bool, device=ids.device).tril()
    mask = before & (ids != padding)[:, None, None, :]
    found = []
    for number, block in enumerate(inner.layers[:READ], start=1):
        hidden = layer(block, hidden, mask, turns)
        if number in LAYERS:
            found.append(hidden)
    return torch.cat(found, dim=-1)
