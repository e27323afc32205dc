"""Many renderings in one process: the base is loaded once, and adapters come and go.

Knows how adapters are put on a loaded base and taken off again to the last bit, and in which order
jobs need the fewest changes; what is drawn, and in which batches, is `render`'s.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindred.common.backends import backend_of
from kindred.common.errors import KindredError
from kindred.common.job_summary import JobSummary
from kindred.common.sentences import counted
from kindred.data.shown_photos import read_shown
from kindred.models.identity import identity_of
from kindred.models.lora.adapters import Adapter, apply_adapters, read_adapters
from kindred.models.opened_base import open_base
from kindred.rendering.image_plan import ImageRequest, plan
from kindred.rendering.image_store import ImageStore
from kindred.rendering.render import render
from kindred.specs.batched_jobs import RenderJobs
from kindred.specs.rendering import RenderSpec

if TYPE_CHECKING:
    import torch

    from kindred.rendering.pipeline import RenderPipeline


@dataclass(frozen=True)
class BatchedRenderJob:
    """One prompt set to be drawn: what render.py is told, and the pictures that come of it.
    `noted`: what its pictures are to say that render.py's would not."""

    spec: RenderSpec
    prompts: Path
    adapters: Sequence[Adapter]
    out: str
    pictures: Sequence[ImageRequest]
    noted: dict[str, Any]

    @property
    def base(self) -> tuple[str, str | None, bool | None, bool]:
        """Equal for jobs that are drawn on the same loaded base."""
        spec = self.spec
        return spec.base.canonical(), spec.prompt_set.precision, spec.merge, bool(spec.apart)

    @property
    def adapter_weights(self) -> tuple[tuple[str, float], ...]:
        """Equal for jobs with the same adapters at the same weights."""
        return tuple((adapter.content_hash, adapter.weight) for adapter in self.adapters)


def jobs_of(
    wanted: RenderJobs, summary: JobSummary, at_once: int | None = None
) -> list[BatchedRenderJob]:
    """The jobs with their pictures, those of one base and of equal adapters beside each other.
    `at_once`: so many pictures in a batch at most, instead of what the specifications say.

    Jobs whose adapters can't be used are noted as failed.
    """
    read, known = cache(read_adapters), cache(identity_of)
    jobs = []
    for job in wanted.jobs:
        spec = wanted.specs[job.spec]
        try:
            adapters = read(tuple(map(Path, job.adapters)), tuple(spec.weights))
            shown = read_shown(spec.references) if spec.references else {}
            pictures = plan(spec, adapters, known(spec.base), shown)
        except KindredError as error:
            summary.fail(job.out, error)
            continue
        batch = {"batch": even(pictures, at_once)} if at_once and pictures else {}
        spec = spec.model_copy(update=batch)
        jobs.append(BatchedRenderJob(spec, Path(job.prompts), adapters, job.out, pictures, batch))
    return sorted(jobs, key=lambda job: (repr(job.base), job.adapter_weights))


def even(pictures: Sequence[ImageRequest], at_once: int) -> int:
    """The size of equal batches of `at_once` at most: what batches are filled up with is lost."""
    most = max(Counter(picture.size for picture in pictures).values())
    return ceil(most / ceil(most / at_once))


def draw(
    jobs: Sequence[BatchedRenderJob],
    store: ImageStore,
    switcher: AdapterSwitcher,
    summary: JobSummary,
) -> None:
    """Draw what the store lacks of all jobs. A failure is noted and the next job goes on."""
    for job in jobs:
        try:
            work = render(job.spec, job.pictures, job.adapters, store, switcher.loader(job))
        except Exception as error:
            summary.fail(job.out, error)
            switcher.close()  # nobody knows what state it left
            continue
        summary.made += work.drawn
        summary.found += work.asked - work.drawn
        each = f", {work.draw_seconds / work.drawn:.3f} s each" if work.drawn else ""
        asked = counted(work.asked, "picture")
        print(f"{job.out}: {work.drawn} of {asked} drawn{each}", file=sys.stderr)


