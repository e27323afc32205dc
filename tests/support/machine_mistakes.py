"""GPUs, memory, disks, trainings and command lines that can't do what they are asked."""

from __future__ import annotations

import copy
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fake_gpu
import pytest
import small_config
import tiny_base
import tiny_klein
import torch
from mistakes import LETTERS, Action, Mistake, of_value, of_variable, safetensors, write

from kindred.common import chained_log, planned_code
from kindred.common.errors import KindredError, Problems, run_main
from kindred.common.job_summary import JobSummary
from kindred.common.written_text import read_written_text
from kindred.compute import devices, memory_fitting, memory_limit, memory_plan
from kindred.compute.memory_plan import GIB, MemoryDemand
from kindred.config.device_config import DeviceConfig
from kindred.config.load_plan import load_plan
from kindred.config.yaml_document import read_document
from kindred.data import encoding_cache
from kindred.lab import training_loop
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.models.architectures.klein.facts import KLEIN
from kindred.models.lora.target_layers import target_layers
from kindred.specs.base_model import Base
from kindred.specs.judge import JudgeSpec
from kindred.specs.training import Recipe, TrainSpec
from kindred.training import optimizers, trackers, training_data
from kindred.training.batched.run import BatchSettings, train_batched
from kindred.training.batched.trainer import BatchedTrainer
from kindred.training.training_data import TrainingFiles
from kindred.training.training_log import TrainingLog
from kindred.workflow import (
    asked_files,
    batched_jobs,
    checkout,
    cluster_check,
    downloads,
    executors,
    slurm_jobs,
)

ROOT = Path(__file__).parents[2]
CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)
REPOSITORY = {"model": "owner/name", "revision": "abc", "architecture": "flux1"}
FLUX_DEV = {"num_layers": 19, "num_single_layers": 38, "attention_head_dim": 128,
            "num_attention_heads": 24, "guidance_embeds": True}  # fmt: skip


def patched(owner: object, name: str, answer: object, call: Callable[[], object]) -> Action:
    """A call where something of the machine answers otherwise."""

    def run(_: Path) -> object:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(owner, name, answer)
            call()
        return None

    return run


def fails(error: Exception) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail


# GPUs and their memory
def together(gpus: int, others: Sequence[str] = (), sizes: Sequence[float] = ()) -> Action:
    """A model split over so many GPUs, with cards of other makers beside them."""
    split = devices.Split(tuple(sizes))
    return patched(
        devices, "other_gpus", lambda: list(others), lambda: devices._together(["0"] * gpus, split)
    )


def elsewhere(settings: dict[str, Any]) -> None:
    """Jobs that go to other machines, with these settings of `device:`."""
    executors.check_elsewhere(DeviceConfig(**settings))


def downloads_on(kind: str) -> None:
    """A base that is not here, needed by jobs on this kind of device where there is no GPU."""
    base = Base(model="owner/name", architecture="klein")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(downloads, "gpus_visible", list)
        device, needed = DeviceConfig(kind=kind), ["klein 3 owner/name@main"]
        downloads.check_downloads(device, {"klein-4b": base}, needed, ROOT)


def slurm_says(jobs: str | None, request: str = "") -> None:
    """Jobs are about to be sent, while Slurm tells these of an earlier run; None: it fails."""

    def told(*_: str) -> str:
        if jobs is None:
            raise FileNotFoundError("squeue")
        return jobs.replace("HERE", os.getcwd())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slurm_jobs, "SENT", Path("."))
        patch.setattr(slurm_jobs, "_told", told)
        slurm_jobs.settle(request)


def part(folder: str) -> None:
    """The trainings of a job that is one of two."""
    one = SimpleNamespace(name="v", runs=[1])
    batched_jobs.dealt_to(SimpleNamespace(name="x", trained=[one], samples=None), folder)


