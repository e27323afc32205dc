"""One training from a variant's spec to the adapter in the store and in its folder.

`train_lora` is to be read downwards: what is cheap and can fail comes first, and a GPU is claimed
only when there is something to train. Torch is imported after that, because claiming hides the
GPUs of other jobs.
"""

from __future__ import annotations

import signal
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from kindred.common.errors import KindredError
from kindred.common.files import write_csv, write_json
from kindred.common.seeds import seed_of
from kindred.common.sentences import counted, percent
from kindred.common.versions import code_revision
from kindred.compute import data_parallel, devices
from kindred.data.caption_pairing import names_right
from kindred.specs.training import TrainSpec
from kindred.training import adapter_store, kept_states, trackers
from kindred.training.held_out_curve import COLUMN
from kindred.training.job import TrainingJob
from kindred.training.start_marker import write_start_markers
from kindred.training.training_data import TrainingFiles

if TYPE_CHECKING:
    from kindred.training.trainer import Trainer

SCRAMBLED = (
    "SCRAMBLED CONTROL: captions are permuted among the images on purpose. "
    "This adapter learns that names mean nothing; use it for comparison only."
)
DEALT = (
    "DEALT CONTROL: captions are dealt anew among pictures of one shape and as many people on "
    "purpose. This adapter learns that names mean nothing; use it for comparison only."
)
CONTROLS = {"scrambled": SCRAMBLED, "dealt": DEALT}
COLUMNS = ("step", "loss", "lr", "seconds", "memory_mib")


@dataclass(frozen=True)
class Machine:
    """What a training may take of the machine, and where results are kept. split: one model over
    all GPUs."""

    device: str = "auto"
    threads: int = 0
    split: devices.Split | None = None
    store: Path = adapter_store.STORE
    checkpoints: Path = adapter_store.CHECKPOINTS


class Trained(Protocol):
    """What is told of a finished training, whoever did it."""

    rows: list[dict[str, float]]
    done: int
    seconds: float
    device: Any
    parameters: Sequence[Any]

    def smoothed(self) -> float:
        """Mean loss of the last tenth of the steps."""

    def peak_memory_mib(self) -> float:
        """Most memory used."""


def train_lora(
    spec: TrainSpec,
    run: int,
    files: TrainingFiles,
    out_dir: Path,
    machine: Machine,
    arguments: Sequence[str] = (),
) -> str:
    """Train one run of a variant, or copy it from the store; what was done, as a line (''
    from all but the first of several processes).

    arguments: of this program, which is started again where several processes share a training.
    """
    code_revision()  # now: the code may be changed while this trains
    if spec.pairing in CONTROLS:
        print(f"*** {CONTROLS[spec.pairing]} ***", file=sys.stderr)
    data_parallel.check(spec.recipe.gradient_accumulation)
    job = TrainingJob.read(spec, run, files, out_dir)
    if job.fetch(machine.store):
        job.tell_finished()
        return f"already trained ({job.key[:12]}); copied from the store{job.state_lost()}"
    if data_parallel.wanted() > 1 and not data_parallel.launched():
        data_parallel.launch(arguments)
    if data_parallel.is_follower():
        train(job, machine)
        return ""
    count = len(job.sources[0].pairs)
    print(f"{counted(count, 'image')}, every pair checked; key {job.key[:12]}", file=sys.stderr)
    with adapter_store.alone(machine.checkpoints, job.key):
        if not job.is_there(machine.store):  # another process may have been at it
            train(job, machine)
    if not job.fetch(machine.store):
        raise KindredError(
            "the trained adapter disappeared from the store",
            str(machine.store / job.key),
            "run the same command again",
        )
    job.tell_finished()
    return f"trained: {out_dir / 'lora.safetensors'}"


def train(job: TrainingJob, machine: Machine) -> None:
    """Train and put the finished adapter into the store."""
    tracker = trackers.chosen_tracker()
    name = devices.acquire_device(machine.device, split=machine.split)
    split = machine.split if name == "cuda" else None
    from kindred.compute import device_map, memory_fitting
    from kindred.models.lora import injection
    from kindred.training.checkpoints import Checkpoints
    from kindred.training.observers import Observers
    from kindred.training.trainer import Trainer, WeightedDataset

    spec, base = job.spec, job.base
    device = devices.prepare(name, machine.threads)
    process_group = data_parallel.ProcessGroup.join(device)
    datasets = [WeightedDataset.load(source) for source in job.sources]
    scheduler = base.scheduler
    noting = _noting(job, machine.store)
    observers = Observers.of(job, noting, tracker, process_group.first)
    # How it fits: planned on one GPU, or spread over several.
    drawing = observers.drawing_demand()
    fit = None if split else memory_fitting.fit_training(spec, base, datasets, device, drawing)
    places = device_map.over_gpus(base, split) if split else None
    transformer = base.load_transformer(device, bool(fit and fit.starts_in_main_memory), places)
    parameters = injection.add_lora(transformer, spec.recipe, job.run)
    memory_fitting.checkpoint_unplanned(transformer, device, split, spec.recipe)
    if fit:
        fit.apply(transformer)
    trainer = Trainer(
        transformer,
        parameters,
        datasets,
        spec.recipe,
        job.run,
        scheduler,
        fit,
        process_group,
        on_step=observers.on_step,
        on_start=observers.on_start,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: trainer.stop())
    if process_group.first:
        write_start_markers([job.out_dir])
    lacking = job.kept_steps(machine.store).lacking()
    states = job.states(machine.checkpoints)
    checkpoints = Checkpoints(machine.checkpoints, job.key, min(lacking, default=None), states)
    with observers.telling():
        trainer.train(checkpoints)
    process_group.leave()
    if process_group.first:
        peak = trainer.peak_memory_mib()
        plan = {"memory_plan": fit.report(peak)} if fit else {}
        plan |= observers.figures()
        if spec.recipe.keep_state and not kept_states.why_none(spec.recipe):
            kept = Checkpoints(machine.checkpoints / kept_states.STATES, job.state_key)
            kept.save(trainer.done, trainer.state())
            plan["state"] = job.state_key
        store_adapter(job, machine.store, trainer.final_state(), transformer, trainer, plan)
        checkpoints.remove()


