"""A GPU for tests on a machine that has none: what torch.cuda and the driver say of memory."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import torch

from kindred.compute import memory_limit, nvml

GIB = 2**30
UUID = "11111111-2222"


class FakeGpu:
    """Sizes in GiB, to be set as a test needs them. capped: every share asked for."""

    def __init__(self, total: float, free: float, count: int) -> None:
        self.total, self.free, self.count = total, free, count
        self.reserved = self.allocated = 0.0
        self.capped: list[float] = []
        self.warmed = 0

    @property
    def share(self) -> float:
        return self.capped[-1] if self.capped else 1.0


def put_in(monkeypatch, total: float = 24, free: float = 24, count: int = 1) -> FakeGpu:
    """Let torch and the driver speak of such a card, with nothing of ours on it yet."""
    gpu = FakeGpu(total, free, count)
    answers = {
        "is_available": lambda: True,
        "device_count": lambda: gpu.count,
        "current_device": lambda: 0,
        "mem_get_info": lambda *_: (int(gpu.free * GIB), int(gpu.total * GIB)),
        "memory_reserved": lambda *_: int(gpu.reserved * GIB),
        "memory_allocated": lambda *_: int(gpu.allocated * GIB),
        "get_device_properties": lambda *_: SimpleNamespace(
            total_memory=int(gpu.total * GIB), uuid=UUID
        ),
        "set_per_process_memory_fraction": lambda share, *_: gpu.capped.append(share),
        "get_per_process_memory_fraction": lambda *_: gpu.share,
    }
    for name, answer in answers.items():
        monkeypatch.setattr(torch.cuda, name, answer)
    monkeypatch.setattr(memory_limit, "_outside", {})

    def load_libraries(_: torch.device) -> None:
        gpu.warmed += 1

    monkeypatch.setattr(memory_limit, "_load_libraries", load_libraries)
    driver(monkeypatch, [{}], [{}])
    return gpu


def driver(monkeypatch, processes: Sequence[dict], used: Sequence[dict]) -> None:
    """What the driver says one time after the other, the last answer for good; bytes by (card,
    process) and by card."""
    for name, answers in (("processes", list(processes)), ("used", list(used))):
        monkeypatch.setattr(
            nvml, name, lambda left=answers: left.pop(0) if len(left) > 1 else left[0]
        )
