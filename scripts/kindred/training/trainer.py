"""The training loop: what a step is, checkpoints, what is called after each step.

All randomness comes from (run, step), so an interrupted training ends in the same bytes on a CPU
as an unbroken one with as many threads. How a step fits into memory is step_runner.py's. Knows
nothing of files but checkpoints.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, count, islice
from typing import Any

import torch

from kindred.common.backends import backend_of
from kindred.common.progress import Progress
from kindred.common.seeds import seed_of
from kindred.compute.data_parallel import ProcessGroup
from kindred.compute.devices import peak_memory_mib
from kindred.models import architectures
from kindred.models.architectures.interface import Embeddings
from kindred.models.lora.injection import lora_state, up_projections, without_adapter
from kindred.specs.training import Recipe
from kindred.training.batches import (
    Batch,
    Example,
    Feed,
    Place,
    load_examples,
    make_batch,
    prefetch,
)
from kindred.training.bucket_sampler import batches
from kindred.training.checkpoints import Checkpoints
from kindred.training.ema import EMA
from kindred.training.flow_matching import flow_loss, velocity
from kindred.training.lr_schedules import learning_rate
from kindred.training.optimizers import clip_gradients, make_optimizer, set_rate
from kindred.training.step_graphs import Key, keys_of
from kindred.training.step_runner import Fitting, MicroBatch, StepRunner, sizes_of
from kindred.training.training_data import DataSource
from kindred.training.training_log import READ_EVERY, Row, TrainingLog


@dataclass
class WeightedDataset:
    """A set of examples with its weight in the loss: the photos, class-prior images, or photos
    whose captions say no names, where the base's own answers are learned (`preserves`)."""

    name: str
    weight: float
    buckets: Mapping[str, Sequence[Example]]
    empty: Embeddings
    preserves: bool = False

    @classmethod
    def load(cls, source: DataSource) -> WeightedDataset:
        """A source's pairs with their tensors, in memory."""
        examples = load_examples(source.pairs, source.latents, source.text, source.token_weights)
        return cls(source.name, source.weight, *examples, preserves=source.preserves)

    def batches(self, recipe: Recipe, run: int) -> Iterator[list[Example]]:
        """Endless batches of one bucket each."""
        return batches(self.buckets, recipe.batch, seed_of(run, "order", self.name))


