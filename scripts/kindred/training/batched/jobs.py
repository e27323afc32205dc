"""Lists of trainings: what each reads, checked, and which of them are to be done together.

Imports no torch, so that a list of which everything is there takes no time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kindred.common.errors import KindredError, Problems
from kindred.common.files import read_json
from kindred.models.identity import architecture_of
from kindred.specs.training import TrainSpec
from kindred.training.job import TrainingJob
from kindred.training.training_data import TrainingFiles

FILES = ("images", "captions", "latents", "text")
GIVEN = (*FILES, *(f"prior_{name}" for name in FILES), "masks", "class_text")
KNOWN = {*GIVEN, "spec_file", "spec", "run", "out_dir", "folders", "samples"}
NO_SAMPLES = (
    "trainings that run together draw no `samples`, because their network holds all adapters at "
    "once. Kept steps can be drawn afterwards"
)


@dataclass
class BatchReport:
    """What became of trainings, by their folders: keys, other folders, reasons."""

    trained: dict[str, str] = field(default_factory=dict)
    there: dict[str, str] = field(default_factory=dict)
    same: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    stacks: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        """A line for each that is left to train.py, and one of figures."""
        counts = {
            "trained": self.trained,
            "there already": self.there,
            "the same as another": self.same,
            "left to train.py": self.left,
            "failed": self.failed,
        }
        left = [f"left to train.py: {folder}: {why}" for folder, why in self.left.items()]
        figures = ", ".join(f"{len(found)} {what}" for what, found in counts.items() if found)
        return "\n".join([*left, figures])

    def raise_if_failed(self) -> None:
        """Raise ProblemsError with the reason of each that failed."""
        problems = Problems("some trainings failed")
        for folder, why in self.failed.items():
            problems.add(folder, why)
        problems.raise_if_any()


def read_jobs(text: str, account: BatchReport) -> list[TrainingJob]:
    """Jobs from JSON or a file of it, with everything they read checked. What is wrong with a job
    goes into the account; raises KindredError for a list that is none."""
    listed = json.loads(text) if text.lstrip().startswith("[") else read_json(text)
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        cure = "write one object for each training, or each folder of trainings"
        raise KindredError("must be a JSON list of objects", "--jobs", cure)
    unknown = {key for entry in listed for key in entry} - KNOWN
    if unknown:
        what = f"unknown keys: {', '.join(sorted(unknown))}"
        raise KindredError(what, "--jobs", f"use only these: {', '.join(sorted(KNOWN))}")
    if any(entry.get("samples") for entry in listed):
        print(NO_SAMPLES, file=sys.stderr)
    jobs: list[TrainingJob] = []
    for (spec_text, *files), runs in _by_spec(listed).items():
        try:
            spec = TrainSpec.read(spec_text)
            paths = {name: path and Path(path) for name, path in zip(GIVEN, files, strict=True)}
            given = TrainingFiles(**paths)
            # Every run has pairs of its own in a control of captions, else all have the same.
            groups = [[one] for one in runs] if spec.pairing != "matched" else [runs]
            own: list[TrainingJob] = []
            for group in groups:
                first = TrainingJob.read(spec, group[0][0], given, group[0][1])
                own += [first.for_run(run, to) for run, to in group]
            jobs += own
        except (KindredError, OSError) as error:
            account.failed |= {str(folder): str(error) for _, folder in runs}
    return jobs


def _by_spec(listed: Sequence[Mapping[str, Any]]) -> dict[tuple[Any, ...], list[tuple[int, Path]]]:
    """(spec, files) -> runs with their folders: the files of each are read once."""
    found: dict[tuple[Any, ...], list[tuple[int, Path]]] = {}
    for entry in listed:
        for spec, run, folder in _trainings(entry):
            found.setdefault((spec, *map(entry.get, GIVEN)), []).append((run, folder))
    return found


def _trainings(entry: Mapping[str, Any]) -> Iterator[tuple[str, int, Path]]:
    """(spec or its file, run, folder) of an entry. Raises KindredError for what it lacks."""
    for folder, runs in entry.get("folders", {}).items():
        yield from ((f"{folder}/spec.json", run, Path(folder, f"run-{run}")) for run in runs)
    if "folders" not in entry:
        lacking = [key for key in ("run", "out_dir", *FILES) if entry.get(key) is None]
        spec = entry.get("spec", entry.get("spec_file"))
        lacking += [] if spec else ["spec_file"]
        if lacking:
            what = f"an entry has no {', '.join(lacking)}"
            raise KindredError(what, "--jobs", "give every entry all of these keys")
        text = spec if isinstance(spec, str) else json.dumps(spec)
        yield text, int(entry["run"]), Path(entry["out_dir"])


def why_alone(spec: TrainSpec) -> str:
    """Why a training can't share its steps with others; '' when it can."""
    recipe, parts = spec.recipe, spec.recipe.gradient_accumulation
    architecture = architecture_of(spec.base)
    reasons = {
        f"base: of {architecture.title}": architecture.batched_inputs is None,
        f"base: quantization: {spec.base.quantization}": spec.base.quantization,
        f"recipe: optimizer: {recipe.optimizer}": recipe.optimizer != "adamw",
        f"recipe: gradient_accumulation: {parts}": parts > 1,
        f"recipe: lora_dropout: {recipe.lora_dropout:g}": recipe.lora_dropout,
        "recipe: dora": recipe.dora,
        "recipe: keep_state": recipe.keep_state,
        "recipe: diff_output_preservation": recipe.diff_output_preservation,
        f"recipe: weighting_scheme: {recipe.weighting_scheme}": recipe.weighting_scheme != "none",
        f"recipe: adapter_type: {recipe.adapter_type}": recipe.adapter_type != "lora",
    }
    return ", ".join(reason for reason, holds in reasons.items() if holds)


def sort_out(jobs: Sequence[TrainingJob], store: Path, account: BatchReport) -> list[TrainingJob]:
    """The jobs that are to be trained together, one of each key; the others go into the account."""
    wanted: dict[str, TrainingJob] = {}
    for job in jobs:
        name, why = str(job.out_dir), why_alone(job.spec)
        if job.is_there(store):
            account.there[name] = job.key
        elif why:
            account.left[name] = why
        elif job.key in wanted:
            account.same[name] = str(wanted[job.key].out_dir)
            wanted[job.key] = wanted[job.key].keeping(job.spec.recipe.series)
        else:
            wanted[job.key] = job
    return list(wanted.values())
