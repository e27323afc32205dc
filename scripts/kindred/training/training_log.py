"""What is written down about each step. A GPU is seldom asked for its losses, because each
question makes it wait. Knows numbers; knows nothing of how they come about."""

from __future__ import annotations

import math

import torch

from kindred.common.errors import KindredError

DIVERGED = "lower `lr`, or set `max_grad_norm: 1`; nothing of this training is kept"
# A GPU is asked for its losses every so many steps.
READ_EVERY = 20
Row = dict[str, float]


class TrainingLog:
    """The rows of training.csv so far. every: how many steps' losses are read at once."""

    def __init__(self, every: int = 1) -> None:
        self.every = every
        self.rows: list[Row] = []
        self._unread: list[torch.Tensor] = []

    def note(self, loss: torch.Tensor, **figures: float) -> None:
        """Write down a step; its loss [] may stay on the device for a while."""
        self.rows.append({"loss": math.nan, **figures})
        self._unread.append(loss)
        if len(self._unread) >= self.every:
            self.read()

    def read(self) -> None:
        """Fetch the losses that still lie on the device into their rows.

        Raises KindredError at the first that is not finite: what is trained then is lost.
        """
        if not self._unread:
            return
        losses = torch.stack(self._unread).tolist()
        self._unread.clear()
        for row, loss in zip(self.rows[-len(losses) :], losses, strict=True):
            row["loss"] = round(loss, 6)
            if not math.isfinite(loss):
                at = f"step {row.get('step', 0):.0f}, at a rate of {row.get('lr', math.nan):.3g}"
                raise KindredError(f"the loss is {loss} in {at}", "training", DIVERGED)

    def smoothed(self) -> float:
        """Mean loss of the last tenth of the steps whose losses have been read; NaN for none."""
        read = self.rows[: len(self.rows) - len(self._unread)]
        last = read[-max(1, len(read) // 10) :]
        return sum(row["loss"] for row in last) / len(last) if last else math.nan