class AdapterSwitcher:
    """A loaded base, and which adapters it has. `loads`, `changes`: how often either came.

    Without `compiles` the network is never compiled: in large batches there is little to gain.
    """

    def __init__(
        self, device: torch.device, jobs: Sequence[BatchedRenderJob], compiles: bool = True
    ) -> None:
        self.device, self.loads, self.changes = device, 0, 0
        # All that each base draws, by which it is decided whether compiling it is worth while.
        self.pictures = {
            base: [picture for job in own for picture in job.pictures if compiles]
            for base, own in groupby(jobs, lambda job: job.base)
        }
        self.close()

    def close(self) -> None:
        """Let go of the base."""
        self.base: Any = None
        self.pipeline: RenderPipeline | None = None
        self.adapter_weights: Any = ()
        self.remove_adapters: Callable[[], None] = lambda: None
        if backend_of(self.device).cuda_api:
            import torch

            gc.collect()
            torch.cuda.empty_cache()

    def loader(self, job: BatchedRenderJob) -> Any:
        """What `render` calls when pictures are missing."""

        def load(missing: Sequence[ImageRequest]) -> tuple[RenderPipeline, Any, dict[str, Any]]:
            from kindred.rendering.pipeline import versions
            from kindred.rendering.prompt_embeddings import texts_of

            texts = texts_of(job.prompts, missing, open_base(job.spec.base))
            return self.with_adapters(job), texts, versions(self.device) | job.noted

        return load

    def with_adapters(self, job: BatchedRenderJob) -> RenderPipeline:
        """The base of the job with its adapters, as RenderPipeline.load gives it."""
        if self.pipeline is None or self.base != job.base:
            pipeline = self._load(job)
        elif self.adapter_weights == job.adapter_weights:
            pipeline = self.pipeline
        elif not changeable(job, self.pipeline):
            pipeline = self._load(job)
        else:
            pipeline = self.pipeline
            self.remove_adapters()
            self._load_adapters(job, pipeline)
        pipeline.decode_at_once = job.noted.get("batch", 1)
        return pipeline

    def _load(self, job: BatchedRenderJob) -> RenderPipeline:
        from kindred.rendering.pipeline import RenderPipeline

        self.close()  # before the next one needs the memory
        pictures = self.pictures[job.base]
        pipeline = RenderPipeline.load(
            job.spec, [] if merges(job) else job.adapters, self.device, pictures
        )
        if merges(job) and not changeable(job, pipeline):
            del pipeline
            pipeline = RenderPipeline.load(job.spec, job.adapters, self.device, pictures)
        self.base, self.pipeline, self.adapter_weights = job.base, pipeline, job.adapter_weights
        self.loads += 1
        if changeable(job, pipeline):
            self._load_adapters(job, pipeline)
        return pipeline

    def _load_adapters(self, job: BatchedRenderJob, pipeline: RenderPipeline) -> None:
        self.remove_adapters = load_adapters(pipeline.transformer, job.adapters)
        self.adapter_weights = job.adapter_weights
        self.changes += bool(job.adapters)


def merges(job: BatchedRenderJob) -> bool:
    """Whether a job's adapters are added into weights that can be had back."""
    return job.spec.base.quantization is None and job.spec.merged()


def changeable(job: BatchedRenderJob, pipeline: RenderPipeline) -> bool:
    """Whether adapters can change on this loaded base. Beside the weights they are layers, which
    a compiled or recorded network would not see change; and weights that only visit the device
    are files."""
    return merges(job) and bool(pipeline.transformer.device.type == pipeline.vae.device.type)


def load_adapters(transformer: Any, adapters: Sequence[Adapter]) -> Callable[[], None]:
    """Add adapters into a base's weights as `apply_adapters` does. Returns what takes them off:
    the weights are then the same to the last bit. All stay in the same memory throughout.

    Raises KindredError naming the file that does not fit; the base is then not to be used again.
    """
    if not adapters:
        return lambda: None
    from peft.tuners.tuners_utils import BaseTunerLayer

    apply_adapters(transformer, adapters, merge=False)
    # Subtracting would leave what rounding took: the weights that change are kept.
    kept = [
        (parameter, parameter.data, parameter.data.clone())
        for layer in transformer.modules()
        if isinstance(layer, BaseTunerLayer)
        for parameter in layer.get_base_layer().parameters()
    ]
    # What `apply_adapters` does when it merges.
    transformer.fuse_lora(adapter_names=list(transformer.peft_config))
    transformer.unload_lora()
    for parameter, place, _ in kept:
        if parameter.data_ptr() != place.data_ptr():  # DoRA puts a new tensor there
            place.copy_(parameter.data)
            parameter.data = place

    def remove_adapters() -> None:
        for _, place, before in kept:
            place.copy_(before)

    return remove_adapters
