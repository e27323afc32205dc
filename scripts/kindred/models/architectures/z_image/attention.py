"""Z-Image's attention in real numbers: turns as cosines and sines, which compilers take.

Knows a diffusers attention layer and tensors; knows nothing of training or drawing.
"""

from __future__ import annotations

from typing import Any

import torch

from kindred.models.architectures.joint_attention import (
    CudnnAttention,
    JointAttention,
    cudnn_is_faster,
)
from kindred.models.fp8_linear import answers


class TurnedAttention(JointAttention):
    """What ZSingleStreamAttnProcessor does, with turns [N, tokens, D / 2, 2] in place of complex
    numbers. Numbers are those of the original."""

    def __call__(
        self,
        attn: Any,
        hidden_states: torch.Tensor,
        encoder_hidden_states: None = None,
        attention_mask: torch.Tensor | None = None,
        freqs_cis: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Attention over [N, tokens, D]; mask [N, tokens], True where there is a token."""
        query, key, value = (
            found.unflatten(-1, (attn.heads, -1))
            for found in answers((attn.to_q, attn.to_k, attn.to_v), hidden_states)
        )
        query, key = attn.norm_q(query), attn.norm_k(key)
        if freqs_cis is not None:
            query, key = turned(query, freqs_cis), turned(key, freqs_cis)
        mask = None if attention_mask is None else attention_mask[:, None, None, :]
        found = self.product(
            query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), mask
        )
        return attn.to_out[1](attn.to_out[0](found.transpose(1, 2).flatten(2, 3)))


class CudnnTurnedAttention(TurnedAttention, CudnnAttention):
    """The same by cuDNN where numbers are halves and nothing is masked."""


def use_turned_attention(network: Any, device: torch.device | None = None) -> None:
    """Give all blocks this attention, cuDNN's on a device where that is faster."""
    config = network.config
    fast = device and cudnn_is_faster(network, device, config.dim // config.n_heads)
    for block in (*network.noise_refiner, *network.context_refiner, *network.layers):
        block.attention.set_processor((CudnnTurnedAttention if fast else TurnedAttention)())


def turned(x: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
    """x [N, tokens, heads, D] turned pair by pair (Su et al. 2021, arXiv 2104.09864), in float32;
    turns: cosines and sines [N, tokens, D / 2, 2]."""
    real, imaginary = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    cosines, sines = turns[:, :, None].unbind(-1)
    pairs = [real * cosines - imaginary * sines, real * sines + imaginary * cosines]
    return torch.stack(pairs, -1).flatten(3).to(x.dtype)
