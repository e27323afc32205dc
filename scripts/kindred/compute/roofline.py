"""The least time that a pass through a transformer's arithmetic can take on a device.

Every weight multiplies every token that its layer reads once a pass, and attention compares all
tokens with all. Knows counts, rates of cards by their size, and a measured rate; loads nothing.
"""

from __future__ import annotations

import time

import torch

from kindred.models.architectures.layout import NetworkLayout

# Forward, backward; and forward again where every block is checkpointed. Attached adapters and
# frozen weights: the backward pass makes gradients of inputs only, so it costs as much as forward.
TRAINING, CHECKPOINTED = 2, 3
# 16-bit products with float32 sums, 1e12 a second, of usual cards up to so many GiB: the slowest
# and the fastest by their makers' sheets (12: RTX 3060 and 4070 Ti; 24: RTX 3090 and 4090; above
# 48: A100 and H200).
RATES = ((8, 20, 60), (12, 25, 90), (16, 40, 195), (24, 70, 165), (48, 150, 310), (1e9, 300, 800))


def weights(layout: NetworkLayout) -> int:
    """Numbers in the matrices of all linear layers: 11.9e9 for a base of 12B."""
    return sum(layer.inputs * layer.outputs for layer in layout.layers)


def operations(layout: NetworkLayout, image: int, text: int, passes: int) -> float:
    """Floating-point operations of `passes` through the network with so many tokens of image and
    text: two a weight and token that its layer reads (one vector where it reads the time), and four
    a pair of tokens, width and block."""
    read = {"image": image, "text": text, "all": image + text, "time": 1}
    products = sum(2.0 * one.inputs * one.outputs * read[one.reads] for one in layout.layers)
    pairs = 0.0
    for block in layout.blocks:
        reads = {layer.reads for layer in block.layers} - {"time"}
        tokens = read["all"] if len(reads) > 1 else read[next(iter(reads))]
        pairs += 4.0 * tokens**2 * layout.width
    return passes * (products + pairs)


def rates(memory_gib: float) -> tuple[float, float]:
    """Floating-point operations a second of the slowest and the fastest usual card of that size."""
    return next((1e12 * low, 1e12 * high) for most, low, high in RATES if memory_gib <= most)


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
