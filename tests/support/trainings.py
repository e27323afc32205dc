"""Trainings by the real programs on a TrainingSet: whole, interrupted, and many at once."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from forked_program import ForkedProgram
from training_set import TrainingSet
from waiting import until

import train
import train_batched
from kindred.common.files import read_json


def lora_bytes(out: Path) -> bytes:
    """The adapter in a folder."""
    return (out / "lora.safetensors").read_bytes()


def run(data: TrainingSet, out: Path, **recipe: object) -> bytes:
    """Train, or fetch from the store; the adapter's bytes."""
    train.main(data.train_arguments(out, **recipe))
    return lora_bytes(out)


def stop_at(data: TrainingSet, step: int, out: Path, recipe: dict[str, Any]) -> None:
    """Train until `step` steps are done, then fail as a power cut would."""
    from kindred.training.trainer import Trainer

    original = Trainer.step

    def breaks(self: Trainer, feeds: Any) -> Any:
        if self.done == step:
            raise RuntimeError("power cut")
        return original(self, feeds)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(RuntimeError, match="power cut"):
        patch.setattr(Trainer, "step", breaks)
        run(data, out, **recipe)


def wait_for_checkpoint(data: TrainingSet, process: ForkedProgram) -> None:
    """Until a training in another process has written its first."""

    def written() -> bool:
        assert process.poll() is None, process.said
        return any((data.root / "work").rglob("step-*.pt"))

    until(written)


def waiting_in(step: int, patch: pytest.MonkeyPatch) -> None:
    """A training stays in this step until it is told to stop, so that it can't be over before."""
    from kindred.training.trainer import Trainer

    original = Trainer.step

    def step_and_wait(self: Trainer, feeds: Any) -> Any:
        while self.done + 1 == step and not self._asked_to_stop:
            time.sleep(0.01)
        return original(self, feeds)

    patch.setattr(Trainer, "step", step_and_wait)


def as_job(given: list[str]) -> dict[str, Any]:
    """Arguments of train.py as an entry of train_batched.py's list."""
    named = dict(zip(given[::2], given[1::2], strict=True))
    kept = {k[2:].replace("-", "_"): v for k, v in named.items()}
    for name in ("store", "checkpoints", "device", "threads"):
        del kept[name]
    return kept | {"run": int(kept["run"])}


def stack(data: TrainingSet, jobs: list[list[str]], out: Path, *more: str) -> dict[str, Any]:
    """Run train_batched.py on jobs, each as arguments of train.py; its report."""
    file = out / "jobs.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps([as_job(given) for given in jobs]))
    stores = ["--store", str(data.root / "store"), "--checkpoints", str(data.root / "work")]
    where = ["--jobs", str(file), "--out", str(out / "trained.json")]
    train_batched.main([*where, *stores, "--device", "cpu", "--threads", "1", *more])
    return read_json(out / "trained.json")
