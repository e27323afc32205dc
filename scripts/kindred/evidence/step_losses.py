"""The losses of trainings at their kept steps: on held-out photos, and on those trained on.

Held-out losses are read from the headers of the adapters themselves, so that no other step's loss
can stand beside an adapter; those trained on from the logs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kindred.common import safetensors_files
from kindred.common.errors import KindredError
from kindred.specs.step_series import SeriesOfSteps, SeriesSpec, adapter_file
from kindred.training.held_out_curve import COLUMN
from kindred.training.log_file import read_rows


@dataclass(frozen=True)
class StepLosses:
    """One training's losses, a number for each kept step: on held-out photos, and the mean of the
    steps since the kept one before on those trained on."""

    held_out: list[float]
    training: list[float | None]


def read_losses(spec: SeriesSpec, results: Path) -> dict[tuple[str, int], StepLosses]:
    """(variant, run) -> its losses, of the variants that hold photos out. results: the experiment's
    folder. Raises KindredError for an adapter that does not tell its loss, and for a log that is
    none."""
    return {
        (name, run): _of_run(results / name / f"run-{run}", one)
        for name, one in spec.variants.items()
        if one.held_out
        for run in one.runs
    }


def _of_run(folder: Path, series: SeriesOfSteps) -> StepLosses:
    last = series.steps[-1]
    held_out = [_told(folder / adapter_file(step, last), folder) for step in series.steps]
    rows = _rows(folder / "training.csv")
    before = [0, *series.steps[:-1]]
    parts = [
        [row["loss"] for row in rows if start < row["step"] <= step]
        for start, step in zip(before, series.steps, strict=True)
    ]
    means = [round(float(np.mean(part)), 6) if part else None for part in parts]
    return StepLosses(held_out, means)


def _told(adapter: Path, folder: Path) -> float:
    _, header = safetensors_files.header(adapter)
    if COLUMN not in header:
        cure = f"delete {folder / 'lora.json'} and run `snakemake`, which trains it again"
        raise KindredError("contains no loss on held-out photos", str(adapter), cure)
    return float(header[COLUMN])


def _rows(log: Path) -> list[dict[str, float]]:
    try:
        return read_rows(log)
    except (TypeError, ValueError) as error:
        cure = "delete it and run `snakemake`, which trains the variant or finds it in the store"
        raise KindredError(f"is not the log of a training ({error})", str(log), cure) from None