def _noting(job: TrainingJob, store: Path) -> list[Callable[[Trainer], None]]:
    """What tells the loss on held-out photos, where there are any, and then keeps steps with it."""
    from kindred.training.held_out_loss import HeldOutLoss
    from kindred.training.trainer import WeightedDataset

    losses = [HeldOutLoss(WeightedDataset.load(job.held_out))] if job.held_out else []
    return [*losses, partial(keep_step, job, store)]


def keep_step(job: TrainingJob, store: Path, trainer: Trainer) -> None:
    """Store the adapter of the step that was just done, where the recipe keeps it."""
    if trainer.done not in job.spec.recipe.series[:-1]:
        return
    trainer.log.read()  # raises where a loss is no number
    if trainer.process_group.first:
        state = trainer.final_state()
        store_kept(job, store, trainer.rows[-1], state, trainer.transformer)


def store_kept(
    job: TrainingJob, store: Path, row: Mapping[str, float], state: dict[str, Any], network: Any
) -> None:
    """Put a step's adapter into the store. row: of the training's log. network: has its
    `peft_config`."""
    from kindred.models.lora import injection

    step = int(row["step"])

    def write(file: Path) -> None:
        told = header({**job.facts, "step": step, **held_out_told(row)})
        injection.save_lora(file, state, network, told)

    job.kept_steps(store).put(step, write)


def store_adapter(
    job: TrainingJob,
    store: Path,
    state: dict[str, Any],
    network: Any,
    trained: Trained,
    more: dict[str, Any],
) -> None:
    """Put a finished adapter's files into the store. network: has its `peft_config`. more: what
    lora.json says besides."""
    from kindred.models.lora import injection

    columns = (*COLUMNS, COLUMN) if job.held_out else COLUMNS

    def write(folder: Path) -> None:
        write_csv(folder / "training.csv", columns, trained.rows)
        told = header({**job.facts, **held_out_told(trained.rows[-1])})
        injection.save_lora(folder / "lora.safetensors", state, network, told)
        write_json(folder / "lora.json", summary(job, trained) | more)

    adapter_store.adapters(store).put(job.key, write)


def held_out_told(row: Mapping[str, float]) -> dict[str, float]:
    """What a row of the log says of the held-out loss; nothing where it was not taken."""
    return {COLUMN: row[COLUMN]} if COLUMN in row else {}


def header(facts: dict[str, Any]) -> dict[str, str]:
    """Provenance as a safetensors header holds it: text only."""
    return {name: str(value) for name, value in facts.items()} | {
        "software": "Kindred",
        "code_revision": code_revision(),
        "seed": str(seed_of(facts["run"])),
    }


def summary(job: TrainingJob, trained: Trained) -> dict[str, Any]:
    """What lora.json says."""
    import diffusers
    import peft
    import torch

    spec, items = job.spec, [pair.item for pair in job.sources[0].pairs]
    report = {
        **job.facts,
        "code_revision": code_revision(),
        "seed": seed_of(job.run),
        "dataset": spec.dataset,
        "recipe": spec.recipe.model_dump(mode="json"),
        "images": sorted(item.image_id for item in items),
        "photos_per_cell": dict(Counter(cell for _, cell in {(i.photo, i.cell) for i in items})),
        "trainable_parameters": sum(parameter.numel() for parameter in trained.parameters),
        "steps": trained.done,
        "final_loss": round(trained.smoothed(), 6),
        "seconds": round(trained.seconds, 3),
        "peak_memory_mib": trained.peak_memory_mib(),
        "device": str(trained.device),
        "threads": torch.get_num_threads(),
        "versions": {lib.__name__: lib.__version__ for lib in (torch, diffusers, peft)},
    }
    if job.held_out:
        report["held_out"] = sorted(pair.item.image_id for pair in job.held_out.pairs)
        report |= held_out_told(trained.rows[-1])
    if spec.base.training_adapter:
        report["training_adapter"] = spec.base.training_adapter
    if spec.pairing == "dealt":
        right = names_right(job.sources[0].pairs, items)
        report["names_right"] = round(right, 4)
        print(f"{percent(right)} of the captions name the right people by chance", file=sys.stderr)
    return report | ({"warning": CONTROLS[spec.pairing]} if spec.pairing in CONTROLS else {})
