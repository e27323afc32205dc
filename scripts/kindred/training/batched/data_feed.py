"""What a stack of trainings reads: tables on the device, and each step's choice from them.

Every member sees the batches, noise, noise levels and dropped captions that it would see alone:
all are functions of (run, purpose, place). Pictures and texts are sent to the device once, a step
sends numbers of rows and noise; members of one run share their noise. Knows nothing of adapters.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch

from kindred.common.seeds import generator
from kindred.models.architectures.interface import (
    Architecture,
    BatchedInputs,
    Conditioning,
    Denoiser,
    Embeddings,
    TextEncoding,
    on_device,
)
from kindred.specs.training import Recipe
from kindred.training.batches import Example
from kindred.training.flow_matching import NOISE_LEVELS, sample_sigmas
from kindred.training.trainer import WeightedDataset

AHEAD = 4
Shape = tuple[int, int, int]


@dataclass(frozen=True)
class StepInputs:
    """A step's samples, N of them, on the host. rows: of pictures and of texts [2, N]; sigmas [N];
    noise, the different draws [U, batch, C * H * W], not yet as tokens, and zeros up to one U for
    all steps; `draws`: which one each member's dataset has [N / batch]."""

    rows: torch.Tensor
    sigmas: torch.Tensor
    noise: torch.Tensor
    draws: torch.Tensor

    def to(self, device: torch.device) -> StepInputs:
        """The same on a device."""
        return StepInputs(*(value.to(device, non_blocking=True) for value in vars(self).values()))

    def pinned(self) -> StepInputs:
        """The same in memory that a GPU reads by itself."""
        return StepInputs(*(value.pin_memory() for value in vars(self).values()))


@dataclass(frozen=True)
class Samples:
    """What the network is given: latents, noise [N, tokens, D] and sigmas [N] in float32; weights
    [N, tokens]; text: name -> [N, ...]; rows: name -> [N, ...], of the architecture's tables."""

    latents: torch.Tensor
    noise: torch.Tensor
    sigmas: torch.Tensor
    weights: torch.Tensor
    text: Conditioning
    rows: Conditioning


class DeviceTables:
    """Every picture and text of a stack, on the device, with a number for each."""

    def __init__(
        self,
        datasets: Sequence[WeightedDataset],
        denoiser: Denoiser,
        inputs: BatchedInputs,
        reading: TextEncoding,
    ) -> None:
        """denoiser, inputs: of the network; reading: of its texts."""
        device, dtype = denoiser.network.device, denoiser.network.dtype
        examples = [
            e for dataset in datasets for bucket in dataset.buckets.values() for e in bucket
        ]
        pictures = {id(example): example for example in examples}
        texts = {id(text): text for text in _texts(datasets, examples)}
        self.shapes = sorted({_shape(example) for example in examples})
        self.picture = {key: number for number, key in enumerate(pictures)}
        self.text = {key: number for number, key in enumerate(texts)}
        packed = [denoiser.pack(example.latent[None])[0] for example in pictures.values()]
        even = torch.ones(packed[0].shape[0])
        weights = [even if e.weights is None else e.weights for e in pictures.values()]
        sizes = [self.shapes.index(_shape(example)) for example in pictures.values()]
        length = max(reading.lengths(texts.values()))
        rows = inputs.tables([shape[1:] for shape in self.shapes], length, dtype)
        orders = [_order(shape, denoiser) for shape in self.shapes]
        self.orders = torch.stack(orders).to(device)
        self.latents = torch.stack(packed).to(device)
        self.weights = torch.stack(weights).to(device)
        self.sizes = torch.tensor(sizes, device=device)
        collated = reading.collate(list(texts.values()))
        self.texts = on_device(collated, device, dtype)
        self.rows = {name: value.to(device) for name, value in rows.items()}

    def look_up(self, choice: StepInputs) -> Samples:
        """A choice, on the device, as what it stands for."""
        picture, text = choice.rows
        size = self.sizes[picture]
        latents = self.latents[picture]
        noise = choice.noise[choice.draws].flatten(0, 1).gather(1, self.orders[size])
        return Samples(
            latents=latents,
            noise=noise.view(latents.shape),
            sigmas=choice.sigmas,
            weights=self.weights[picture],
            text={name: table[text] for name, table in self.texts.items()},
            rows={name: table[size] for name, table in self.rows.items()},
        )


@dataclass
class DataFeed:
    """One member's dataset as rows of the tables: its batches from the first step on."""

    recipe: Recipe
    run: int
    name: str
    empty: int
    rows: list[tuple[int, int, Shape]]
    batches: Iterator[list[Any]]

    @cached_property
    def shapes(self) -> frozenset[Shape]:
        """Of its pictures."""
        return frozenset(shape for _, _, shape in self.rows)

    @classmethod
    def of(
        cls, dataset: WeightedDataset, recipe: Recipe, run: int, tables: DeviceTables
    ) -> DataFeed:
        """The same batches as `dataset.batches`, of numbers instead of examples."""
        rows: list[tuple[int, int, Shape]] = []
        numbered: dict[str, Any] = {}
        for bucket, examples in dataset.buckets.items():
            numbered[bucket] = range(len(rows), len(rows) + len(examples))
            rows += [(tables.picture[id(e)], tables.text[id(e.text)], _shape(e)) for e in examples]
        batches = replace(dataset, buckets=numbered).batches(recipe, run)
        return cls(recipe, run, dataset.name, tables.text[id(dataset.empty)], rows, batches)

    def next(self, step: int) -> tuple[list[int], list[int], Shape]:
        """(rows of pictures, rows of texts, shape of their latents) of a step."""
        chosen = [self.rows[number] for number in next(self.batches)]
        pictures = [picture for picture, _, _ in chosen]
        texts = [text for _, text, _ in chosen]
        if self.recipe.caption_dropout:
            source = generator(self.run, "caption", self.name, step, 0)
            drawn = torch.rand(len(texts), generator=source).tolist()
            dropped = [draw < self.recipe.caption_dropout for draw in drawn]
            texts = [self.empty if d else t for d, t in zip(dropped, texts, strict=True)]
        return pictures, texts, chosen[0][2]


