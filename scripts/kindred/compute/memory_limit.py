"""`device: memory_gib` made true: a process stays within what a GPU of that size gives.

The size of a card is turned into the bytes that torch's allocator may take, in one place for all
programs: what driver and screen take of a card is left to them, and what the process takes beside
the allocator (CUDA's context, kernels, libraries) is measured when it starts. The allocator then
refuses more with OutOfMemoryError, which the work meets by taking less. Whoever plans asks here for
what is left.

How torch counts (its allocator's source, 2.13): every segment counts against the cap before it is
taken, expandable ones and those of CUDA graphs too, and what was freed is given back before an
error is raised. A growing segment is filled up to 20 MiB, by which the cap can be passed; LATER_GIB
has room for that. Importing this module imports no torch.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from kindred.common.amounts import gib, number_of
from kindred.common.backends import backend_of
from kindred.common.errors import KindredError
from kindred.compute import nvml

if TYPE_CHECKING:
    import torch

MEMORY_GIB = "KINDRED_MEMORY_GIB"
GIB = 2**30
# What a process can't have of a card: a card of 12 GB with a screen of 4K on it gives 11.6 GiB.
RESERVE_GIB = 0.4
# What a process takes beside torch's allocator, where it can't be measured: an H100's context with
# the kernels of cuBLAS and cuDNN. Smaller cards take less, having fewer processors.
OUTSIDE_GIB = 0.55
# What comes after the measurement: compiled kernels, recorded graphs, a segment's last pages.
LATER_GIB = 0.25
LEAST_GIB = 0.5  # for the allocator, below which nothing can be done
# A measurement beyond these was disturbed by other processes.
SENSIBLE_GIB = (0.05, 3.0)
_outside: dict[int, int] = {}


def add_argument(parser: argparse.ArgumentParser) -> None:
    """The `--memory-gib` of every program that computes; for it and what it starts."""
    parser.add_argument(
        "--memory-gib",
        type=gib("--memory-gib"),
        action=_InEnvironment,
        default=os.environ.get(MEMORY_GIB, "0"),
        help="size in GiB of the graphics card to fit into; 0: use all free memory",
    )


class _InEnvironment(argparse.Action):
    """Keeps an option where processes that are started find it too."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        os.environ[MEMORY_GIB] = str(values)
        setattr(namespace, self.dest, values)


def card_gib() -> float:
    """The size of the card that this process is to fit; 0: no limit. Raises KindredError when the
    environment says nonsense."""
    text = os.environ.get(MEMORY_GIB, "0")
    size = number_of(text)
    if size is None:
        cure = "set it to the card's size in GiB, or to 0 for no limit"
        raise KindredError(f"{MEMORY_GIB}={text} is not a size", cure=cure)
    return size


def allocatable(memory_gib: float, outside: float | None = None) -> float:
    """Bytes that the allocator may take on a card of `memory_gib`. outside: bytes that the process
    takes beside it; None: what is usual."""
    outside_gib = OUTSIDE_GIB if outside is None else outside / GIB
    return max(0.0, memory_gib - RESERVE_GIB - LATER_GIB - outside_gib) * GIB


def card_for(allocated: float) -> float:
    """GiB of the smallest card on which the allocator may take `allocated` bytes."""
    return allocated / GIB + RESERVE_GIB + LATER_GIB + OUTSIDE_GIB


def before() -> tuple[nvml.Usage, dict[str, int]]:
    """What is on the cards, to be asked before this process has a context."""
    return (nvml.processes(), nvml.used()) if card_gib() else ({}, {})


def apply(device: torch.device, known: tuple[nvml.Usage, dict[str, int]]) -> None:
    """Hold torch's allocator to the card's size, on all GPUs that this process sees. known: what
    `before` gave. Without a limit nothing is done.

    Raises KindredError for a size that leaves nothing to work with.
    """
    memory_gib = card_gib()
    if not memory_gib:
        return
    if device.index not in _outside:
        _outside[device.index] = outside_allocator(device, *known)
    outside = _outside[device.index]
    allowed = allocatable(memory_gib, outside)
    if allowed < LEAST_GIB * GIB:
        least = memory_gib + LEAST_GIB - allowed / GIB
        raise KindredError(
            f"too small: CUDA itself takes {outside / GIB:.1f} GiB here, and driver and screen "
            f"take up to {RESERVE_GIB}",
            f"device: memory_gib: {memory_gib:g}",
            f"set it to the size of the card, at least {least:.1f}; or remove it to use all free "
            "memory",
        )
    cap(allowed)


def cap(allowed: float) -> None:
    """Hold torch's allocator to so many bytes of each GPU that this process sees."""
    import torch

    for index in range(torch.cuda.device_count()):
        total = torch.cuda.get_device_properties(index).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, allowed / total), index)


def outside_allocator(device: torch.device, processes: nvml.Usage, used: dict[str, int]) -> int:
    """Bytes that this process takes of a GPU beside torch's allocator, with the libraries loaded
    that all work needs. processes, used: of `before`; a process that is new since then is this one
    where numbers of processes are a container's own."""
    import torch

    if not backend_of(device).nvml:
        return int(OUTSIDE_GIB * GIB)
    _load_libraries(device)
    card = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
    now = nvml.processes()
    mine = now.get((card, os.getpid()))
    new = [now[key] for key in now.keys() - processes.keys() if key[0] == card]
    if mine is None and len(new) == 1:
        mine = new[0]
    if mine is None and card in used:
        mine = nvml.used().get(card, 0) - used[card]
    found = (mine or 0) - torch.cuda.memory_reserved(device)
    least, most = (int(gib * GIB) for gib in SENSIBLE_GIB)
    return found if least <= found <= most else int(OUTSIDE_GIB * GIB)


def _load_libraries(device: torch.device) -> None:
    """Have cuBLAS and cuDNN take what they take."""
    import torch

    for dtype in (torch.bfloat16, torch.float32):
        square = torch.ones(64, 64, device=device, dtype=dtype)
        torch.nn.functional.conv2d((square @ square)[None, None], square[None, None, :3, :3])
    torch.cuda.synchronize(device)


def limit(device: torch.device) -> float:
    """Bytes that the allocator may take of a GPU in all; `cuda` is the current one."""
    import torch

    total = torch.cuda.get_device_properties(device).total_memory
    return total * torch.cuda.get_per_process_memory_fraction(device.index)


def available(device: torch.device) -> float:
    """Bytes that can still be allocated on a GPU: what is free on it or kept by the allocator
    without use, within the limit."""
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    allocated = torch.cuda.memory_allocated(device)
    unused = torch.cuda.memory_reserved(device) - allocated
    return min(free + unused, limit(device) - allocated)
