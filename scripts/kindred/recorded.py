"""A network's passes recorded as CUDA graphs: thousands of small kernels are asked for with one
call, so that a GPU does not wait for Python.

A graph replays the very kernels that were recorded, at the same addresses: results are those of
the pass without it. Knows torch.cuda.graph; knows nothing of what is computed.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import torch

Key = tuple[Any, ...]
Tensors = dict[str, torch.Tensor]


class RecordedNetwork:
    """A network's forward pass without gradients, recorded for every shape of its inputs.

    Weights may be changed between calls, in place only. Called as the network is, with tensors (or
    None) by name; gives a tuple of one tensor that the next call of that shape writes over.
    """

    def __init__(self, network: Any) -> None:
        self.network = network
        self.recordings: dict[Key, tuple[torch.cuda.CUDAGraph, Tensors, torch.Tensor]] = {}
        self.seen: Counter[Key] = Counter()
        self.pool: Any = None
        self.given_up = False

    def __call__(self, **inputs: Any) -> tuple[torch.Tensor]:
        """The network's answer. Its first pass of a shape, which may compile, is not recorded."""
        given = {name: value for name, value in inputs.items() if value is not None}
        key = tuple((name, tuple(value.shape), value.dtype) for name, value in given.items())
        self.seen[key] += 1
        if key not in self.recordings and self.seen[key] > 1 and not self.given_up:
            self._record(key, inputs, given)
        if key not in self.recordings:
            answer: tuple[torch.Tensor] = self.network(**inputs, return_dict=False)
            return answer
        graph, own, answered = self.recordings[key]
        for name, value in given.items():
            own[name].copy_(value, non_blocking=True)
        graph.replay()
        return (answered,)

    def _record(self, key: Key, inputs: dict[str, Any], given: Tensors) -> None:
        own = {name: value.clone() for name, value in given.items()}
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, pool=self.pool, capture_error_mode="thread_local"):
                (answered,) = self.network(**{**inputs, **own}, return_dict=False)
        except Exception as error:
            self.given_up = True
            warn(error)
            return
        self.pool = graph.pool()
        self.recordings[key] = (graph, own, answered)


def warn(error: Exception) -> None:
    """Say that work goes on without recordings, and why."""
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    print(
        f"warning: the GPU's work can't be recorded here ({reason}); going on without, slower",
        file=sys.stderr,
    )