def looked_at(**lacking: Any) -> Action:
    """A node of a cluster is looked at, where these names of `cluster_check` answer otherwise."""

    def run(folder: Path) -> object:
        with pytest.MonkeyPatch.context() as patch:
            held = cluster_check.prepare(folder / "cluster")
            answers = {"_gpus": lambda: 1, "_is_locked": lambda _: True, "_skew": lambda _: 0.0}
            for name, answer in (answers | lacking).items():
                patch.setattr(cluster_check, name, answer)
            try:
                return cluster_check.check(["base"], True, folder / "cluster")
            finally:
                os.close(held)

    return run


def acquired(kind: str, others: Sequence[str] = ()) -> Action:
    """A device asked for on a machine with no GPU that torch could use, but `others`."""

    def call() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(devices, "other_gpus", lambda: list(others))
            devices.acquire_device(kind)

    return patched(devices, "gpus_visible", lambda: [], call)


def hidden(folder: Path) -> object:
    """A GPU asked for where the environment hides all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(devices.VISIBLE, "-1")
        return acquired("cuda")(folder)


CLAIM = "{claim: c, variant: a, against: b, prompt_set: solo}"
FAMILIES = f"title: t\nfamilies: [one, two]\nhypotheses: {{h: {CLAIM}}}\n"


def fresh(folder: Path) -> Path:
    """A folder of its own for a configuration."""
    root = folder / str(len([*folder.iterdir()]))
    root.mkdir()
    return root


def asked(path: str, variants: str = "  all: {}\n", configured: str = "[one]") -> Action:
    """A file that is asked for by its path, of an experiment with these variants. It and another
    have a file, and both are families of a study."""

    def call(folder: Path) -> None:
        root = fresh(folder)
        small_config.write(root, "lab/base", variants)
        text = (root / "config/experiments/one.yaml").read_text()
        write(root / "config/experiments/two.yaml", text)
        write(root / "config/families/study.yaml", FAMILIES)
        write(root / "config/config.yaml", f"experiments: {configured}\n")
        asked_files.check_asked([f"results/{path}"], load_plan(root), root)

    return call


def not_found(root: Path, name: str) -> None:
    """A dataset that a rule's function did not find."""
    plan = load_plan(small_config.write(fresh(root), "lab/base"))
    asked_files.check_key(KeyError(name), {"dataset": name}, plan, "a")


def waited(free: bool, gpus: str = "0", count: int = 1) -> Action:
    wait = lambda: devices._wait_for(list(gpus), 0, 0, count)  # noqa: E731
    return patched(devices, "_lock", lambda *_: free, wait)


def limited() -> None:
    """The allocator held to the size of a card."""
    with pytest.MonkeyPatch.context() as patch:
        fake_gpu.put_in(patch)
        memory_limit.apply(CUDA, memory_limit.before())


def demand() -> MemoryDemand:
    """A training on FLUX.1-dev."""
    shape = FLUX1.layout(FLUX_DEV)
    names = target_layers([layer.name for layer in shape.layers], "attention", FLUX1)
    return MemoryDemand(
        shape, FLUX1.activations, frozenset(names), image_tokens=1024, text_tokens=512, rank=4,
        batch=1, optimizer="adamw8bit", quantization="nf4",
    )  # fmt: skip


def planned(gib: float) -> None:
    memory_plan.plan(demand(), gib * GIB)


def ran_out(_: object) -> None:
    """A training whose plans were all too small."""
    found = memory_fitting.FittedMemory(demand(), 100 * GIB, CPU)
    found.tries = memory_fitting.TRIES
    found._tighten()


