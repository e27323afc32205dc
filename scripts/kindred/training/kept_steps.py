"""Adapters that a training leaves behind on its way, to find out which step is best.

Each is an entry of the adapter store of its own, under a hash of the training's facts and the step,
and is written before the checkpoint of that step: whatever is interrupted, a training that goes on
has all that lie behind it. Imports no torch.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kindred.common import safetensors_files
from kindred.common.content_store import ContentStore
from kindred.common.errors import KindredError
from kindred.common.files import read_json
from kindred.common.hashing import spec_hash
from kindred.common.versions import step_version
from kindred.training.adapter_store import FACTS

FILE = "lora.safetensors"
FOLDER = "steps"  # of a run: <run>/steps/<n>/lora.safetensors


@dataclass(frozen=True)
class KeptSteps:
    """The kept adapters of one training. facts: see `adapter_store.training_facts`; steps: after
    how many an adapter is kept, without the last, which is the finished one."""

    store: Path
    facts: Mapping[str, Any]
    steps: Sequence[int]

    def lacking(self) -> list[int]:
        """The steps whose adapter the store lacks."""
        entries = _entries(self.store)
        return [step for step in self.steps if not entries.has(step_key(self.facts, step))]

    def put(self, step: int, write: Callable[[Path], object]) -> None:
        """Store a step's adapter. write: makes the file. Raises KindredError when it can't be."""
        _entries(self.store).put(step_key(self.facts, step), lambda to: write(to / FILE))


def step_key(facts: Mapping[str, Any], step: int) -> str:
    """The name that a training's adapter after a step lies under."""
    return spec_hash({**facts, "step": step})[:40]


def stored_file(store: Path, facts: Mapping[str, Any], step: int) -> Path:
    """Where the store has a training's adapter after a step, or would have it."""
    return _entries(store).path(step_key(facts, step)) / FILE


def fetch(store: Path, run_folder: Path, step: int) -> Path:
    """Copy what a finished training kept of a step into its folder; the file's path.

    Raises KindredError where it kept none, or the store has lost it.
    """
    summary = run_folder / "lora.json"
    facts = {name: value for name, value in read_json(summary).items() if name in FACTS}
    out = run_folder / FOLDER / str(step)
    if not _entries(store).fetch(step_key(facts, step), out):
        cure = f"delete {summary} and run `snakemake`, which trains it again"
        raise KindredError(f"its adapter at step {step} is not in the store", str(run_folder), cure)
    return out / FILE


def put_back(store: Path, run_folder: Path) -> list[int]:
    """Store the kept adapters that lie in a results folder where the store has lost them; their
    steps.

    What is not whole, or says in its header that it is another training's or another step's, is
    left where it is. Raises KindredError when the store can't be written.
    """
    found = []
    for file in sorted(run_folder.glob(f"{FOLDER}/*/{FILE}")):
        try:
            _, header = safetensors_files.header(file)
            step = int(file.parent.name)
            facts = {name: header[name] for name in FACTS} | {"run": int(header["run"])}
        except (KindredError, OSError, KeyError, ValueError):
            continue
        current = step_version("train") in facts["version"]
        kept = KeptSteps(store, facts, [step])
        if current and header.get("step") == str(step) and kept.lacking():
            kept.put(step, lambda to, file=file: shutil.copyfile(file, to))
            found.append(step)
    return found


def _entries(store: Path) -> ContentStore:
    return ContentStore(store, _check, "training it again", files=(FILE,))


def _check(folder: Path) -> None:
    """Raise KindredError naming the file of a kept adapter that is cut short."""
    safetensors_files.header(folder / FILE)
