"""What goes along with one training and changes nothing of it: losses and adapters on its way,
pictures drawn by it, the live page's figures, a tracker."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from kindred.compute.memory_plan import DrawingDemand
from kindred.training import trackers
from kindred.training.job import TrainingJob
from kindred.training.live_log import LiveLog
from kindred.training.sampler import Sampler
from kindred.training.trainer import Trainer

Observer = Callable[[Trainer], None]


@dataclass(frozen=True)
class Observers:
    """Those of one process. on_start, on_step: as the trainer calls them, in this order."""

    on_start: list[Observer]
    on_step: list[Observer]
    sampler: Sampler | None = None
    live: LiveLog | None = None

    @classmethod
    def of(
        cls, job: TrainingJob, noting: Sequence[Observer], tracker: str, first: bool
    ) -> Observers:
        """noting: what writes down more of a step, and keeps adapters. tracker: its name, '' for
        none. first: whether this is the process that writes files. Raises KindredError where
        prompts can't be read."""
        if first and job.samples:
            job.samples.remove_others()
        sampler = Sampler(job.samples, job.base) if job.samples else None
        drawing: list[Observer] = [sampler] if sampler else []
        if not first:
            return cls(drawing, [*noting, *drawing], sampler)
        live = LiveLog(job.out_dir, job.spec.recipe.steps, job.samples)
        on_step: list[Observer] = [*noting, *drawing, live]
        if tracker:
            settings = job.spec.recipe.model_dump()
            tracked = trackers.TrackedTraining(tracker, job.out_dir, settings, job.samples)
            atexit.register(tracked.close)
            on_step.append(tracked)
        return cls([*drawing, live.start], on_step, sampler, live)

    def drawing_demand(self) -> DrawingDemand | None:
        """What drawing takes of a GPU's memory."""
        return self.sampler.demand() if self.sampler else None

    def telling(self) -> AbstractContextManager[None]:
        """`with` the training: how it ended is told."""
        return self.live.telling() if self.live else nullcontext()

    def figures(self) -> dict[str, Any]:
        """What lora.json says of what was drawn."""
        return {"samples": self.sampler.figures()} if self.sampler else {}
