"""The least time that a pass through a Flux transformer's arithmetic can take on a device.

Formula of the project's reference figures: every weight multiplies every token once a pass, and
attention compares all tokens with all. Knows counts and a measured rate; loads nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import torch

# Forward, backward; and forward again where every block is checkpointed. Attached adapters and
# frozen weights: the backward pass makes gradients of inputs only, so it costs as much as forward.
TRAINING, CHECKPOINTED, DRAWING = 2, 3, 1


def weights(config: Mapping[str, Any]) -> int:
    """Numbers in the blocks' and embedders' matrices: 11.9e9 for FLUX.1-dev."""
    width = config["num_attention_heads"] * config["attention_head_dim"]
    # Double: two streams of q, k, v, out (4), feed-forward (8), modulation (6). Single: q, k, v
    # (3), feed-forward in and out with attention's output (4 + 5), modulation (3).
    per_width = config["num_layers"] * 2 * 18 + config["num_single_layers"] * 15
    return per_width * width**2


def operations(config: Mapping[str, Any], tokens: int, passes: int) -> float:
    """Floating-point operations of `passes` through the network with that many tokens (image and
    text): two a weight and token, and four a pair of tokens, width and block."""
    width = config["num_attention_heads"] * config["attention_head_dim"]
    blocks = config["num_layers"] + config["num_single_layers"]
    return passes * (2.0 * weights(config) * tokens + 4.0 * tokens**2 * width * blocks)


def rate(device: torch.device, edge: int = 8192, repeats: int = 10) -> float:
    """Floating-point operations a second of a large matrix product in bfloat16: the best of some
    repeats."""
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    left = torch.randn(edge, edge, device=device, dtype=dtype)
    best = float("inf")
    for _ in range(repeats):
        _wait(device)
        start = time.perf_counter()
        left @ left
        _wait(device)
        best = min(best, time.perf_counter() - start)
    return 2.0 * edge**3 / best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
