"""Many trainings at once, from a list of jobs to adapters in the store under the keys of run.py.

What the store has is left alone; the rest is trained stack after stack, each stored as soon as it
is done.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from kindred.common.content_store import WRITERS
from kindred.common.errors import KindredError
from kindred.common.sentences import counted
from kindred.common.versions import code_revision
from kindred.compute import devices
from kindred.models.opened_base import OpenedBase
from kindred.training import adapter_store
from kindred.training.batched.jobs import BatchReport, read_jobs, sort_out
from kindred.training.held_out_curve import curve_of, warning_of
from kindred.training.job import TrainingJob
from kindred.training.run import store_adapter, store_kept
from kindred.training.start_marker import write_start_markers

if TYPE_CHECKING:
    from kindred.training.batched.members import BatchedRun, Trained


@dataclass(frozen=True)
class BatchSettings:
    """How a list is trained: most trainings in one stack, whether blocks are compiled; what of the
    machine, and where results are kept."""

    at_once: int = 128
    compile: bool = False
    device: str = "auto"
    threads: int = 0
    store: Path = adapter_store.STORE
    checkpoints: Path = adapter_store.CHECKPOINTS


def train_batched(listed: str, settings: BatchSettings) -> BatchReport:
    """Train all jobs of a list (JSON, or its file) that the store lacks and that can be trained
    together; what became of each. Raises KindredError for a list that is none."""
    if settings.at_once < 1:
        raise KindredError("must be at least 1", "--at-once", "set it to a whole number, 1 or more")
    code_revision()  # now: the code may be changed while this trains
    began, report = time.monotonic(), BatchReport()
    wanted = sort_out(read_jobs(listed, report), settings.store, report)
    of_base: dict[str, list[TrainingJob]] = {}
    for job in wanted:
        of_base.setdefault(job.spec.base.canonical(), []).append(job)
    if wanted:
        name = devices.acquire_device(settings.device)
        device = devices.prepare(name, settings.threads)
        for jobs in of_base.values():
            train_jobs(jobs, device, settings, report)
    report.seconds = round(time.monotonic() - began, 1)
    return report


def train_jobs(
    jobs: Sequence[TrainingJob], device: Any, settings: BatchSettings, report: BatchReport
) -> None:
    """Train jobs of one base, stack after stack, and store each stack as soon as it is done."""
    from kindred.training.batched.members import group_runs

    base = jobs[0].base
    network = base.load_transformer(device)
    todo = group_runs(members_of(jobs, report), settings.at_once)
    while todo:
        stack = todo.pop(0)
        with ExitStack() as locks:
            # In one order everywhere, so that two processes never wait for each other.
            for key in sorted(member.job.key for member in stack):
                locks.enter_context(adapter_store.alone(settings.checkpoints, key))
            stack = [member for member in stack if not member.job.is_there(settings.store)]
            if not stack:
                continue
            trained = train_stack(network, stack, base, len(todo), settings)
            if trained is None and len(stack) == 1:
                report.left[str(stack[0].job.out_dir)] = (
                    "too large to be trained together with others here"
                )
                continue
            if trained is None:
                half = len(stack) // 2
                todo[:0] = [stack[:half], stack[half:]]
                continue
            keep_all(stack, trained, settings, report)
        seconds = round(trained[0].seconds * len(stack), 1)
        report.stacks.append({"trainings": len(stack), "seconds": seconds})


def members_of(jobs: Sequence[TrainingJob], report: BatchReport) -> list[BatchedRun]:
    """Jobs with their examples in memory, those of one variant once."""
    from kindred.training.batched.members import BatchedRun, mixed_sizes
    from kindred.training.trainer import WeightedDataset

    known: dict[int, tuple[list[WeightedDataset], WeightedDataset | None]] = {}
    members = []
    for job in jobs:
        if id(job.sources) not in known:
            loaded = [WeightedDataset.load(source) for source in job.sources]
            kept_away = WeightedDataset.load(job.held_out) if job.held_out else None
            known[id(job.sources)] = loaded, kept_away
        datasets, held_out = known[id(job.sources)]
        member = BatchedRun(job.spec, job.run, datasets, job, held_out)
        why = mixed_sizes(member.read)
        if why:
            report.left[str(job.out_dir)] = why
        else:
            members.append(member)
    return members


def train_stack(
    network: Any, stack: Sequence[BatchedRun], base: OpenedBase, more: int, settings: BatchSettings
) -> list[Trained] | None:
    """Train a stack, after which `more` come; None when the GPU has no memory for so many."""
    import torch

    from kindred.training.batched.trainer import BatchedTrainer

    write_start_markers([member.job.out_dir for member in stack])
    what = f"training {len(stack)} together" + (f", {more} more such" if more else "")
    try:
        cores = os.cpu_count() or 1
        scheduler = base.scheduler
        return BatchedTrainer(network, stack, scheduler, cores, settings.compile).train(what)
    except torch.OutOfMemoryError:
        again = "; trying half as many" if len(stack) > 1 else ""
        trainings = counted(len(stack), "training")
        print(f"not enough memory for {trainings} at once{again}", file=sys.stderr)
    gc.collect()
    torch.cuda.empty_cache()
    return None


def keep_all(
    stack: Sequence[BatchedRun],
    trained: Sequence[Trained],
    settings: BatchSettings,
    report: BatchReport,
) -> None:
    """Put a stack's adapters into the store, not those whose training went wrong. Several at once,
    because each waits for the disk. Raises what storing raised first, after all others."""
    done = []
    for member, one in zip(stack, trained, strict=True):
        if one.fault:
            report.failed[str(member.job.out_dir)] = one.fault
        else:
            done.append((member.job, one))
    with ThreadPoolExecutor(WRITERS) as pool:
        stored = [pool.submit(keep, job, one, len(stack), settings) for job, one in done]
    for (job, one), future in zip(done, stored, strict=True):
        future.result()
        if said := warning_of(curve_of(one.rows), job.spec.recipe.steps):
            print(f"warning: {job.out_dir}: {said}", file=sys.stderr)
        report.trained[str(job.out_dir)] = job.key


def keep(job: TrainingJob, trained: Trained, count: int, settings: BatchSettings) -> None:
    """Put a finished adapter into the store, and those of its way."""
    from kindred.models.lora import injection
    from kindred.training.checkpoints import Checkpoints

    configured = SimpleNamespace(peft_config={injection.ADAPTER: trained.config})
    more = {"trained_together": count}
    for step, state in trained.kept.items():  # first: with the last one the series is whole
        store_kept(job, settings.store, trained.rows[step - 1], state, configured)
    store_adapter(job, settings.store, trained.state, configured, trained, more)
    Checkpoints(settings.checkpoints, job.key).remove()