def stacked_one_by_one() -> None:
    """Trainings in one loop where an architecture can't have them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(KLEIN), "batched_inputs", None)
        stacked(tiny_klein._transformer)


def unmeasured(_: object) -> None:
    architecture = copy.copy(KLEIN)
    architecture.activations = None
    memory_fitting.memory_demand(train_spec(), architecture, None, [])


# Disks
def appended(root: Path) -> None:
    chained_log.append(root / "log.jsonl", lambda _: [{"why": "x"}])


def full_disk(full: bool) -> Action:
    """An entry written where the disk is full, or not."""

    def run(root: Path) -> object:
        with pytest.MonkeyPatch.context() as patch:
            if full:
                patch.setattr(os, "fsync", fails(OSError(28, "No space left on device")))
            appended(root)
        return None

    return run


def no_right(lacking: bool) -> Action:
    def run(root: Path) -> object:
        with pytest.MonkeyPatch.context() as patch:
            if lacking:
                patch.setattr(os, "access", lambda *_: False)
            appended(root)
        return None

    return run


def document(root: Path, content: str | bytes | None) -> object:
    problems = Problems("x")
    read_document(write(root / "a.yaml", content), problems)
    return problems.found


# Programs
def program() -> None:
    """A program that does nothing, as Snakemake starts it."""
    try:
        run_main(lambda: 0)
    except SystemExit as end:
        if isinstance(end.__context__, KindredError):
            raise end.__context__ from None


def summed_up(root: Path, failed: bool) -> object:
    summary = JobSummary(1)
    if failed:
        summary.fail("a", ValueError("x"))
    summary.end(root / "summary.json", "made")
    return None


def variants(length: int) -> None:
    """The command that trains a variant with a name of so many letters."""
    one = SimpleNamespace(name="v" * length, runs=[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batched_jobs, "_files", lambda _: {})
        batched_jobs.training_jobs(SimpleNamespace(name="x", trained=[one], samples=None))


def argument(length: int) -> None:
    batched_jobs.jobs_argument(JudgeSpec(kind="lab", model="m" * length))


# Trainings
def train_spec(**recipe: Any) -> TrainSpec:
    return TrainSpec(
        base=Base(**REPOSITORY), recipe=Recipe(**recipe), characters=LETTERS, dataset="d"
    )


FILES = TrainingFiles(*map(Path, "abcd"))


def weights(recipe: dict[str, float]) -> None:
    training_data._token_weights(train_spec(**recipe), [], FILES)


def preserved(weight: float) -> None:
    """Base's answers that the recipe preserves, with no file of captions."""
    training_data._preserved(train_spec(diff_output_preservation=weight), [], FILES)


