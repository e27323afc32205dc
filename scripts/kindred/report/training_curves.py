"""What a training's log says: losses and rates by step, the smoothed loss, and the loss on
held-out photos.

Knows training.csv; knows nothing of training or drawing.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kindred.common.errors import KindredError
from kindred.training.held_out_curve import COLUMN

SHOWN_SHARE = 0.995

AGAIN = "delete it and run `snakemake`, which trains the variant or finds it in the store"


@dataclass(frozen=True)
class Run:
    """One training: its label, optimizer steps, losses and learning rates; held_out: steps with the
    loss on held-out photos."""

    label: str
    steps: list[int]
    losses: list[float]
    rates: list[float]
    held_out: tuple[tuple[int, float], ...] = ()


def read_run(label: str, path: Path | str) -> Run:
    """A training.csv (columns step, loss, lr). Raises KindredError naming what it lacks."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        run = Run(
            label,
            [int(row["step"]) for row in rows],
            [float(row["loss"]) for row in rows],
            [float(row["lr"]) for row in rows],
            tuple((int(row["step"]), float(row[COLUMN])) for row in rows if row.get(COLUMN)),
        )
    except FileNotFoundError:
        raise KindredError(
            "no such file", str(path), "run `snakemake`, which trains the variant"
        ) from None
    except (KeyError, TypeError, ValueError) as error:
        what = f"is not a training log with step, loss and lr ({error})"
        raise KindredError(what, str(path), AGAIN) from None
    if not run.steps:
        raise KindredError("contains no step", str(path), AGAIN)
    return run


def smooth(values: Sequence[float], decay: float) -> list[float]:
    """Running mean with exponential weights, without the start's pull to 0; NaN is passed over."""
    total = weight = 0.0
    result = []
    for value in values:
        if math.isfinite(value):
            total, weight = decay * total + (1 - decay) * value, decay * weight + (1 - decay)
        result.append(total / weight if weight else math.nan)
    return result


def loss_span(runs: Sequence[Run], smoothing: float) -> tuple[float, float]:
    """Edges of the loss axis: from 0 to where nearly all raw losses lie, every smoothed one in."""
    finite = sorted(loss for run in runs for loss in run.losses if math.isfinite(loss))
    if not finite:
        return 0.0, 1.0
    smoothed = [v for run in runs for v in smooth(run.losses, smoothing) if math.isfinite(v)]
    most = finite[min(len(finite) - 1, int(len(finite) * SHOWN_SHARE))]
    return min(0.0, finite[0]), (max(most, *smoothed) or 1.0) * 1.05
