"""Attention over text and image together, and cuDNN's kernels for it where they are faster.

Knows a diffusers attention layer and tensors; knows nothing of training or drawing.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

import torch

from kindred.common.backends import backend_of
from kindred.common.errors import first_line_of
from kindred.models.fp8_linear import answers

# Hopper and its successor in data centres; elsewhere torch's own flash attention is as fast.
CUDNN_FROM, CUDNN_BELOW = (9, 0), (12, 0)
HALF = (torch.float16, torch.bfloat16)


class JointAttention:
    """What FluxAttnProcessor and Flux2AttnProcessor do, where the rotary embedding (Su et al. 2021,
    arXiv 2104.09864) may have a batch axis too, for pictures of several sizes in one batch. Numbers
    are those of the originals."""

    def __call__(
        self,
        attn: Any,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        image_rotary_emb: tuple[torch.Tensor, torch.Tensor] | None = None,
    ) -> Any:
        """Attention over [N, tokens, D]; with text apart, (image, text) of it."""
        query, key, value = (
            found.unflatten(-1, (-1, attn.head_dim))
            for found in answers((attn.to_q, attn.to_k, attn.to_v), hidden_states)
        )
        query, key = attn.norm_q(query), attn.norm_k(key)
        if encoder_hidden_states is not None:
            layers = (attn.add_q_proj, attn.add_k_proj, attn.add_v_proj)
            q, k, v = (
                found.unflatten(-1, (-1, attn.head_dim))
                for found in answers(layers, encoder_hidden_states)
            )
            query = torch.cat([attn.norm_added_q(q), query], dim=1)
            key = torch.cat([attn.norm_added_k(k), key], dim=1)
            value = torch.cat([v, value], dim=1)
        if image_rotary_emb is not None:
            query, key = (
                apply_rotary_emb(query, *image_rotary_emb),
                apply_rotary_emb(key, *image_rotary_emb),
            )
        found = self.product(
            query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), attention_mask
        )
        found = found.transpose(1, 2).flatten(2, 3).to(query.dtype)
        if encoder_hidden_states is None:
            return found
        text = encoder_hidden_states.shape[1]
        image = attn.to_out[1](attn.to_out[0](found[:, text:].contiguous()))
        return image, attn.to_add_out(found[:, :text].contiguous())

    def product(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: Any
    ) -> torch.Tensor:
        """[N, heads, tokens, D] of three such."""
        return torch.nn.functional.scaled_dot_product_attention(query, key, value, mask)


class CudnnAttention(JointAttention):
    """The same by cuDNN where numbers are halves and nothing is masked."""

    def product(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: Any
    ) -> torch.Tensor:
        """[N, heads, tokens, D] of three such."""
        if mask is not None or query.dtype not in HALF:
            return super().product(query, key, value, mask)
        # Compiled code writes them so at once, as part of what it does with them anyway.
        return by_cudnn(query.contiguous(), key.contiguous(), value.contiguous())[0]


def apply_rotary_emb(x: torch.Tensor, cosines: torch.Tensor, sines: torch.Tensor) -> torch.Tensor:
    """x [N, tokens, heads, D] turned pair by pair; cosines and sines [N, tokens, 1, D] or, for all
    pictures the same, [tokens, D]."""
    if cosines.ndim == 2:
        cosines, sines = cosines[None, :, None], sines[None, :, None]
    real, imaginary = x.unflatten(-1, (-1, 2)).unbind(-1)
    across = torch.stack([-imaginary, real], dim=-1).flatten(3)
    return (x.float() * cosines + across.float() * sines).to(x.dtype)


def use_cudnn_attention(network: Any, device: torch.device) -> None:
    """Give a transformer cuDNN's attention if it computes on a GPU where that is faster."""
    if cudnn_is_faster(network, device):
        network.set_attn_processor(CudnnAttention())


def cudnn_is_faster(network: Any, device: torch.device, head: int | None = None) -> bool:
    """Whether a transformer computes on a GPU where cuDNN's attention is faster, and works. head:
    features of its heads; None: as its configuration says."""
    if not backend_of(device).cudnn:
        return False
    fast = CUDNN_FROM <= torch.cuda.get_device_capability(device) < CUDNN_BELOW
    return fast and _works(device, head or network.config.attention_head_dim)


@functools.cache
def _works(device: torch.device, width: int) -> bool:
    """Whether cuDNN has kernels for heads of this width here, forth and back; a warning if not."""
    shape, kind = (1, 2, 256, width), torch.bfloat16
    try:
        # Tensors too: those of inference mode have no gradients outside it either.
        with torch.inference_mode(False), torch.enable_grad():
            tensors = [
                torch.zeros(shape, device=device, dtype=kind, requires_grad=True) for _ in range(3)
            ]
            by_cudnn(*tensors)[0].sum().backward()
    except Exception as error:
        reason = first_line_of(error)
        print(
            f"warning: cuDNN's attention does not work here ({reason}); continuing with torch's, "
            "more slowly",
            file=sys.stderr,
        )
        return False
    return True


# Operations of their own: torch's compiler, where it takes cuDNN's attention apart itself, has
# guessed layouts that ended processes with illegal memory accesses.
@torch.library.custom_op("kindred::attention", mutates_args=(), device_types="cuda")
def by_cudnn(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention [N, heads, tokens, D] and its log-sum-exp [N, heads, tokens, 1] in float32; three
    contiguous half-precision tensors on a GPU."""
    found, sums, *_ = torch.ops.aten._scaled_dot_product_cudnn_attention(
        query, key, value, None, True, 0.0, False, False
    )
    return found.contiguous(), sums.reshape(*query.shape[:-1], 1).contiguous()


@by_cudnn.register_fake
def _(query: torch.Tensor, *_: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    sums = query.new_empty((*query.shape[:-1], 1), dtype=torch.float32)
    return query.new_empty(query.shape), sums


@torch.library.custom_op("kindred::attention_backward", mutates_args=(), device_types="cuda")
def by_cudnn_backward(
    slope: torch.Tensor,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    found: torch.Tensor,
    sums: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of query, key and value, from that of the result."""
    none = query.new_empty((), dtype=torch.int64)  # there is no dropout to be repeated
    tokens = query.shape[2]
    slopes = torch.ops.aten._scaled_dot_product_cudnn_attention_backward(
        slope.contiguous(),
        query,
        key,
        value,
        found,
        sums,
        none,
        none,
        None,
        None,
        None,
        tokens,
        key.shape[2],
        0.0,
        False,
    )
    return slopes[0].contiguous(), slopes[1].contiguous(), slopes[2].contiguous()


@by_cudnn_backward.register_fake
def _(_: torch.Tensor, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return tuple(t.new_empty(t.shape) for t in inputs[:3])  # of query, key and value


def _remember(ctx: Any, inputs: tuple[torch.Tensor, ...], output: Any) -> None:
    ctx.save_for_backward(*inputs, *output)


def _back(ctx: Any, slope: torch.Tensor, _: Any) -> tuple[torch.Tensor, ...]:
    return by_cudnn_backward(slope, *ctx.saved_tensors)


by_cudnn.register_autograd(_back, setup_context=_remember)
