"""Training examples in memory, and the batches that are made of them.

An example holds an image's latent and its caption's embeddings together, so that no later step
can pair them anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from kindred.common.seeds import generator
from kindred.data import encoding_cache
from kindred.data.caption_pairing import CaptionedImage
from kindred.data.encoding_cache import NO_CAPTION
from kindred.models.architectures.interface import Architecture, Conditioning, Embeddings
from kindred.specs.training import Recipe
from kindred.training.flow_matching import sample_sigmas

# Where a batch stands in a training: its dataset, step and micro-step.
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Example:
    """A latent [C, H, W], the embeddings of the caption it trains with, and the weights of its
    tokens in the loss where they are not equal."""

    pixel_hash: str
    caption_hash: str
    latent: torch.Tensor
    text: Embeddings
    weights: torch.Tensor | None = None


@dataclass(frozen=True)
class Batch:
    """latents, noise [B, C, H, W] and sigmas [B] in float32; text: the network's conditioning, name
    -> [B, ...]; weights [B, tokens] or None. preserves: the base's own answer is to be learned."""

    latents: torch.Tensor
    noise: torch.Tensor
    sigmas: torch.Tensor
    text: Conditioning
    weights: torch.Tensor | None = None
    preserves: bool = False

    def map(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Batch:
        """The same with every tensor changed."""
        return Batch(
            change(self.latents),
            change(self.noise),
            change(self.sigmas),
            {name: change(value) for name, value in self.text.items()},
            None if self.weights is None else change(self.weights),
            self.preserves,
        )

    @property
    def inputs(self) -> dict[str, Any]:
        """What the network is asked and how its answer is weighed, by `flow_loss`'s names."""
        return {name: value for name, value in vars(self).items() if name != "preserves"}

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        return self.map(lambda value: value.to(device, non_blocking=True))

    def tensors(self) -> list[torch.Tensor]:
        """All that there are, always in one order."""
        weights = [] if self.weights is None else [self.weights]
        return [self.latents, self.noise, self.sigmas, *self.text.values(), *weights]


Feed = Iterator[tuple[Place, Batch]]


def load_examples(
    pairs: Sequence[CaptionedImage],
    latents: Path,
    text: Path,
    weights: Mapping[str, Sequence[float]] | None = None,
) -> tuple[dict[str, list[Example]], Embeddings]:
    """(examples by bucket '<width>x<height>', the empty caption). All look-ups are by hash;
    `weights`: of the tokens of each image."""
    photos = {pair.item.pixel_hash: pair.item.image_id for pair in pairs}
    captions = {pair.item.caption_hash: pair.item.caption for pair in pairs}
    wanted = sorted({pair.caption_hash for pair in pairs} | {NO_CAPTION})
    images = encoding_cache.read_latents(latents, dict(sorted(photos.items())))
    texts = encoding_cache.read_texts(text, {name: captions.get(name, "") for name in wanted})
    buckets: dict[str, list[Example]] = defaultdict(list)
    for pair in sorted(pairs, key=lambda pair: pair.item.image_id):
        item = pair.item
        buckets[f"{item.width}x{item.height}"].append(
            Example(
                item.pixel_hash,
                pair.caption_hash,
                images[item.pixel_hash].float(),
                texts[pair.caption_hash],
                torch.tensor(weights[item.pixel_hash]) if weights else None,
            )
        )
    return dict(buckets), texts[NO_CAPTION]


def make_batch(
    examples: Sequence[Example],
    empty: Embeddings,
    recipe: Recipe,
    architecture: Architecture,
    scheduler: Mapping[str, Any],
    run: int,
    place: Place,
    rows: int | None = None,
    preserves: bool = False,
) -> Batch:
    """Examples of one bucket with noise, noise levels and caption dropout, all drawn from the run
    and the `place` (dataset, step, micro-step) alone. rows: as `TextEncoding.collate` takes it.

    No caption is dropped where the base's answers are preserved: pictures without a caption are
    learned from the photos."""
    latents = torch.stack([example.latent for example in examples])
    tokens = architecture.tokens(*latents.shape[-2:])
    shift = architecture.shift(scheduler, tokens, None)
    drop = torch.rand(len(examples), generator=generator(run, "caption", *place))
    texts = [
        empty if draw < recipe.caption_dropout and not preserves else example.text
        for draw, example in zip(drop.tolist(), examples, strict=True)
    ]
    source = generator(run, "sigma", *place)
    weights = [example.weights for example in examples if example.weights is not None]
    return Batch(
        latents=latents,
        noise=torch.randn(latents.shape, generator=generator(run, "noise", *place)),
        sigmas=sample_sigmas(len(examples), recipe, shift, source),
        text=architecture.text.collate(texts, rows),
        weights=torch.stack(weights) if weights else None,
        preserves=preserves,
    )


def prefetch(feed: Feed) -> Feed:
    """The same batches, each prepared while the one before is in use, in pinned memory."""

    def pinned() -> tuple[Place, Batch]:
        place, batch = next(feed)
        return place, batch.map(torch.Tensor.pin_memory)

    with ThreadPoolExecutor(1) as worker:
        coming = worker.submit(pinned)
        while True:
            made, coming = coming.result(), worker.submit(pinned)
            yield made
