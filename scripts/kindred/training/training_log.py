"""What is written down about each step. A GPU is seldom asked for its losses, because each
question makes it wait. Knows numbers; knows nothing of how they come about."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from kindred.common.errors import KindredError
from kindred.common.sentences import counted
from kindred.training.held_out_curve import COLUMN

DIVERGED = "lower `lr`, or set `max_grad_norm: 1`; nothing of this training was kept"
NO_GRADIENT = (
    "check that `targets` names layers that the loss depends on, and that the base's `dtype` is "
    "not float16, which rounds small gradients to 0; nothing of this training was kept"
)
# A training whose gradient was zero in so many steps one after another learns nothing.
ZEROS = 20
# A GPU is asked for its losses every so many steps.
READ_EVERY = 20
Row = dict[str, float]


class TrainingLog:
    """The rows of training.csv so far. every: how many steps' losses are read at once. steps: of
    the whole training. zeros: steps up to the newest one read whose gradients were all zero."""

    def __init__(self, every: int = 1, steps: int = ZEROS) -> None:
        self.every, self.most_zeros = every, min(ZEROS, steps)
        self.rows: list[Row] = []
        self.zeros = 0
        self._unread: list[torch.Tensor] = []

    def note(self, loss: torch.Tensor, norm: torch.Tensor, **figures: float) -> None:
        """Write down a step; its loss [] and the norm of its gradient [] may stay on the device
        for a while."""
        self.rows.append({"loss": math.nan, **figures})
        self._unread.append(torch.stack([loss, norm.to(loss.device)]))
        if len(self._unread) >= self.every:
            self.read()

    def read(self) -> None:
        """Fetch the losses that still lie on the device into their rows.

        Raises KindredError at the first loss or gradient that is not finite, because what is
        trained then is lost, and when gradients were zero for too long.
        """
        if not self._unread:
            return
        read = torch.stack(self._unread).tolist()
        self._unread.clear()
        for row, (loss, norm) in zip(self.rows[-len(read) :], read, strict=True):
            row["loss"] = round(loss, 6)
            self.zeros = self.zeros + 1 if norm == 0 else 0
            if error := fault_of(row, norm, self.zeros, self.most_zeros):
                raise error

    @property
    def rows_read(self) -> list[Row]:
        """The rows whose losses have been read."""
        return self.rows[: len(self.rows) - len(self._unread)]

    def newest(self) -> dict[str, str]:
        """What a line of progress says: the loss of the newest step that has been read, and the
        mean of the last tenth, and the newest loss on held-out photos; what is known of these."""
        read = self.rows_read
        told = {"loss": read[-1]["loss"], "mean": self.smoothed()} if read else {}
        held_out = (row[COLUMN] for row in reversed(self.rows) if COLUMN in row)
        if (newest := next(held_out, None)) is not None:
            told["held_out"] = newest
        return {name: f"{value:.4f}" for name, value in told.items()}

    def smoothed(self) -> float:
        """Mean loss of the last tenth of the steps whose losses have been read; NaN for none."""
        return smoothed(self.rows_read)


def smoothed(rows: Sequence[Row]) -> float:
    """Mean loss of the last tenth of the rows; NaN for none."""
    last = rows[-max(1, len(rows) // 10) :]
    return sum(row["loss"] for row in last) / len(last) if last else math.nan


def fault_of(row: Row, norm: float, zeros: int, most: int) -> KindredError | None:
    """What is wrong with a step that a training must not go on after; None when it may.

    norm: of the gradient before clipping. zeros: how many steps up to this one had none; `most`
    of them are too many.
    """
    at = f"step {row.get('step', 0):.0f}, at a learning rate of {row.get('lr', math.nan):.3g}"
    if not math.isfinite(row["loss"]):
        return KindredError(f"the loss is {row['loss']} at {at}", "training", DIVERGED)
    if not math.isfinite(norm):
        return KindredError(f"the norm of the gradient is {norm} at {at}", "training", DIVERGED)
    if zeros >= most:
        what = f"the gradient has been zero for {counted(zeros, 'step')}, the last of them {at}"
        return KindredError(what, "training", NO_GRADIENT)
    return None
