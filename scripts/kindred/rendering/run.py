"""A prompt set of one run, or many of them, from the settings to pictures in the store.

What is there already is found without torch; a GPU is claimed and a base loaded only for what is
missing. Claiming comes before torch, because it hides the GPUs of other jobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kindred.common.job_summary import JobSummary
from kindred.compute import devices
from kindred.data.shown_photos import read_shown
from kindred.models.identity import identity_of
from kindred.models.lora.adapters import Adapter, read_adapters
from kindred.models.opened_base import open_base
from kindred.rendering.image_plan import ImageRequest, plan
from kindred.rendering.image_store import ImageStore
from kindred.rendering.manifest import write_manifest
from kindred.rendering.render import render
from kindred.specs.batched_jobs import RenderJobs
from kindred.specs.rendering import RenderSpec


@dataclass(frozen=True)
class Machine:
    """What drawing may take of the machine. split: one model over all GPUs."""

    device: str = "auto"
    threads: int = 0
    split: devices.Split | None = None


def render_prompt_set(
    spec: RenderSpec,
    prompts: Path,
    adapters: Sequence[Path],
    store: ImageStore,
    out: Path,
    machine: Machine,
) -> str:
    """Draw what is missing and write the manifest; what was done, in a line. prompts: the embedded
    texts. adapters: LoRA files in the order of the weights; none draws the base."""
    worn = read_adapters(adapters, spec.weights)
    shown = read_shown(spec.references) if spec.references else {}
    pictures = plan(spec, worn, identity_of(spec.base), shown)
    work = render(spec, pictures, worn, store, Loader(spec, prompts, worn, machine))
    write_manifest(out, spec.name, pictures, worn, store)
    return f"{spec.name}: {work}"


@dataclass(frozen=True)
class Loader:
    """What `render` calls when pictures are missing: claims the device, loads the base."""

    spec: RenderSpec
    prompts: Path
    adapters: Sequence[Adapter]
    machine: Machine

    def __call__(self, missing: Sequence[ImageRequest]) -> tuple[Any, Any, dict[str, str]]:
        """(pipeline, embedded texts by prompt, versions of what draws)."""
        spec, split = self.spec, self.machine.split
        name = devices.acquire_device(self.machine.device, split=split)
        from kindred.compute.device_map import over_gpus
        from kindred.rendering.pipeline import RenderPipeline, versions
        from kindred.rendering.prompt_embeddings import texts_of

        device = devices.prepare(name, self.machine.threads)
        texts = texts_of(self.prompts, missing, open_base(spec.base))
        spread = split and name == "cuda"
        places = over_gpus(open_base(spec.base), split) if spread else None
        pipeline = RenderPipeline.load(spec, self.adapters, device, missing, places)
        return pipeline, texts, versions(device)


def render_batched(
    wanted: RenderJobs, store: ImageStore, out: Path, machine: Machine, at_once: int
) -> None:
    """Draw what the store lacks of many jobs, each base loaded once, and write a summary. at_once:
    pictures in a batch at most; 0: as one job alone. Raises KindredError when a job failed."""
    from kindred.rendering.batched import AdapterSwitcher, draw, jobs_of

    summary = JobSummary(len(wanted.jobs))
    jobs = jobs_of(wanted, summary, at_once or None)
    todo = [job for job in jobs if not all(store.has(picture.key) for picture in job.pictures)]
    summary.found = sum(len(job.pictures) for job in jobs) - sum(len(job.pictures) for job in todo)
    loads = {"loads": 0, "changes": 0}
    if todo:
        name = devices.acquire_device(machine.device)
        device = devices.prepare(name, machine.threads)
        switcher = AdapterSwitcher(device, todo, compiles=not at_once)
        draw(todo, store, switcher, summary)
        loads = {"loads": switcher.loads, "changes": switcher.changes}
    summary.end(out, "drawn", **loads)
