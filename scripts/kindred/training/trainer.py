"""The training loop: steps, checkpoints, what is written down about each step.

All randomness comes from (run, step), so an interrupted training ends in the same bytes on a CPU
as an unbroken one with as many threads. Knows nothing of files but checkpoints.
"""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Any

import torch

from kindred.common.progress import Progress
from kindred.common.seeds import seed_of
from kindred.compute.data_parallel import ProcessGroup
from kindred.data.encoding_cache import Text
from kindred.models.lora.injection import lora_state
from kindred.specs.training import Recipe
from kindred.training.batches import Batch, Example, make_batch
from kindred.training.bucket_sampler import batches
from kindred.training.checkpoints import Checkpoints
from kindred.training.flow_matching import flow_loss
from kindred.training.lr_schedules import learning_rate
from kindred.training.optimizers import Average, make_optimizer, set_rate
from kindred.training.step_graphs import StepGraphs, keys_of

OutOfMemory = torch.OutOfMemoryError
MIB = 2**20
# A GPU is asked for its losses every so many steps: each question makes it wait.
READ_EVERY = 20
Row = dict[str, float]
Place = tuple[str | int, ...]
Feed = Iterator[tuple[Place, Batch]]


@dataclass
class WeightedDataset:
    """A set of examples with its weight in the loss: the photos, or class-prior images."""

    name: str
    weight: float
    buckets: Mapping[str, Sequence[Example]]
    empty: Text

    def batches(self, recipe: Recipe, run: int) -> Iterator[list[Example]]:
        """Endless batches of one bucket each."""
        return batches(self.buckets, recipe.batch, seed_of(run, "order", self.name))


