"""Krea 2's attention over text and picture, where positions may be every sample's own.

Knows a diffusers attention layer and tensors; knows nothing of training or drawing.
"""

from __future__ import annotations

from typing import Any

import torch

from kindred.models.architectures.joint_attention import apply_rotary_emb


class GatedAttention:
    """What Krea2AttnProcessor does, where the rotary embedding may have a batch axis too, for
    pictures of several sizes in one batch. Numbers are those of the original."""

    def __call__(
        self,
        attn: Any,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        image_rotary_emb: tuple[torch.Tensor, torch.Tensor] | None = None,
    ) -> torch.Tensor:
        """Attention over [N, tokens, D]; mask [N, 1, 1, tokens], True where a token is real."""
        query, key, value = (
            layer(hidden_states).unflatten(-1, (-1, attn.head_dim))
            for layer in (attn.to_q, attn.to_k, attn.to_v)
        )
        query, key = attn.norm_q(query), attn.norm_k(key)
        if image_rotary_emb is not None:
            query, key = (apply_rotary_emb(one, *image_rotary_emb) for one in (query, key))
        # Each head of keys and values serves several of queries.
        each = attn.num_heads // attn.num_kv_heads
        key, value = (one.repeat_interleave(each, dim=2) for one in (key, value))
        found = torch.nn.functional.scaled_dot_product_attention(
            query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), attention_mask
        )
        gated = found.transpose(1, 2).flatten(2, 3) * torch.sigmoid(attn.to_gate(hidden_states))
        return attn.to_out[0](gated)
