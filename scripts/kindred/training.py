"""The training loop: steps, checkpoints, what is written down about each step.

All randomness comes from (run, step), so an interrupted training ends in the same bytes on a CPU
as an unbroken one with as many threads. Knows nothing of files but checkpoints.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import torch

from kindred.checkpoint import Checkpoints
from kindred.encoded import Text
from kindred.examples import Example, make_batch
from kindred.flow import flow_loss
from kindred.lora import lora_state
from kindred.optimizers import Average, make_optimizer, set_rate
from kindred.order import batches
from kindred.progress import Progress
from kindred.schedules import learning_rate
from kindred.seeds import seed_of
from kindred.spec.train import Recipe

MIB = 2**20
Row = dict[str, float]


@dataclass
class Stream:
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
    """One training: transformer with its adapter, data, optimizer, and where it has got to."""

    transformer: Any
    parameters: list[torch.nn.Parameter]
    streams: list[Stream]
    recipe: Recipe
    run: int
    scheduler: Mapping[str, Any]
    rows: list[Row] = field(default_factory=list)
    done: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.device = self.parameters[0].device
        self.optimizer = make_optimizer(self.parameters, self.recipe)
        self.average = Average(self.parameters, self.recipe.ema) if self.recipe.ema else None
        self.transformer.train()
        self._stopping = False

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
                if self._stopping or (self.done % self.recipe.checkpoint_every == 0 and not last):
                    checkpoints.save(self.done, self._state())
                if self._stopping and not last:
                    raise KeyboardInterrupt

    def step(self, feeds: Sequence[Iterator[list[Example]]]) -> tuple[torch.Tensor, float]:
        """One optimizer step; (loss of the photos, learning rate)."""
        rate, parts = learning_rate(self.done, self.recipe), self.recipe.accumulation
        set_rate(self.optimizer, rate)
        total = torch.zeros((), device=self.device)
        for part in range(parts):
            for stream, feed in zip(self.streams, feeds, strict=True):
                loss = self._loss(stream, next(feed), part) / parts
                (stream.weight * loss).backward()
                if stream is self.streams[0]:
                    total += loss.detach()
        if self.recipe.clip:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        if self.average:
            self.average.update(self.done)
        self.done += 1
        return total, rate

    def smoothed(self) -> float:
        """Mean loss of the last tenth of the steps done."""
        last = self.rows[-max(1, len(self.rows) // 10) :]
        return sum(row["loss"] for row in last) / len(last)

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

    def _loss(self, stream: Stream, examples: list[Example], part: int) -> torch.Tensor:
        place = (stream.name, self.done, part)
        batch = make_batch(examples, stream.empty, self.recipe, self.scheduler, self.run, place).to(
            self.device
        )
        if self.recipe.dropout:
            torch.manual_seed(seed_of(self.run, "dropout", *place))
        return flow_loss(self.transformer, **vars(batch), guidance=self.recipe.guidance)

    def _feeds(self) -> list[Iterator[list[Example]]]:
        """The streams' batches from where the training has got to."""
        seen = self.done * self.recipe.accumulation
        return [
            islice(stream.batches(self.recipe, self.run), seen, None) for stream in self.streams
        ]

    def _note(self, loss: torch.Tensor, rate: float) -> None:
        self.rows.append(
            {
                "step": self.done,
                "loss": round(loss.item(), 6),
                "lr": rate,
                "seconds": round(self.seconds, 3),
                "memory_mib": self.peak_memory_mib(),
            }
        )

    def _state(self) -> dict[str, Any]:
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
