"""Draws pictures with the network that is being trained, between two of its steps.

Training is left as it was, to the byte: weights and random state are not touched, dropout is off
and on again, and the average takes the place of the weights and gives it back. The network draws as
it lies in memory, without being compiled or recorded anew; the VAE visits the device. Drawing that
fails ends the drawing, never the training.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar

import torch
from PIL import Image

from kindred.common.backends import backend_of
from kindred.common.errors import first_line_of
from kindred.compute.memory_plan import DrawingDemand
from kindred.models import training_adapter
from kindred.models.loading import load_vae
from kindred.models.opened_base import OpenedBase
from kindred.rendering.image_plan import batches
from kindred.rendering.pipeline import RenderPipeline, versions
from kindred.rendering.prompt_embeddings import texts_of
from kindred.training.samples import Sample, Samples
from kindred.training.trainer import Trainer

T = TypeVar("T")


class Sampler:
    """Draws what a training lacks of the pictures after a step; called with the trainer after every
    step, and before the first one. seconds: spent on it so far; drawn: pictures."""

    def __init__(self, samples: Samples, base: OpenedBase) -> None:
        """Raises KindredError for prompts that are not encoded as this base reads them."""
        self.samples, self.base = samples, base
        self.texts = texts_of(samples.texts, samples.asked, base)
        added = base.spec.training_adapter
        self.left_away = training_adapter.pairs(base.spec, base.architecture) if added else None
        self.pipeline: RenderPipeline | None = None
        self.seconds, self.drawn, self.failed = 0.0, 0, False

    def __call__(self, trainer: Trainer) -> None:
        """Draw what is due and lacking; of several processes each draws its part."""
        due = [] if self.failed else self.samples.after(trainer.done)
        own = [one for place, one in enumerate(due) if trainer.process_group.does(place)]
        lacking = [one for one in own if not one.is_there()]
        if not lacking:
            return
        trainer.log.read()  # raises where a loss is no number
        began = time.monotonic()
        try:
            self._draw(trainer, lacking)
        except Exception as error:
            self.failed = True
            reason = first_line_of(error)
            print(
                f"warning: pictures can't be drawn while this trains ({reason}); continuing "
                "without them",
                file=sys.stderr,
            )
        self.seconds += time.monotonic() - began

    def demand(self) -> DrawingDemand:
        """What the largest batch of it takes of a GPU's memory."""
        architecture = self.base.architecture
        sizes = {one.size for one in self.samples.asked}
        passes = 2 if self.base.cfg_scale(self.samples.asked[0].settings["guidance"]) else 1
        edge = architecture.latent_px
        tokens = {size: architecture.tokens(size[1] // edge, size[0] // edge) for size in sizes}
        largest = max(sizes, key=lambda size: self.samples.render.batch_of(*size) * tokens[size])
        return DrawingDemand(
            images=passes * self.samples.render.batch_of(*largest),
            image_tokens=tokens[largest],
            text_tokens=max(architecture.text.lengths(self.texts.values())),
            pixels=max(width * height for width, height in sizes),
            beside=sum(part.nbytes for pair in (self.left_away or {}).values() for part in pair),
        )

    def figures(self) -> dict[str, Any]:
        """What lora.json says of it."""
        return {"pictures": self.drawn, "seconds": round(self.seconds, 3)}

    def _draw(self, trainer: Trainer, lacking: Sequence[Sample]) -> None:
        by_key = {sample.asked.key: sample for sample in lacking}
        made_with = versions(trainer.device)
        with self._drawing(trainer) as pipeline:
            asked = [sample.asked for sample in lacking]
            groups = batches(
                asked, self.samples.render, lambda one: pipeline.text_tokens(one, self.texts)
            )
            for group in groups:
                if trainer.ends_here:  # the others are drawn when it goes on
                    return
                images = self._pictures(trainer, pipeline, group)
                for one, image in zip(group, images, strict=True):
                    by_key[one.key].write(image, {**made_with, **pipeline.notes()})
                    self.drawn += 1

    def _pictures(
        self, trainer: Trainer, pipeline: RenderPipeline, group: Sequence[Any]
    ) -> list[Image.Image]:
        size = self.samples.render.batch_of(*group[0].size)
        return drawn_in_room(trainer, lambda: pipeline.draw(group, self.texts, size))

    @contextmanager
    def _drawing(self, trainer: Trainer) -> Iterator[RenderPipeline]:
        """The pipeline on the trainer's device, which has the VAE meanwhile."""
        if self.pipeline is None:
            vae = load_vae(self.base.spec, "cpu")
            self.pipeline = RenderPipeline(self.base, trainer.transformer, vae, in_training=True)
        plain = (
            training_adapter.left_away(trainer.transformer, self.left_away)
            if self.left_away
            else nullcontext()
        )
        with trainer.as_saved(), plain, visiting(self.pipeline.vae, trainer.device):
            yield self.pipeline


@contextmanager
def visiting(vae: Any, device: torch.device) -> Iterator[None]:
    """`with` a VAE on the device; else it lies in main memory. What it took is given back."""
    try:
        vae.to(device)
        yield
    finally:
        vae.to("cpu")
        if backend_of(device).cuda_api:
            torch.cuda.empty_cache()


def drawn_in_room(trainer: Trainer, draw: Callable[[], T]) -> T:
    """What `draw` gives; where memory runs out, once more without the recordings of steps, which
    are made anew afterwards."""
    try:
        return draw()
    except torch.OutOfMemoryError:
        if not trainer.runner.forget_recordings():
            raise
    return draw()
