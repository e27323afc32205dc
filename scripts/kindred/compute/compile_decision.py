"""Whether compiling a network's blocks gives back the time that it takes.

Decided from what is to be done, the base and the card alone, so that a training that goes on
decides as it did before. Compiled or not, results differ by rounding, as they do between GPUs and
between two trainings of one seed on one GPU: it is in no key, but lora.json and the settings of a
picture tell it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import torch

from kindred.common.backends import backend_of
from kindred.compute import roofline

# Seconds of compiling for each size of picture. The first two steps of a training of a 4B base took
# 28 and 31 s (measured once, on one H200, at revision 10082c3c335e of 2026-11-30); at most a
# quarter of a second of that is a step itself (docs/reference/performance.md).
SECONDS = 30.0
# What compiling saves, as a multiple of the least time that a pass's arithmetic can take. A 6B base
# was drawn at 1.4 times that time, at 2.3 with nothing compiled (docs/reference/performance.md).
# Taken for training too: nobody measured recorded steps of it with nothing compiled.
SAVED = 0.9


@dataclass(frozen=True)
class Work:
    """What a network is to do. title: in words, with its number, such as '100 steps'. operations:
    of floating-point numbers, at least. sizes: of what it reads; each is compiled for."""

    title: str
    operations: float
    sizes: int

    @property
    def cost(self) -> float:
        """Seconds of compiling."""
        return SECONDS * self.sizes

    def gain(self, memory_gib: float) -> float:
        """Seconds that compiled blocks save, on the slowest usual card of this size: where that
        errs, a long piece of work is compiled for nothing, and none is done slowly."""
        return SAVED * self.operations / roofline.rates(memory_gib)[0]


def compiles(work: Work, device: torch.device) -> bool:
    """Whether blocks are to be compiled; says why not, where it is for too little work."""
    if not backend_of(device).compiles or not work.sizes:
        return False
    gain = work.gain(torch.cuda.get_device_properties(device).total_memory / 2**30)
    if gain < work.cost:
        print(
            f"not compiled for {work.title}: compiling takes about {work.cost:.0f} s here "
            f"and saves about {gain:.0f} s",
            file=sys.stderr,
        )
    return gain >= work.cost
