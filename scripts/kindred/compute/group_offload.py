"""Networks larger than their GPU, used without gradients: weights lie where they are and come to
the GPU a block at a time.

Knows diffusers' group offloading, which takes any module whose blocks stand in a list; knows
nothing of training, where `block_offload` does the same.
"""

from __future__ import annotations

import torch
from diffusers.hooks import apply_group_offloading

from kindred.common.backends import backend_of


def stream_blocks(network: torch.nn.Module, device: torch.device) -> None:
    """Let weights lie where they are and come to `device` a block at a time, the next one while
    one works. Weights that `from_pretrained` mapped from files take no main memory meanwhile."""
    cuda = backend_of(device).cuda_api
    apply_group_offloading(
        network,
        onload_device=device,
        offload_type="block_level",
        num_blocks_per_group=1,
        use_stream=cuda,
        non_blocking=cuda,
        low_cpu_mem_usage=cuda,  # pins a block when it is needed, not all of them for good
    )