def nothing_preserved(weight: float) -> None:
    """The same of no captions, with a file."""
    files = replace(FILES, class_text=Path("e"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_data, "check_encoders", lambda *_: None)
        training_data._preserved(train_spec(diff_output_preservation=weight), [], files)


def prior(weight: float, given: bool) -> None:
    """Class images that the recipe weighs, given or not."""
    files = TrainingFiles(*map(Path, "abcd"), prior_images=Path("e") if given else None)
    training_data._prior(train_spec(class_images_weight=weight), files)


def encoders(root: Path, tokens: int) -> object:
    """Files encoded with so many tokens, on a base that reads 56."""
    base = Base(**REPOSITORY, text_tokens=56)
    spec = train_spec().model_copy(update={"base": base})
    image = encoding_cache.latents_fingerprint(base.image_encoder())
    text = encoding_cache.texts_fingerprint(base.text_encoder(spec.text_tokens()))
    text["tokens"] = tokens
    named = {"a": torch.ones(1)}
    files = [
        safetensors(root / name, named, **{encoding_cache.ABOUT: json.dumps(about)})
        for name, about in (("latents", image), ("text", text))
    ]
    training_data.check_encoders(spec, *files)
    return None


def optimizer(name: str, lacking: str | None = None, device: str = "cpu") -> None:
    """A recipe's optimizer, where a package is not there."""
    one = torch.nn.Parameter(torch.ones(1))
    parameters = [one] if device == "cpu" else [SimpleNamespace(device=torch.device(device))]
    with pytest.MonkeyPatch.context() as patch:
        if lacking:
            patch.setitem(sys.modules, lacking, None)
        optimizers.make_optimizer(parameters, Recipe(optimizer=name))


def tracked(name: str, installed: bool = True) -> None:
    """Told to a tracker whose package is there or not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trackers, "find_spec", lambda _: installed)
        patch.setenv(trackers.TRACKER, name)
        trackers.chosen_tracker()


def batched(at_once: int) -> None:
    train_batched("[]", BatchSettings(at_once=at_once))


def stacked(network: Callable[[], Any]) -> None:
    """No trainings, in one loop on a network."""
    BatchedTrainer(network(), [], tiny_base._scheduler().config)


def logged(loss: float, norm: float = 1.0) -> None:
    TrainingLog(steps=1).note(torch.tensor(loss), torch.tensor(norm), step=1, lr=1e-4)


NAN, INF = float("nan"), float("inf")
MISTAKES = [
    # GPUs and their memory
    Mistake("can't be spread over an NVIDIA and an AMD GPU", together(1, ["AMD"]),
            together(2)),
    Mistake("this machine has one NVIDIA GPU, but `device_map` needs", together(1), together(2)),
    Mistake("2 sizes are given for", together(3, sizes=[12, 24]), together(2, sizes=[12, 24])),
    Mistake("the GPU did not become free", waited(False), waited(True)),
    Mistake("none of the 2 GPUs became free", waited(False, "01"), waited(True, "01")),
    Mistake("the 2 GPUs did not all become free", waited(False, "01", 2), waited(True, "01", 2)),
    Mistake("there is a GPU, but torch can't use it",
            patched(torch.cuda, "is_available", lambda: False, lambda: devices.prepare("cuda", 0)),
            lambda _: bool(devices.prepare("cpu", 0))),
    Mistake("has no NVIDIA GPU", acquired("cuda"), acquired("cpu")),
    Mistake("torch is not built for it", acquired("cuda", ["AMD"]), acquired("cpu", ["AMD"])),
    Mistake("hides every GPU", hidden, acquired("cpu")),
    Mistake("has no Apple GPU", acquired("mps"), acquired("auto")),
    Mistake("there is an Apple GPU, but torch can't use it",
            patched(torch.backends.mps, "is_available", bool, lambda: devices.prepare("mps", 0)),
            lambda _: bool(devices.prepare("cpu", 0))),
    of_value("the lab's models can't be trained on an", training_loop.pick_device, "mps", "cpu"),
    of_variable("CUDA itself takes", memory_limit.MEMORY_GIB, "1.5", limited),
    of_value("training needs at least", planned, 1, 80),
    Mistake("the GPU ran out of memory, although the plan expected a", ran_out, None),
    Mistake("nobody has measured how much GPU memory training", unmeasured, None),
    # Disks
    Mistake("can't be written, but Kindred must log here what", no_right(True), no_right(False)),
    Mistake("can't add an entry (No space left on device)", full_disk(True),
            full_disk(False)),
    Mistake("can't be read (Is a directory)", lambda root: read_written_text(root, "a") and None,
            lambda root: read_written_text(write(root / "a", "x"), "a") and None),
    Mistake("no such file", lambda root: document(root, None), lambda root: document(root, "a: 1")),
    Mistake("can't be read (", lambda root: document(root, b"a: \xff"),
            lambda root: document(root, "a: 1")),
    # Programs
    of_variable("the code has changed since this job was planned, so", planned_code.VARIABLE, "x",
                program),
    Mistake("1 of 1 job failed: a", lambda root: summed_up(root, True),
            lambda root: summed_up(root, False)),
    of_value("there are too many variants to train together in one command", variants, 200_000, 5),
    of_value("a variant's prompt sets are too long", argument, 200_000, 5),
    of_value("no job of this name has its trainings", part, "together/2-of-1",
             "together"),
    of_value("1 job of an earlier run is still with Slurm: 7 (train a_1, running: k1)", slurm_says,
             "7|RUNNING|k1|None|rule_train_wildcards_a_1|HERE\n", ""),
    of_value("Slurm does not say which jobs of an earlier run are left", slurm_says, None, ""),
    of_value("'stop' is not wait or cancel", lambda asked: slurm_says("", asked), "stop",
             "wait"),
    of_value("auto looks for a GPU on this machine", elsewhere, {"kind": "auto"}, {"kind": "cuda"}),
    of_value("no GPU was found here, so this would download klein-4b", downloads_on, "auto", "cpu"),
    of_value("4 jobs would share a GPU", elsewhere, {"kind": "cuda", "jobs_per_gpu": 4},
             {"kind": "cuda", "jobs_per_gpu": 1}),
    of_value("true uses all GPUs of a machine", elsewhere, {"kind": "cuda", "device_map": True},
             {"kind": "cuda", "device_map": [12, 24]}),
    Mistake("other on this node, ",
            looked_at(weights_of=lambda _: Path(), facts=lambda: {"torch": "other"}),
            looked_at(weights_of=lambda _: Path())),
    Mistake("the disk's by +60 s", looked_at(weights_of=lambda _: Path(), _skew=lambda _: 60.0),
            looked_at(weights_of=lambda _: Path())),
    Mistake("not see a lock", looked_at(weights_of=lambda _: Path(), _is_locked=lambda _: False),
            looked_at(weights_of=lambda _: Path())),
    Mistake("is not visible on this node", looked_at(weights_of=lambda _: Path("nowhere")),
            looked_at(weights_of=lambda _: Path())),
    Mistake("torch finds no GPU", looked_at(weights_of=lambda _: Path(), _gpus=lambda: 0),
            looked_at(weights_of=lambda _: Path())),
    Mistake("the experiment 'two' is not configured", asked("two/report.html"),
            asked("two/rating.html", configured="[one, two]")),
    Mistake("no file config/experiments/tow.yaml describes", asked("tow/rating.html"),
            asked("one/rating.html")),
    Mistake("no file config/families/stduy.yaml", asked("families/stduy/who.html"),
            asked("families/study/who.html", configured="[one, two]")),
    Mistake("not all families of 'study' are", asked("families/study/who.html"),
            asked("families/study/who.html", configured="[one, two]")),
    Mistake("has no variant 'all' with run '2'", asked("one/all/run-2/lora.json"),
            asked("one/all/run-2/lora.json", "  all: {runs: 2}\n")),
    Mistake("no configured experiment has a dataset", lambda root: not_found(root, "lost"),
            lambda root: not_found(root, "ours")),
    of_value("its path contains a brace, which", checkout.check_checkout, "/a{b}", "/ab"),
    # Trainings
    of_value("head_weight needs people's masks", weights, {"head_weight": 3.0}, {}),
    of_value("diff_output_preservation needs captions without names", preserved, 1.0, 0),
    of_value("diff_output_preservation has no effect, because no", nothing_preserved, 1.0, 0),
    of_value("files of class images are given, but", lambda given: prior(0, given), True, False),
    of_value("class_images_weight needs class images", lambda one: prior(one, False), 1.0, 0),
    Mistake("made with tokens 24, but the base", lambda root: encoders(root, 24),
            lambda root: encoders(root, 56)),
    of_value("adamw8bit needs a CUDA GPU", optimizer, "adamw8bit", "adamw"),
    Mistake("adamw8bit needs the package bitsandbytes",
            lambda _: optimizer("adamw8bit", "bitsandbytes.optim", "cuda"),
            lambda _: optimizer("adamw", "bitsandbytes.optim")),
    Mistake("prodigy needs the package prodigyopt", lambda _: optimizer("prodigy", "prodigyopt"),
            lambda _: optimizer("adamw", "prodigyopt")),
    of_value("must be at least 1", batched, 0, 1),
    of_value("not know the tracker 'mlflow'", tracked, "mlflow", "wandb"),
    Mistake("`tracker: wandb` needs the package wandb", lambda _: tracked("wandb", False),
            lambda _: tracked("wandb")),
    Mistake("this base can't train several adapters together yet",
            lambda _: stacked_one_by_one(), None),
    of_value("the loss is nan at step 1", logged, NAN, 0.5),
    Mistake("the norm of the gradient is inf at step 1", lambda _: logged(0.5, INF),
            lambda _: logged(0.5)),
    Mistake("gradient has been zero for 1 step,", lambda _: logged(0.5, 0.0),
            lambda _: logged(0.5)),
]  # fmt: skip
