"""The pictures that one training draws on its way, and where they lie in its run's folder.

A picture is a plain PNG, `samples/step-<n>/<prompt>-<seed>.png`, with what it was made from inside:
the training's key and the step among it, so that another training's picture is never taken for its
own. Imports no torch; sampler.py draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindred.common.errors import KindredError
from kindred.common.files import atomic_write
from kindred.common.hashing import spec_hash
from kindred.rendering.image_plan import ImageRequest, plan
from kindred.rendering.image_store import image_writer, settings_of
from kindred.specs.rendering import RenderSpec
from kindred.specs.samples import SAMPLES, SampleSpec

if TYPE_CHECKING:
    from PIL import Image

    from kindred.models.opened_base import OpenedBase


@dataclass(frozen=True)
class Sample:
    """A picture after a step: what is asked for, and its file."""

    step: int
    asked: ImageRequest
    path: Path

    def is_there(self) -> bool:
        """Whether the file is there, whole and this very picture."""
        try:
            return settings_of(self.path).get("key") == self.asked.key
        except KindredError:
            return False

    def write(self, image: Image.Image, made_with: dict[str, Any]) -> None:
        """Write the file. Raises KindredError when it can't be."""
        settings = {**self.asked.settings, "made_with": made_with}
        with atomic_write(self.path) as temporary:
            image_writer(self.asked.key, image, settings)(temporary)


@dataclass(frozen=True)
class Samples:
    """All pictures that a training is to draw. texts: its prompts, encoded. training: the key of
    its adapter. steps: how many it has."""

    spec: SampleSpec
    render: RenderSpec
    texts: Path
    folder: Path
    training: str
    steps: int
    asked: tuple[ImageRequest, ...]

    @classmethod
    def of(
        cls, file: Path, texts: Path, base: OpenedBase, run_folder: Path, key: str, steps: int
    ) -> Samples:
        """Those of one training, by the settings in `file`. Raises KindredError where it can't be
        read."""
        spec = SampleSpec.read(str(file))
        render = RenderSpec(base=base.spec, prompt_set=spec.prompt_set, name=SAMPLES)
        asked = tuple(plan(render, [], base.identity))
        return cls(spec, render, texts, run_folder / SAMPLES, key, steps, asked)

    def after(self, step: int) -> list[Sample]:
        """The pictures that are drawn after a step, in the order of prompts and seeds; none after
        most steps."""
        return [self._sample(one, step) for one in self.asked if self.spec.due(step, self.steps)]

    def up_to(self, step: int) -> Iterator[Sample]:
        """The pictures of all steps up to this one whose files are there, oldest first."""
        every = range(self.spec.every, step + 1, self.spec.every)
        for due in sorted({*every, *([step] if step == self.steps else [])}):
            yield from (sample for sample in self.after(due) if sample.path.is_file())

    def remove_others(self) -> None:
        """Remove pictures of other trainings, or of other settings, that lie in the folder."""
        own = {one.path: one for step in self._due_steps() for one in self.after(step)}
        for path in self.folder.glob("step-*/*.png"):
            if path not in own or not own[path].is_there():
                path.unlink(missing_ok=True)
        for folder in self.folder.glob("step-*"):
            if not any(folder.iterdir()):
                folder.rmdir()

    def _due_steps(self) -> list[int]:
        return [step for step in range(1, self.steps + 1) if self.spec.due(step, self.steps)]

    def _sample(self, asked: ImageRequest, step: int) -> Sample:
        settings = {**asked.settings, "training": self.training, "step": step}
        own = replace(asked, settings=settings, key=spec_hash(settings))
        name = f"step-{step:06d}/{asked.name}-{asked.seed}.png"
        return Sample(step, own, self.folder / name)
