"""FLUX.2 klein's attention with positions sample by sample, and by cuDNN where that is faster.

Double blocks have the attention that FLUX.1's have; in single blocks q, k, v and the feed-forward
layer are the rows of one layer. Knows diffusers' attention layers; knows nothing of training.
"""

from __future__ import annotations

from typing import Any

import torch

from kindred.models.architectures.joint_attention import (
    CudnnAttention,
    JointAttention,
    apply_rotary_emb,
)


class ParallelAttention(JointAttention):
    """What Flux2ParallelSelfAttnProcessor does, where the rotary embedding may have a batch axis
    too. Numbers are those of the original."""

    def __call__(
        self,
        attn: Any,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        image_rotary_emb: tuple[torch.Tensor, torch.Tensor] | None = None,
    ) -> torch.Tensor:
        """Attention and feed-forward side by side over [N, tokens, D]."""
        joined = attn.to_qkv_mlp_proj(hidden_states)
        width = 3 * attn.inner_dim
        qkv, feed = joined.split([width, joined.shape[-1] - width], dim=-1)
        query, key, value = (
            part.unflatten(-1, (-1, attn.head_dim)) for part in qkv.chunk(3, dim=-1)
        )
        query, key = attn.norm_q(query), attn.norm_k(key)
        if image_rotary_emb is not None:
            query = apply_rotary_emb(query, *image_rotary_emb)
            key = apply_rotary_emb(key, *image_rotary_emb)
        found = self.product(
            query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), attention_mask
        )
        found = found.transpose(1, 2).flatten(2, 3).to(query.dtype)
        return attn.to_out(torch.cat([found, attn.mlp_act_fn(feed)], dim=-1))


class CudnnParallelAttention(CudnnAttention, ParallelAttention):
    """The same by cuDNN where numbers are halves and nothing is masked."""


def set_attention(network: Any, cudnn: bool = False) -> None:
    """Give a transformer these attentions in place of diffusers' own."""
    double, single = JointAttention(), ParallelAttention()
    if cudnn:
        double, single = CudnnAttention(), CudnnParallelAttention()
    for block in network.transformer_blocks:
        block.attn.set_processor(double)
    for block in network.single_transformer_blocks:
        block.attn.set_processor(single)
