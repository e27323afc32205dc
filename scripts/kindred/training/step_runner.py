"""How the gradients of a step are computed where memory is short and a GPU waits for Python:
batches in pieces, micro-steps recorded as CUDA graphs, and all again when memory ran out.

Results are those of plain micro-steps one after another. Knows nothing of losses or optimizers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from operator import itemgetter
from typing import Protocol, TypeVar

import torch

from kindred.training.batches import Batch, Place
from kindred.training.step_graphs import Key, MicroStep, StepGraphs

OutOfMemory = torch.OutOfMemoryError
T = TypeVar("T")


@dataclass(frozen=True)
class MicroBatch:
    """A batch [B, ...] on the host, where it stands in the training, and the loss of its dataset:
    its `weight` there, and whether it is the one that is told (`photos`)."""

    place: Place
    batch: Batch
    weight: float
    photos: bool = True


class Fitting(Protocol):
    """How a transformer is fitted into a GPU's memory."""

    graphs: bool

    @property
    def micro_batch(self) -> int:
        """Most examples at once: larger batches are taken in pieces with the same mean gradient."""

    def retry(self, error: Exception) -> bool:
        """Asked when a step fails: whether something was changed and it is worth doing again."""

    def settle(self, broken: bool = False) -> None:
        """Called around a recording, to leave no state of one step to the next."""

    def without_gradients(self) -> AbstractContextManager[None]:
        """`with` the transformer arranged for passes without gradients, between two steps."""


class StepRunner:
    """Runs micro-steps and adds up their gradients in the parameters' `grad`.

    micro_step: adds a batch's gradients. parts: micro-steps of each dataset in a step. fitting:
    None where everything fits. recorded: whether micro-steps may be recorded; `kinds(sizes)` then
    gives the keys of all batches that will come. seed: called before each piece with its place.
    """

    def __init__(
        self,
        micro_step: MicroStep,
        parameters: Sequence[torch.nn.Parameter],
        parts: int,
        fitting: Fitting | None = None,
        kinds: Callable[[], set[Key]] | None = None,
        seed: Callable[[Place], None] = lambda place: None,
    ) -> None:
        self.micro_step, self.parameters, self.parts = micro_step, parameters, parts
        self.fitting, self.seed = fitting, seed
        self.device = parameters[0].device
        self.graphs = (
            StepGraphs(micro_step, parameters, kinds, fitting.settle) if kinds and fitting else None
        )
        self._weights: dict[float, torch.Tensor] = {}

    def gradients(self, work: Sequence[MicroBatch]) -> torch.Tensor:
        """Add up the gradients of a step's batches; the mean loss of the photos []."""
        return self.until_done(lambda: self._run(work))

    def until_done(self, work: Callable[[], T]) -> T:
        """What a piece of work gives, however often it has to be begun anew for want of memory."""
        while (found := self._attempt(work)) is None:
            self.zero_gradients()
        return found

    def zero_gradients(self) -> None:
        """Before the next step; in place where recordings write to them."""
        if self.graphs:
            self.graphs.zero()
            return
        for parameter in self.parameters:
            parameter.grad = None

    def forget_recordings(self) -> bool:
        """Give back the memory that recordings keep; steps are recorded anew from now on. Whether
        there were any."""
        if not (self.graphs and self.graphs.recordings):
            return False
        self.graphs.clear()
        torch.cuda.empty_cache()
        return True

    def _attempt(self, work: Callable[[], T]) -> T | None:
        """What `work` gives, or None when it failed and is worth doing again. The failed one's
        tensors go with its frames when this returns."""
        try:
            return work()
        except Exception as error:
            if self.graphs and self.graphs.recordings and isinstance(error, OutOfMemory):
                print(
                    "warning: not enough memory to record steps; continuing without CUDA graphs",
                    file=sys.stderr,
                )
                self.graphs.give_up()
                return None
            if self.fitting and self.fitting.retry(error):
                if self.graphs:
                    self.graphs.clear()
                return None
            raise

    def _run(self, work: Sequence[MicroBatch]) -> torch.Tensor:
        most = self.fitting.micro_batch if self.fitting else None
        micro_step = self.graphs or self.micro_step
        total = torch.zeros((), device=self.device)
        for one in work:
            place = one.place
            for piece, share in pieces(one.batch, most):
                self.seed(place)
                weight = self._on_device(one.weight * share / self.parts)
                loss = micro_step(piece.to(self.device), weight)
                if one.photos:
                    total += loss / one.weight
                place = (*place, "piece")
        return total

    def _on_device(self, value: float) -> torch.Tensor:
        """The number there; kept, because sending one makes a step wait."""
        if value not in self._weights:
            self._weights[value] = torch.tensor(value, device=self.device)
        return self._weights[value]


def pieces(batch: Batch, most: int | None) -> list[tuple[Batch, float]]:
    """A batch in pieces of at most `most` examples, each with its share of them; whole for None."""
    whole = len(batch.latents)
    if not most or whole <= most:
        return [(batch, 1.0)]
    parts = []
    for start in range(0, whole, most):
        cut = batch.map(itemgetter(slice(start, start + most)))
        parts.append((cut, min(most, whole - start) / whole))
    return parts


def sizes_of(batch: int, most: int | None) -> set[int]:
    """The sizes of the pieces of a batch of so many examples."""
    most = most or batch
    return {min(most, batch - start) for start in range(0, batch, most)}