@dataclass
class Trainer:
    """One training: transformer with its adapter, data, optimizer, and where it has got to.

    fitting: how it is fitted into a GPU's memory, if it is: `micro_batch`, most examples at once
    (larger batches are taken in pieces with the same mean gradient), `retry(error)`, asked when a
    step fails: True when it changed something and the step is worth doing again, and `graphs`,
    whether micro-steps are recorded, with `settle(broken)` to be called around a recording.
    team: the processes that share this training; the first writes checkpoints.
    """

    transformer: Any
    parameters: list[torch.nn.Parameter]
    streams: list[WeightedDataset]
    recipe: Recipe
    run: int
    scheduler: Mapping[str, Any]
    fitting: Any = None
    team: ProcessGroup = field(default_factory=ProcessGroup)
    rows: list[Row] = field(default_factory=list)
    done: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.device = self.parameters[0].device
        self.ahead = self.device.type == "cuda"
        self.optimizer = make_optimizer(self.parameters, self.recipe)
        self.average = Average(self.parameters, self.recipe.ema) if self.recipe.ema else None
        self.transformer.train()
        self._stopping = False
        self._unread: list[torch.Tensor] = []
        # Dropout is seeded for each micro-step from outside, which a recording can't be.
        recorded = (
            self.ahead and self.fitting and self.fitting.graphs and not self.recipe.lora_dropout
        )
        self.graphs = (
            StepGraphs(self._micro_step, self.parameters, self._kinds, self.fitting.settle)
            if recorded
            else None
        )
        self._weights: dict[float, torch.Tensor] = {}

    def stop(self) -> None:
        """Ask for an end after the step in work, with a checkpoint."""
        self._stopping = True

    def train(self, checkpoints: Checkpoints) -> None:
        """Take up the newest checkpoint and go on to the last step.

        Raises KeyboardInterrupt after `stop`, with everything done so far on disk.
        """
        saved = checkpoints.newest()
        if saved:
            self._restore(saved)
            print(f"going on after step {self.done}", file=sys.stderr)
        feeds = self._feeds()
        began = time.monotonic() - self.seconds
        with Progress("training", self.recipe.steps, "step", initial=self.done) as progress:
            while self.done < self.recipe.steps:
                loss, rate = self.step(feeds)
                self.seconds = time.monotonic() - began
                self._note(loss, rate)
                progress.update(loss=f"{self.smoothed():.4f}", lr=f"{rate:.1e}")
                last = self.done == self.recipe.steps
                if last:
                    self._read()
                due = self._stopping or (self.done % self.recipe.checkpoint_every == 0 and not last)
                if due and self.team.first:
                    checkpoints.save(self.done, self._state())
                if self._stopping and not last:
                    raise KeyboardInterrupt

    def step(self, feeds: Sequence[Feed]) -> tuple[torch.Tensor, float]:
        """One optimizer step; (loss of the photos, learning rate)."""
        rate = learning_rate(self.done, self.recipe)
        set_rate(self.optimizer, rate)
        pairs = list(zip(self.streams, feeds, strict=True))
        parts = range(self.recipe.gradient_accumulation)
        dealt = [(part, s, *next(feed)) for part in parts for s, feed in pairs]
        work = [rest for part, *rest in dealt if self.team.does(part)]
        while (total := self._attempt(work)) is None:
            self._zero()
        total, self._stopping = self.team.add_up(self.parameters, total, self._stopping)
        if self.recipe.max_grad_norm:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.recipe.max_grad_norm)
        self.optimizer.step()
        self._zero()
        if self.average:
            self.average.update(self.done)
        self.done += 1
        return total, rate

    def smoothed(self) -> float:
        """Mean loss of the last tenth of the steps whose losses have been read; NaN for none."""
        read = self.rows[: len(self.rows) - len(self._unread)]
        last = read[-max(1, len(read) // 10) :]
        return sum(row["loss"] for row in last) / len(last) if last else math.nan

    def final_state(self) -> dict[str, torch.Tensor]:
        """The adapter to be saved: the average where there is one."""
        if not self.average:
            return {name: value.clone() for name, value in lora_state(self.transformer).items()}
        self.average.swap()
        state = {name: value.clone() for name, value in lora_state(self.transformer).items()}
        self.average.swap()
        return state

    def peak_memory_mib(self) -> float:
        """Most memory this process has used: of the GPU on a GPU, of the machine otherwise."""
        if self.device.type == "cuda":
            return round(torch.cuda.max_memory_allocated(self.device) / MIB, 1)
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)

    def _attempt(self, work: Sequence[tuple[WeightedDataset, Place, Batch]]) -> torch.Tensor | None:
        """`_gradients`, or None when it failed and is worth doing again. The failed one's tensors
        go with its frames when this returns."""
        try:
            return self._gradients(work)
        except Exception as error:
            if self.graphs and self.graphs.recordings and isinstance(error, OutOfMemory):
                print("warning: too little memory for recorded steps; without", file=sys.stderr)
                self.graphs.give_up()
                return None
            if self.fitting and self.fitting.retry(error):
                if self.graphs:
                    self.graphs.clear()
                return None
            raise

    def _gradients(self, work: Sequence[tuple[WeightedDataset, Place, Batch]]) -> torch.Tensor:
        """Add up the gradients of a step's batches; the loss of the photos."""
        parts = self.recipe.gradient_accumulation
        most = self.fitting.micro_batch if self.fitting else None
        total = torch.zeros((), device=self.device)
        micro_step = self.graphs or self._micro_step
        for stream, place, batch in work:
            for piece, share in pieces(batch, most):
                if self.recipe.lora_dropout:
                    torch.manual_seed(seed_of(self.run, "dropout", *place))
                weight = self._weight(stream.weight * share / parts)
                loss = micro_step(piece.to(self.device), weight)
                if stream is self.streams[0]:
                    total += loss / stream.weight
                place = (*place, "piece")
        return total

    def _micro_step(self, batch: Batch, weight: torch.Tensor) -> torch.Tensor:
        """Add a batch's gradients, weighted; its weighted loss."""
        loss = (
            flow_loss(self.transformer, **vars(batch), guidance=self.recipe.train_guidance) * weight
        )
        loss.backward()
        return loss.detach()

    def _kinds(self) -> set[Any]:
        """Keys of all batches that will come, as `Graphs` tells them apart."""
        whole = self.recipe.batch
        most = (self.fitting and self.fitting.micro_batch) or whole
        sizes = {min(most, whole - start) for start in range(0, whole, most)}
        buckets = [bucket for stream in self.streams for bucket in stream.buckets.values()]
        return {key for bucket in buckets if bucket for key in keys_of(bucket, sizes)}

    def _weight(self, value: float) -> torch.Tensor:
        """The number on the device; kept, because sending one makes a step wait."""
        if value not in self._weights:
            self._weights[value] = torch.tensor(value, device=self.device)
        return self._weights[value]

    def _zero(self) -> None:
        if self.graphs:
            self.graphs.zero()
        else:
            self.optimizer.zero_grad(set_to_none=True)

    def _feeds(self) -> list[Feed]:
        """The streams' batches from where the training has got to, each with its place; for a GPU
        prepared ahead."""
        feeds = [self._batches(stream) for stream in self.streams]
        return [prefetch(feed) for feed in feeds] if self.ahead else feeds

    def _batches(self, stream: WeightedDataset) -> Feed:
        parts = self.recipe.gradient_accumulation
        seen = self.done * parts
        examples = islice(stream.batches(self.recipe, self.run), seen, None)
        for number, chosen in zip(count(seen), examples, strict=False):
            place = (stream.name, number // parts, number % parts)
            made = make_batch(chosen, stream.empty, self.recipe, self.scheduler, self.run, place)
            yield place, made

    def _note(self, loss: torch.Tensor, rate: float) -> None:
        self.rows.append(
            {
                "step": self.done,
                "loss": math.nan,
                "lr": rate,
                "seconds": round(self.seconds, 3),
                "memory_mib": self.peak_memory_mib(),
            }
        )
        self._unread.append(loss)
        if not self.ahead or len(self._unread) == READ_EVERY:
            self._read()

    def _read(self) -> None:
        """Fetch the losses that still lie on the device into their rows."""
        if not self._unread:
            return
        losses = torch.stack(self._unread).tolist()
        for row, loss in zip(self.rows[-len(losses) :], losses, strict=True):
            row["loss"] = round(loss, 6)
        self._unread.clear()

    def _state(self) -> dict[str, Any]:
        self._read()
        return {
            "done": self.done,
            "seconds": self.seconds,
            "rows": self.rows,
            "parameters": [parameter.detach() for parameter in self.parameters],
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.values if self.average else None,
        }

    @torch.no_grad()
    def _restore(self, saved: Mapping[str, Any]) -> None:
        self.done, self.seconds = saved["done"], saved["seconds"]
        self.rows = list(saved["rows"])
        for parameter, value in zip(self.parameters, saved["parameters"], strict=True):
            parameter.copy_(value)
        self.optimizer.load_state_dict(saved["optimizer"])
        if self.average:
            for own, value in zip(self.average.values, saved["average"], strict=True):
                own.copy_(value)


def pieces(batch: Batch, most: int | None) -> list[tuple[Batch, float]]:
    """A batch in pieces of at most `most` examples, each with its share of them; whole for None."""
    whole = len(batch.latents)
    if not most or whole <= most:
        return [(batch, 1.0)]
    parts = []
    for start in range(0, whole, most):
        cut = {k: v if v is None else v[start : start + most] for k, v in vars(batch).items()}
        parts.append((Batch(**cut), min(most, whole - start) / whole))
    return parts


def prefetch(feed: Feed) -> Feed:
    """The same batches, each prepared while the one before is in use, in pinned memory."""

    def pinned() -> tuple[Place, Batch]:
        place, batch = next(feed)
        values = {k: v if v is None else v.pin_memory() for k, v in vars(batch).items()}
        return place, Batch(**values)

    with ThreadPoolExecutor(1) as worker:
        coming = worker.submit(pinned)
        while True:
            made, coming = coming.result(), worker.submit(pinned)
            yield made
