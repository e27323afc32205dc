"""A GPU's work recorded as CUDA graphs: thousands of small kernels are asked for with one call, so
that it does not wait for Python.

A graph replays the very kernels that were recorded, at the same addresses: results are those of
the work without it. Knows torch.cuda.graph; knows nothing of what is computed.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import torch

from kindred.common.errors import first_line_of

Key = tuple[Any, ...]
Tensors = dict[str, torch.Tensor]
# So many times work is done as usual first: what is compiled or allocated once is not recorded.
WARM = 2


@cache
def recording_stream(device: torch.device) -> torch.cuda.Stream:
    """The stream on which all work of a GPU is recorded. One for all, because cuBLAS keeps a
    workspace (32 MiB on Hopper, and the segment around it) for every stream that ever multiplied
    matrices, as long as the process lives: with a stream each, fifteen trainings after one another
    lost 0.6 GiB of the card."""
    return torch.cuda.Stream(device)


def record(
    work: Callable[[], Any], pool: Any = None, stream: torch.cuda.Stream | None = None
) -> tuple[torch.cuda.CUDAGraph, Any]:
    """(graph, what the work gave) of work that is recorded and not done. Memory is taken from
    `pool`, another recording's, or a new one.

    Whatever the work raises is raised; the stream and the allocator are then as they were before,
    which torch leaves undone where a capture is broken.
    """
    outer, graph = torch.cuda.current_stream(), torch.cuda.CUDAGraph()
    pool = pool or torch.cuda.graph_pool_handle()
    try:
        # Threads that prepare what comes next may ask for pinned memory meanwhile.
        with torch.cuda.graph(graph, pool=pool, stream=stream, capture_error_mode="thread_local"):
            found = work()
    except Exception:
        torch.cuda.set_stream(outer)
        with suppress(Exception):  # where the capture did end it is not recording to the pool
            torch._C._cuda_endAllocateToPool(outer.device_index, pool)
            torch._C._cuda_releasePool(outer.device_index, pool)
        torch.cuda.synchronize()
        raise
    return graph, found


@contextmanager
def in_step(stream: torch.cuda.Stream) -> Iterator[None]:
    """`with` a stream that waits for the current one, and the current one for it afterwards. Work
    that will be recorded is first done so: nodes that add up gradients remember the stream that
    they first ran on."""
    outer = torch.cuda.current_stream(stream.device)
    stream.wait_stream(outer)
    try:
        with torch.cuda.stream(stream):
            yield
    finally:
        outer.wait_stream(stream)


class RecordedNetwork:
    """A network's forward pass without gradients, recorded for every shape of its inputs.

    call: the pass, of tensors (or None) by name; gives a tuple of one tensor. Weights may be
    changed between calls, in place only. Called as `call` is; the next call writes over what it
    gives.
    """

    def __init__(self, call: Callable[..., tuple[torch.Tensor]]) -> None:
        self.call = call
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
            return self.call(**inputs)
        graph, own, answered = self.recordings[key]
        for name, value in given.items():
            own[name].copy_(value, non_blocking=True)
        graph.replay()
        return (answered,)

    def _record(self, key: Key, inputs: dict[str, Any], given: Tensors) -> None:
        own = {name: value.clone() for name, value in given.items()}
        try:
            graph, (answered,) = record(lambda: self.call(**{**inputs, **own}), self.pool)
        except Exception as error:
            self.given_up = True
            warn(error)
            return
        self.pool = graph.pool()
        self.recordings[key] = (graph, own, answered)


class CapturedGraph:
    """Work on tensors of fixed shapes, which may change other tensors in place; recorded at its
    third call. What it gives is written over by the next call."""

    def __init__(self, work: Callable[..., torch.Tensor], device: torch.device) -> None:
        self.work, self.stream, self.calls = work, recording_stream(device), 0
        self.graph: torch.cuda.CUDAGraph | None = None
        self.own: list[torch.Tensor] = []
        self.given_up = False

    def __call__(self, *given: torch.Tensor) -> torch.Tensor:
        """Do the work."""
        self.calls += 1
        if self.graph is None and self.calls > WARM and not self.given_up:
            self._record(given)
        if self.graph is None:
            with in_step(self.stream):
                return self.work(*given)
        for own, new in zip(self.own, given, strict=True):
            own.copy_(new, non_blocking=True)
        self.graph.replay()
        return self.found

    def _record(self, given: tuple[torch.Tensor, ...]) -> None:
        self.own = [value.clone() for value in given]
        try:
            graph, self.found = record(lambda: self.work(*self.own), stream=self.stream)
        except Exception as error:
            self.given_up = True
            warn(error)
            return
        self.graph = graph


def warn(error: Exception) -> None:
    """Say that work goes on without recordings, and why."""
    reason = first_line_of(error)
    print(
        f"warning: the GPU's work can't be recorded here ({reason}); continuing without CUDA "
        "graphs, more slowly",
        file=sys.stderr,
    )
