"""Rendering a prompt set into the store: draw what is missing, and nothing else.

Knows plan, store and pipeline; the base is loaded once, and only when a picture is missing.
Importing this module imports neither torch nor diffusers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from kindred.common.progress import Progress
from kindred.common.sentences import counted
from kindred.models.lora.adapters import Adapter
from kindred.rendering.image_plan import ImageRequest, batches
from kindred.rendering.image_store import ImageStore
from kindred.specs.rendering import RenderSpec

if TYPE_CHECKING:
    from kindred.rendering.pipeline import RenderPipeline, Texts


@dataclass(frozen=True)
class Work:
    """What a rendering cost: pictures asked for, drawn now, base loads, seconds of each."""

    asked: int
    drawn: int = 0
    loads: int = 0
    load_seconds: float = 0.0
    draw_seconds: float = 0.0

    def __str__(self) -> str:
        asked = counted(self.asked, "picture")
        text = f"{asked}, {self.asked - self.drawn} in the store, {self.drawn} drawn"
        if self.drawn:
            text += (
                f"; {counted(self.loads, 'base load')} ({self.load_seconds:.1f} s), "
                f"{self.draw_seconds / self.drawn:.2f} s a picture"
            )
        return text


def render(
    spec: RenderSpec,
    pictures: Sequence[ImageRequest],
    adapters: Sequence[Adapter],
    store: ImageStore,
    load: Callable[[Sequence[ImageRequest]], tuple[RenderPipeline, Texts, dict[str, Any]]],
) -> Work:
    """Draw every picture that the store lacks; each is stored as soon as its batch is done.

    `load` is called at most once, with the missing pictures. It gives the pipeline, the embedded
    prompts and a note of what the pictures are made with (versions, device), which goes into each.
    """
    missing = [picture for picture in pictures if not store.has(picture.key)]
    if not missing:
        return Work(len(pictures))
    start = time.monotonic()
    pipeline, texts, made_with = load(missing)
    loaded = time.monotonic()
    groups = batches(missing, spec, lambda picture: pipeline.text_tokens(picture, texts))
    drawn = sum(map(len, groups))
    steps = spec.prompt_set.steps
    used = [adapter.noted() for adapter in adapters]
    with (
        store.writing_images() as put,
        Progress(f"render {spec.name}", drawn * steps, "step") as progress,
    ):
        done = 0
        for group in groups:
            show = partial(progress.update, len(group), pictures=f"{done}/{drawn}")
            images = pipeline.draw(
                group, texts, spec.batch_of(*group[0].size, group[0].shown_sizes), show
            )
            for picture, image in zip(group, images, strict=True):
                made = {**made_with, **pipeline.notes()}
                settings = {**picture.settings, "adapters": used, "made_with": made}
                put(picture.key, image, settings)
            done += len(group)
    return Work(len(pictures), drawn, 1, loaded - start, time.monotonic() - loaded)