class StepFeeder:
    """The choices of all steps, in their order. `feeds`: of each member, its datasets."""

    def __init__(
        self,
        feeds: Sequence[Sequence[DataFeed]],
        architecture: Architecture,
        scheduler: Mapping[str, Any],
        threads: int,
    ) -> None:
        self.feeds, self.architecture, self.scheduler = feeds, architecture, scheduler
        self.pool = ThreadPoolExecutor(max(1, threads))

    def choices(self, parts: Sequence[tuple[int, Sequence[int]]]) -> Iterator[StepInputs]:
        """Of each part (its last step + 1, the members at work in it) every step's choice."""
        step = 0
        for stop, members in parts:
            feeds = [feed for m in members for feed in self.feeds[m]]
            most = _most_draws(feeds)
            while step < stop:
                yield self._choose(step, feeds, most)
                step += 1

    def ahead(self, parts: Sequence[tuple[int, Sequence[int]]]) -> Iterator[StepInputs]:
        """The same, prepared while those before are in use, in pinned memory."""
        choices = self.choices(parts)

        def pinned() -> StepInputs | None:
            choice = next(choices, None)
            return choice and choice.pinned()

        with ThreadPoolExecutor(1) as worker:
            coming = deque(worker.submit(pinned) for _ in range(AHEAD))
            while (choice := coming.popleft().result()) is not None:
                coming.append(worker.submit(pinned))
                yield choice

    def close(self) -> None:
        """End the threads."""
        self.pool.shutdown()

    def _choose(self, step: int, feeds: Sequence[DataFeed], most: int) -> StepInputs:
        levels: dict[Any, torch.Tensor] = {}
        noises: dict[tuple[int, str, tuple[int, ...]], int] = {}
        pictures, texts, sigmas, draws = [], [], [], []
        for feed in feeds:
            of_pictures, of_texts, shape = feed.next(step)
            pictures += of_pictures
            texts += of_texts
            sigmas.append(self._levels(levels, feed, step, shape, len(of_texts)))
            key = (feed.run, feed.name, (len(of_texts), *shape))
            draws.append(noises.setdefault(key, len(noises)))
        return StepInputs(
            rows=torch.tensor([pictures, texts]),
            sigmas=torch.cat(sigmas),
            noise=_filled(list(self.pool.map(lambda key: _noise(key, step), noises)), most),
            draws=torch.tensor(draws),
        )

    def _levels(
        self, known: dict[Any, torch.Tensor], feed: DataFeed, step: int, shape: Shape, count: int
    ) -> torch.Tensor:
        recipe = feed.recipe
        kind = [getattr(recipe, name) for name in NOISE_LEVELS]
        key = (feed.run, feed.name, shape[1] * shape[2], *kind)
        if key not in known:
            source = generator(feed.run, "sigma", feed.name, step, 0)
            tokens = self.architecture.tokens(*shape[1:])
            shift = self.architecture.shift(self.scheduler, tokens, None)
            known[key] = sample_sigmas(count, recipe, shift, source)
        return known[key]


def _noise(key: tuple[int, str, tuple[int, ...]], step: int) -> torch.Tensor:
    run, name, shape = key
    return torch.randn(shape, generator=generator(run, "noise", name, step, 0)).flatten(1)


def _most_draws(feeds: Sequence[DataFeed]) -> int:
    """How many different draws of noise a step of these can need: one a dataset of a run and shape
    of pictures, and no more than there are feeds."""
    kinds = {(feed.run, feed.name, shape) for feed in feeds for shape in feed.shapes}
    return min(len(kinds), len(feeds))


def _filled(draws: list[torch.Tensor], most: int) -> torch.Tensor:
    """Draws as one tensor of `most` of them, zeros at its end: recorded steps read one size."""
    return torch.stack([*draws, *[torch.zeros_like(draws[0])] * (most - len(draws))])


def _shape(example: Example) -> Shape:
    channels, height, width = example.latent.shape
    return channels, height, width


def _order(shape: Shape, denoiser: Denoiser) -> torch.Tensor:
    """Where each number of packed latents stands in plain ones [C * H * W]."""
    return denoiser.pack(torch.arange(math.prod(shape)).view(1, *shape)).flatten()


def _texts(datasets: Sequence[WeightedDataset], examples: Sequence[Example]) -> list[Embeddings]:
    return [dataset.empty for dataset in datasets] + [example.text for example in examples]
