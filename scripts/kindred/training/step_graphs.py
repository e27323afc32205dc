"""Training micro-steps recorded as CUDA graphs: a step of thousands of small kernels is asked for
with one call, so that a GPU does not wait for Python.

A graph replays the very kernels that were recorded, at the same addresses: results are those of
the step without it. Knows torch.cuda.graph; knows nothing of networks or losses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from kindred.compute.cuda_graphs import WARM, in_step, record, recording_stream, warn
from kindred.models.architectures.interface import Conditioning, Embeddings
from kindred.training.batches import Batch, Example

# Recordings share memory, but each holds its own list of kernels: nothing is recorded of trainings
# with more shapes than this.
MOST = 24
Key = tuple[Any, ...]
Collate = Callable[[Sequence[Embeddings], int | None], Conditioning]
# (batch, weight in the sum of gradients [] float32) -> weighted loss []; adds to the gradients.
MicroStep = Callable[[Batch, torch.Tensor], torch.Tensor]


@dataclass
class Recording:
    """One shape's graph, where its inputs are read from, and where its loss lies."""

    graph: torch.cuda.CUDAGraph
    batch: Batch
    weight: torch.Tensor
    loss: torch.Tensor

    def replay(self, batch: Batch, weight: torch.Tensor) -> torch.Tensor:
        """Do the recorded step with other numbers."""
        for own, new in zip(self.batch.tensors(), batch.tensors(), strict=True):
            own.copy_(new, non_blocking=True)
        self.weight.copy_(weight, non_blocking=True)
        self.graph.replay()
        return self.loss.clone()


class StepGraphs:
    """A micro-step that is recorded once for every shape of batch, then replayed.

    parameters: what is trained; their gradients stay the same tensors for good, so they must be
    zeroed in place (`zero`). kinds: gives the keys of all batches that will come; nothing is
    recorded before each has been seen, because recordings keep their memory, and an ordinary step
    of another shape would need as much again. settle(broken): called around recording, to leave no
    state of one step to the next (weights that are visiting the GPU).
    """

    def __init__(
        self,
        micro_step: MicroStep,
        parameters: Sequence[torch.nn.Parameter],
        kinds: Callable[[], set[Key]],
        settle: Callable[[bool], None] = lambda broken: None,
    ) -> None:
        self.micro_step, self.parameters = micro_step, parameters
        self.kinds, self.settle = kinds, settle
        self.stream = recording_stream(parameters[0].device)
        self.seen: Counter[Key] = Counter()
        self.given_up = False
        self.clear()

    def clear(self) -> None:
        """Forget all recordings: the step is arranged in another way from now on."""
        self.recordings: dict[Key, Recording] = {}
        self.pool: Any = None
        self.seen.clear()
        self.expected = self.kinds()

    def zero(self) -> None:
        """Zero all gradients in place."""
        there = [p.grad for p in self.parameters if p.grad is not None]
        if there:
            torch._foreach_zero_(there)

    def __call__(self, batch: Batch, weight: torch.Tensor) -> torch.Tensor:
        """The micro-step of a batch on the GPU; its weighted loss."""
        key = key_of(batch)
        recording = self.recordings.get(key)
        if recording is None and self._due(key):
            recording = self._record(key, batch, weight)
        if recording is not None:
            return recording.replay(batch, weight)
        with in_step(self.stream):
            return self.micro_step(batch, weight)

    def _due(self, key: Key) -> bool:
        if self.given_up or len(self.expected) > MOST:
            return False
        self.seen[key] += 1
        others = all(self.seen[kind] >= WARM for kind in self.expected)
        return others and self.seen[key] > WARM

    def _record(self, key: Key, batch: Batch, weight: torch.Tensor) -> Recording | None:
        """Record a step without doing it; None, with a warning, where that can't be."""
        for parameter in self.parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        own = batch.map(torch.clone)
        held = weight.clone()
        self.settle(False)
        try:
            graph, loss = record(lambda: self.micro_step(own, held), self.pool, self.stream)
        except Exception as error:
            self.settle(True)
            self.give_up()
            warn(error)
            return None
        self.settle(False)
        self.pool = graph.pool()
        self.recordings[key] = Recording(graph, own, held, loss)
        return self.recordings[key]

    def give_up(self) -> None:
        """Go on without recordings."""
        self.given_up = True
        self.clear()


def keys_of(
    examples: Sequence[Example],
    sizes: Iterable[int],
    collate: Collate,
    rows: int | None = None,
    preserves: bool = False,
) -> set[Key]:
    """The keys of batches of these sizes, of examples of one bucket. collate: how their texts come
    together, filled up to `rows` where their lengths vary. preserves: as of `Batch`."""
    one = examples[0]
    return {
        key_of(
            Batch(
                one.latent.expand(size, *one.latent.shape),
                one.latent.expand(size, *one.latent.shape),
                torch.empty(size),
                collate([one.text] * size, rows),
                None if one.weights is None else one.weights.expand(size, *one.weights.shape),
                preserves,
            )
        )
        for size in sizes
    }


def key_of(batch: Batch) -> Key:
    """What batches must have in common to share a recording: shapes, and what is absent."""
    shapes = tuple(tuple(value.shape) for value in batch.tensors())
    return (*shapes, tuple(batch.text), batch.weights is None, batch.preserves)
