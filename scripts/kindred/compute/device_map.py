"""One transformer over several GPUs: blocks in order, as many on each as its memory holds.

Arithmetic on the transformer's shape makes a device map, which diffusers and accelerate carry out:
inputs move to the GPU of the block that reads them, forward and backward. Knows blocks and bytes;
knows nothing of training or rendering.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from kindred.compute.devices import Split
from kindred.compute.memory_limit import GIB, limit
from kindred.models.architectures.layout import NetworkLayout
from kindred.models.opened_base import OpenedBase

DeviceMap = dict[str, Any]


def device_map(layout: NetworkLayout, memory: Sequence[float], devices: Sequence[Any]) -> DeviceMap:
    """Name of a module -> its device, for every part of a network.

    memory: what may be used of each device, in any unit. Each block goes where the middle of its
    weights falls when all weights are laid along all memory; what comes before the blocks goes to
    the first device, what comes after them to the last.
    """
    ends = list(accumulate(memory))
    sizes = [sum(layer.inputs * layer.outputs for layer in block.layers) for block in layout.blocks]
    total, done = sum(sizes), 0
    places = dict.fromkeys(layout.before, devices[0])
    for block, size in zip(layout.blocks, sizes, strict=True):
        middle = (done + size / 2) / total * ends[-1]
        places[block.name] = devices[min(bisect_right(ends, middle), len(devices) - 1)]
        done += size
    return places | dict.fromkeys(layout.after, devices[-1])


def free_memory(split: Split) -> list[float]:
    """GiB that may be used of every visible GPU: as the split says, or what is free within the
    limit."""
    import torch

    devices = [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
    free = [min(torch.cuda.mem_get_info(one)[0], limit(one)) / GIB for one in devices]
    return list(split.sizes) or free


def over_gpus(base: OpenedBase, split: Split) -> DeviceMap:
    """The device map of a base's transformer over all visible GPUs."""
    import torch

    devices = [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
    return device_map(base.layout, free_memory(split), devices)
