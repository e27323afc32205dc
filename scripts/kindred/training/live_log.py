"""What a training says of itself while it runs: `live.js` in its run's folder.

The page results/<experiment>/live.html reads it as a script, because a browser lets a page that was
opened from the disk read scripts beside it, and no other files. Written whole every few seconds;
it is no part of any result. Imports no torch.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindred.common.errors import KindredError, first_line_of
from kindred.common.files import write_text
from kindred.training.held_out_curve import COLUMN, curve_of, warning_of
from kindred.training.log_file import read_rows
from kindred.training.samples import Samples

if TYPE_CHECKING:
    from kindred.training.trainer import Trainer

FILE = "live.js"
EVERY_S = 5.0
POINTS = 300  # of a curve; more steps are told as means of so many groups


class LiveLog:
    """Tells of one training; called with the trainer after every step."""

    def __init__(self, out_dir: Path, steps: int, samples: Samples | None = None) -> None:
        self.out_dir, self.steps, self.samples = out_dir, steps, samples
        self.began, self.first, self.written = time.monotonic(), 0, -math.inf
        self.rows: Sequence[Mapping[str, float]] = ()

    def start(self, trainer: Trainer) -> None:
        """Tell that it begins or goes on; time left is counted from here."""
        self.began, self.first = time.monotonic(), trainer.done
        self.rows = trainer.log.rows_read
        self.write("training", step=trainer.done)

    def __call__(self, trainer: Trainer) -> None:
        """Write what is new, unless that was done a moment ago."""
        self.rows = trainer.log.rows_read
        drawn = self.samples is not None and self.samples.spec.due(trainer.done, self.steps)
        if drawn or time.monotonic() - self.written >= EVERY_S:
            self.write("training", step=trainer.done)
            self.written = time.monotonic()

    @contextmanager
    def telling(self) -> Iterator[None]:
        """`with` a training: how it ended is told, whatever ends it."""
        try:
            yield
        except BaseException as error:
            asked = isinstance(error, KeyboardInterrupt)
            why = "" if asked else first_line_of(error)
            with suppress(KindredError):
                self.write("interrupted" if asked else "failed", why=why)
            raise

    def finish(self) -> None:
        """Tell of a training whose adapter lies in its folder, by the log beside it."""
        self.rows = read_rows(self.out_dir / "training.csv")
        self.write("finished")

    def write(self, state: str, step: int | None = None, why: str = "") -> None:
        """Write the file."""
        done = int(self.rows[-1]["step"]) if step is None and self.rows else step or 0
        told = {
            "run": f"{self.out_dir.parent.name}/{self.out_dir.name}",
            "state": state,
            "why": why,
            "warning": warning_of(curve_of(self.rows), self.steps),
            "step": done,
            "steps": self.steps,
            "left": self._seconds_left(done) if state == "training" else None,
            "told": round(time.time()),
            "loss": points(self.rows, "loss"),
            "held_out": points(self.rows, COLUMN),
            "pictures": self._pictures(done),
        }
        text = json.dumps(told, sort_keys=True, separators=(",", ":"), allow_nan=False)
        write_text(self.out_dir / FILE, f"live({text});\n")

    def _seconds_left(self, done: int) -> float | None:
        steps = done - self.first
        if steps <= 0:
            return None
        return round((time.monotonic() - self.began) / steps * (self.steps - done), 1)

    def _pictures(self, done: int) -> list[list[Any]]:
        """[step, prompt, seed, file below the run's folder] of each picture that is there."""
        found = self.samples.up_to(done) if self.samples else ()
        return [
            [
                one.step,
                one.asked.name,
                one.asked.seed,
                one.path.relative_to(self.out_dir).as_posix(),
            ]
            for one in found
        ]


def points(rows: Sequence[Mapping[str, float]], name: str) -> list[list[float]]:
    """[step, value] of a column where it says something; of many steps the means of at most POINTS
    groups of them."""
    there = [(row["step"], row[name]) for row in rows if math.isfinite(row.get(name, math.nan))]
    size = -(-len(there) // POINTS) or 1
    groups = [there[start : start + size] for start in range(0, len(there), size)]
    return [
        [round(sum(part) / len(group), 6) for part in zip(*group, strict=True)] for group in groups
    ]