@dataclass
class Trainer:
    """One training: transformer with its adapter, data, optimizer, and where it has got to.

    datasets: the photos first, then the others. scheduler: the base's noise schedule.
    fitting: how it is fitted into a GPU's memory, if it is. process_group: the processes that share
    this training; the first writes checkpoints. on_step: called with the trainer after every step;
    may draw numbers and use the transformer, but leaves it as it was (weights, training mode).
    on_start: called so before the first step, or when a training goes on.
    """

    transformer: Any
    parameters: list[torch.nn.Parameter]
    datasets: list[WeightedDataset]
    recipe: Recipe
    run: int
    scheduler: Mapping[str, Any]
    fitting: Fitting | None = None
    process_group: ProcessGroup = field(default_factory=ProcessGroup)
    on_step: Sequence[Callable[[Trainer], None]] = ()
    on_start: Sequence[Callable[[Trainer], None]] = ()
    done: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.device = self.parameters[0].device
        self.architecture = architectures.of_network(self.transformer)
        self.denoiser = self.architecture.denoiser(self.transformer)
        self.ahead = backend_of(self.device).cuda_api
        ups = up_projections(self.transformer)
        self.optimizer = make_optimizer(self.parameters, self.recipe, ups)
        self.average = EMA(self.parameters, self.recipe.ema) if self.recipe.ema else None
        self.log = TrainingLog(READ_EVERY if self.ahead else 1, self.recipe.steps)
        # Dropout is seeded for each micro-step from outside, which a recording can't be.
        recorded = (
            self.ahead and self.fitting and self.fitting.graphs and not self.recipe.lora_dropout
        )
        self.runner = StepRunner(
            self.micro_step,
            self.parameters,
            self.recipe.gradient_accumulation,
            self.fitting,
            self.kinds if recorded else None,
            self._seed_dropout,
        )
        self.gradient_norm = torch.zeros((), device=self.device)
        self.transformer.train()
        self._asked_to_stop = self._stopping = False

    @property
    def rows(self) -> list[Row]:
        """A row each step, as training.csv has them."""
        return self.log.rows

    def stop(self) -> None:
        """Ask for an end after the step in work or the next, with a checkpoint."""
        self._asked_to_stop = True

    @property
    def ends_here(self) -> bool:
        """Whether it ends after the step that was just done, with a checkpoint and before its last
        step. Several processes agree on that in a step, one alone need not wait for another."""
        alone = self.process_group.size == 1
        asked = self._stopping or (alone and self._asked_to_stop)
        return asked and self.done < self.recipe.steps

    @contextmanager
    def as_saved(self) -> Iterator[None]:
        """`with` the network as an adapter that is saved now would make it, for passes without
        gradients between two steps: averaged where it is, without dropout, weights that visit the
        GPU fetched by its calls. Afterwards it is as it was."""
        arranged = self.fitting.without_gradients() if self.fitting else nullcontext()
        with self._averaged():
            self.transformer.eval()
            try:
                with arranged, torch.no_grad():
                    yield
            finally:
                self.transformer.train()

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """`with` the averaged weights in the place of the newest, where there is an average."""
        if self.average:
            self.average.swap()
        try:
            yield
        finally:
            if self.average:
                self.average.swap()

    def train(self, checkpoints: Checkpoints) -> None:
        """Take up the newest checkpoint and go on to the last step.

        Raises KeyboardInterrupt after `stop`, with everything done so far on disk.
        """
        saved = checkpoints.newest()
        if saved:
            self._restore(saved)
            print(f"continuing after step {self.done}", file=sys.stderr)
        for call in self.on_start:
            call(self)
        if self.ends_here:
            raise KeyboardInterrupt
        feeds = self.feeds()
        began = time.monotonic() - self.seconds
        with Progress("training", self.recipe.steps, "step", initial=self.done) as progress:
            while self.done < self.recipe.steps:
                loss, rate = self.step(feeds)
                self.seconds = time.monotonic() - began
                self.note(loss, rate)
                progress.update(**self.log.newest(), lr=f"{rate:.1e}")
                last = self.done == self.recipe.steps
                if last:
                    self.log.read()
                for call in self.on_step:
                    call(self)
                ends = self.ends_here
                due = ends or (self.done % self.recipe.checkpoint_every == 0 and not last)
                if due and self.process_group.first:
                    checkpoints.save(self.done, self.state())
                if ends:
                    raise KeyboardInterrupt

    def step(self, feeds: Sequence[Feed]) -> tuple[torch.Tensor, float]:
        """One optimizer step; (mean loss of the photos [], learning rate)."""
        rate = learning_rate(self.done, self.recipe)
        set_rate(self.optimizer, rate)
        batches = self._next_batches(feeds)
        loss = self.runner.gradients(batches)  # of `micro_step`s: loss and backward
        # Who is asked in here ends after the next step, when all processes know of it.
        asked = self._asked_to_stop
        loss, self._stopping = self.process_group.add_up(self.parameters, loss, asked)
        self.gradient_norm = clip_gradients(self.parameters, self.recipe.max_grad_norm)
        self.optimizer.step()
        self.runner.zero_gradients()
        if self.average:
            self.average.update(self.done)
        self.done += 1
        return loss, rate

    def micro_step(self, batch: Batch, weight: torch.Tensor) -> torch.Tensor:
        """Add a batch's gradients, weighted; its weighted loss []."""
        how: dict[str, Any] = {
            "guidance": self.recipe.train_guidance,
            "weighting": self.recipe.weighting_scheme,
        }
        if batch.preserves:
            how["target"] = self._answer_of_base(batch)
        loss = flow_loss(self.denoiser, **batch.inputs, **how) * weight
        loss.backward()
        return loss.detach()

    @torch.no_grad()
    def _answer_of_base(self, batch: Batch) -> torch.Tensor:
        """What the base says of a batch without the adapter, as tokens in float32."""
        asked = {name: batch.inputs[name] for name in ("latents", "noise", "sigmas", "text")}
        with without_adapter(self.transformer):
            return velocity(self.denoiser, **asked, guidance=self.recipe.train_guidance).float()

    def smoothed(self) -> float:
        """Mean loss of the last tenth of the steps whose losses have been read; NaN for none."""
        return self.log.smoothed()

    def note(self, loss: torch.Tensor, rate: float) -> None:
        """Write down the step that was just done."""
        seconds, memory = round(self.seconds, 3), self.peak_memory_mib()
        norm = self.gradient_norm
        self.log.note(loss, norm, step=self.done, lr=rate, seconds=seconds, memory_mib=memory)

    def final_state(self) -> dict[str, torch.Tensor]:
        """The adapter to be saved: the average where there is one."""
        with self._averaged():
            return {name: value.clone() for name, value in lora_state(self.transformer).items()}

    def peak_memory_mib(self) -> float:
        """Most memory this process has used: of the GPU on a GPU, of the machine otherwise."""
        return peak_memory_mib(self.device)

    def feeds(self) -> list[Feed]:
        """The datasets' batches from where the training has got to, each with its place; for a GPU
        prepared ahead."""
        feeds = [self._batches(dataset) for dataset in self.datasets]
        return [prefetch(feed) for feed in feeds] if self.ahead else feeds

    def kinds(self) -> set[Key]:
        """Keys of all batches that will come, as `StepGraphs` tells them apart."""
        sizes = sizes_of(self.recipe.batch, self.fitting and self.fitting.micro_batch)
        collate = self.architecture.text.collate
        return {
            key
            for dataset in self.datasets
            for bucket in dataset.buckets.values()
            if bucket
            for key in keys_of(
                bucket,
                sizes,
                collate,
                self.text_rows[bucket[0].latent.shape],
                dataset.preserves,
            )
        }

    @cached_property
    def text_rows(self) -> dict[torch.Size, int | None]:
        """Shape of latents -> what texts of such pictures are filled up to: batches of a shape then
        share a recording, whatever their captions."""
        texts: dict[torch.Size, list[Embeddings]] = {}
        for dataset in self.datasets:
            for example in chain.from_iterable(dataset.buckets.values()):
                of_shape = texts.setdefault(example.latent.shape, [])
                of_shape.append(example.text)
                if self.recipe.caption_dropout:
                    of_shape.append(dataset.empty)
        return {shape: self.architecture.text.rows(own) for shape, own in texts.items()}

    def _next_batches(self, feeds: Sequence[Feed]) -> list[MicroBatch]:
        """This process's batches of a step: every feed moves on by all micro-steps."""
        dealt = [
            (part, MicroBatch(*next(feed), dataset.weight, photos=number == 0))
            for part in range(self.recipe.gradient_accumulation)
            for number, (dataset, feed) in enumerate(zip(self.datasets, feeds, strict=True))
        ]
        return [one for part, one in dealt if self.process_group.does(part)]

    def _batches(self, dataset: WeightedDataset) -> Feed:
        parts = self.recipe.gradient_accumulation
        seen = self.done * parts
        examples = islice(dataset.batches(self.recipe, self.run), seen, None)
        for number, chosen in zip(count(seen), examples, strict=False):
            place = (dataset.name, number // parts, number % parts)
            batch = make_batch(
                chosen,
                dataset.empty,
                self.recipe,
                self.architecture,
                self.scheduler,
                self.run,
                place,
                rows=self.text_rows[chosen[0].latent.shape],
                preserves=dataset.preserves,
            )
            yield place, batch

    def _seed_dropout(self, place: Place) -> None:
        if self.recipe.lora_dropout:
            torch.manual_seed(seed_of(self.run, "dropout", *place))

    def state(self) -> dict[str, Any]:
        """All that is needed to go on from here."""
        self.log.read()
        return {
            "done": self.done,
            "seconds": self.seconds,
            "rows": self.rows,
            "zeros": self.log.zeros,
            "parameters": [parameter.detach() for parameter in self.parameters],
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.values if self.average else None,
        }

    @torch.no_grad()
    def _restore(self, saved: Mapping[str, Any]) -> None:
        self.done, self.seconds = saved["done"], saved["seconds"]
        self.log.rows, self.log.zeros = list(saved["rows"]), saved.get("zeros", 0)
        for parameter, value in zip(self.parameters, saved["parameters"], strict=True):
            parameter.copy_(value)
        self.optimizer.load_state_dict(saved["optimizer"])
        if self.average:
            for own, value in zip(self.average.values, saved["average"], strict=True):
                own.copy_(value)
