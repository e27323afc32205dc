"""The loss on photos that a training does not see: what is noised how, and its mean.

Noise follows from the photo's pixels, and noise levels are the same few of every photo, so losses
of all steps, runs and variants that hold out the same photos compare with each other and have no
chance in them. Photos count alike, whatever weights the training gives to tokens or noise levels.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import torch

from kindred.common.seeds import generator
from kindred.models.architectures.interface import Architecture
from kindred.training.batches import Batch, Example
from kindred.training.flow_matching import losses_of_samples
from kindred.training.held_out_curve import COLUMN, curve_of, is_due, warning_of

if TYPE_CHECKING:
    from kindred.training.trainer import Trainer, WeightedDataset

# Each photo is noised to each of these: the middles of four equal parts of all noise levels.
LEVELS = (0.125, 0.375, 0.625, 0.875)


@dataclass(frozen=True)
class HeldOutSample:
    """A photo that is not trained on, to be noised to a level."""

    example: Example
    sigma: float

    @property
    def noise(self) -> torch.Tensor:
        """[C, H, W] in float32: the same in every training."""
        of_photo = generator(0, COLUMN, self.example.pixel_hash, f"{self.sigma:g}")
        return torch.randn(self.example.latent.shape, generator=of_photo)


def samples_of(dataset: WeightedDataset) -> list[HeldOutSample]:
    """Every photo at every level, those of one size together."""
    examples = chain.from_iterable(dataset.buckets[name] for name in sorted(dataset.buckets))
    return [HeldOutSample(example, sigma) for example in examples for sigma in LEVELS]


def in_batches(
    samples: Sequence[HeldOutSample], most: int, architecture: Architecture
) -> Iterator[Batch]:
    """Batches of at most `most` samples of one size, in their order."""
    start = 0
    while start < len(samples):
        shape = samples[start].example.latent.shape
        chosen = [s for s in samples[start : start + most] if s.example.latent.shape == shape]
        yield Batch(
            latents=torch.stack([one.example.latent for one in chosen]),
            noise=torch.stack([one.noise for one in chosen]),
            sigmas=torch.tensor([one.sigma for one in chosen]),
            text=architecture.text.collate([one.example.text for one in chosen], None),
        )
        start += len(chosen)


@dataclass
class HeldOutLoss:
    """Writes the loss on a dataset's photos into the log of a training; called after every step.
    Of several processes the first does."""

    dataset: WeightedDataset
    warned: bool = False

    def __call__(self, trainer: Trainer) -> None:
        """Take the loss where it is due, and say so when it rises."""
        if not is_due(trainer.recipe, trainer.done) or not trainer.process_group.first:
            return
        loss = trainer.runner.until_done(lambda: self._mean(trainer))
        trainer.rows[-1][COLUMN] = round(loss, 6)
        said = warning_of(curve_of(trainer.rows), trainer.recipe.steps)
        if said and not self.warned:
            print(f"warning: {said}", file=sys.stderr)
            self.warned = True

    def _mean(self, trainer: Trainer) -> float:
        with trainer.as_saved():
            return self._mean_as_saved(trainer)

    def _mean_as_saved(self, trainer: Trainer) -> float:
        recipe, fitting = trainer.recipe, trainer.fitting
        most = (fitting and fitting.micro_batch) or recipe.batch
        found = [
            losses_of_samples(
                trainer.denoiser,
                batch.latents,
                batch.noise,
                batch.sigmas,
                batch.text,
                recipe.train_guidance,
            )
            for one in in_batches(samples_of(self.dataset), most, trainer.architecture)
            for batch in [one.to(trainer.device)]
        ]
        return float(torch.cat(found).double().mean())
