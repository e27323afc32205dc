"""Many LoRAs of small bases at once, for scripts/train.py to find in the store.

in:  a JSON list of jobs, each with what train.py is given: `spec_file` or `spec`, `run`, `out_dir`,
     images, captions, latents, text, and where its recipe needs them prior_images, prior_captions,
     prior_latents, prior_text, masks. In place of the first three: `folders`, a variant's folder
     with its spec.json -> its runs, which go to run-<k> in it.
out: finished adapters in the store, under the keys that train.py looks for; a JSON of what was
     trained, what was there, what is left to train.py and why, and what failed; in every out_dir
     the mark begun.json.
Adapters agree with train.py's to rounding, not to the bit. A stack's are stored when all its steps
are done: what is stopped in the middle is trained anew.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from kindred.common import progress
from kindred.common.errors import KindredError, Problems, run_main
from kindred.common.files import write_csv, write_json
from kindred.compute import devices
from kindred.training import adapter_store
from kindred.training.batched.jobs import BatchReport, Job, read_jobs, sort_out
from kindred.training.start_marker import note_training
from train import COLUMNS, header, summary

if TYPE_CHECKING:
    from kindred.training.batched.members import BatchedRun, Trained


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", required=True, help="a JSON file, or the JSON itself")
    parser.add_argument("--out", required=True, type=Path, help="JSON of what was done")
    parser.add_argument("--store", type=Path, default=adapter_store.STORE, help="finished adapters")
    parser.add_argument("--checkpoints", type=Path, default=adapter_store.CHECKPOINTS)
    parser.add_argument(
        "--at-once", type=int, default=128, help="most trainings in one stack (default 128)"
    )
    parser.add_argument(
        "--compile", action="store_true", help="compile the blocks: a minute first, then faster"
    )
    devices.add_arguments(parser)
    return parser.parse_args(argv)


def train(
    jobs: Sequence[Job], device: Any, options: argparse.Namespace, account: BatchReport
) -> None:
    """Train jobs of one base, stack after stack, and store each stack as soon as it is done."""
    from kindred.models import loading
    from kindred.training.batched.members import group_runs

    network = loading.load_transformer(jobs[0].spec.base, device)
    scheduler = dict(loading.load_scheduler(jobs[0].spec.base).config)
    todo = group_runs(members_of(jobs, account), options.at_once)
    while todo:
        stack = todo.pop(0)
        with ExitStack() as locks:
            # In one order everywhere, so that two processes never wait for each other.
            for key in sorted(member.job.key for member in stack):
                locks.enter_context(adapter_store.alone(options.checkpoints, key))
            stack = [member for member in stack if not member.job.is_there(options.store)]
            if not stack:
                continue
            trained = train_stack(network, stack, scheduler, len(todo), options)
            if trained is None and len(stack) == 1:
                account.left[str(stack[0].job.out_dir)] = "too large to be trained in this way here"
                continue
            if trained is None:
                half = len(stack) // 2
                todo[:0] = [stack[:half], stack[half:]]
                continue
            for member, one in zip(stack, trained, strict=True):
                keep(member.job, one, len(stack), options, account)
        seconds = round(trained[0].seconds * len(stack), 1)
        account.stacks.append({"trainings": len(stack), "seconds": seconds})


def members_of(jobs: Sequence[Job], account: BatchReport) -> list[BatchedRun]:
    """Jobs with their examples in memory, those of one variant once."""
    from kindred.training.batched.members import BatchedRun, mixed_sizes
    from kindred.training.batches import load_examples
    from kindred.training.trainer import WeightedDataset

    known: dict[int, list[WeightedDataset]] = {}
    members = []
    for job in jobs:
        if id(job.sources) not in known:
            loaded = [
                load_examples(source.pairs, source.latents, source.text, source.token_weights)
                for source in job.sources
            ]
            known[id(job.sources)] = [
                WeightedDataset(source.name, source.weight, *examples)
                for source, examples in zip(job.sources, loaded, strict=True)
            ]
        streams = known[id(job.sources)]
        why = mixed_sizes(streams)
        if why:
            account.left[str(job.out_dir)] = why
        else:
            members.append(BatchedRun(job.spec, job.run, streams, job))
    return members


def train_stack(
    network: Any,
    stack: Sequence[BatchedRun],
    scheduler: Mapping[str, Any],
    more: int,
    options: argparse.Namespace,
) -> list[Trained] | None:
    """Train a stack, after which `more` come; None when the GPU has no memory for so many."""
    import torch

    from kindred.training.batched.trainer import BatchedTrainer

    for member in stack:
        note_training(member.job.out_dir)
    what = f"training {len(stack)} together" + (f", {more} more such" if more else "")
    try:
        cores = os.cpu_count() or 1
        return BatchedTrainer(network, stack, scheduler, cores, options.compile).train(what)
    except torch.OutOfMemoryError:
        print(f"no memory for {len(stack)} at once; taking half as many", file=sys.stderr)
    gc.collect()
    torch.cuda.empty_cache()
    return None


def keep(
    job: Job, trained: Trained, count: int, options: argparse.Namespace, account: BatchReport
) -> None:
    """Put a finished adapter into the store, as train.py does; not what is no number."""
    from kindred.models.lora import injection
    from kindred.training.checkpoints import Checkpoints

    if not trained.is_number():
        account.failed[str(job.out_dir)] = "its loss is not a number; not stored"
        return
    folder, configured = options.store / job.key, SimpleNamespace(peft_config={})
    configured.peft_config[injection.ADAPTER] = trained.config
    write_csv(folder / "training.csv", COLUMNS, trained.rows)
    injection.save_lora(folder / "lora.safetensors", trained.state, configured, header(job.facts))
    told = summary(job.spec, job.sources, job.facts, trained) | {"trained_together": count}
    write_json(folder / "lora.json", told)
    Checkpoints(options.checkpoints, job.key).remove()
    account.trained[str(job.out_dir)] = job.key


def main(argv: list[str] | None = None) -> int:
    """Train all jobs that the store lacks and that can be trained together."""
    options = parse(argv)
    if options.at_once < 1:
        raise KindredError("--at-once: give a whole number from 1 on")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    progress.speak_for(options.out.parent)
    began = time.monotonic()
    account = BatchReport()
    wanted = sort_out(read_jobs(options.jobs, account), options.store, account)
    of_base: dict[str, list[Job]] = {}
    for job in wanted:
        of_base.setdefault(job.spec.base.canonical(), []).append(job)
    if wanted:
        name = devices.acquire_device(options.device)
        device = devices.prepare(name, options.threads)
        for jobs in of_base.values():
            train(jobs, device, options, account)
    account.seconds = round(time.monotonic() - began, 1)
    write_json(options.out, vars(account))
    for folder, why in account.left.items():
        print(f"left to train.py: {folder}: {why}", file=sys.stderr)
    print(account, file=sys.stderr)
    problems = Problems("not trained")
    for folder, why in account.failed.items():
        problems.add(folder, why)
    problems.raise_if_any()
    return 0


if __name__ == "__main__":
    run_main(main)
