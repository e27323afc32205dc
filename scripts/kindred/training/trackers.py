"""Losses and rates of a training in a tracker that people have open: TensorBoard, wandb, trackio.

Through accelerate's trackers, whose packages are optional. Nothing leaves the machine: wandb writes
its offline files unless WANDB_MODE says otherwise, trackio its local database. Numbers and settings
are told, never captions or photos; pictures that a training draws on its way where that is asked
for. What is tracked is no part of any result: it changes no key,
and a tracker that fails is left out with a warning.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindred.common.errors import KindredError, first_line_of

if TYPE_CHECKING:
    from kindred.training.samples import Sample, Samples
    from kindred.training.trainer import Trainer

TRACKER = "KINDRED_TRACKER"  # `tracker` of config/config.yaml
PICTURES = "KINDRED_TRACKER_PICTURES"  # its `pictures: true`
PACKAGES = {
    "tensorboard": ("tensorboard", "tensorboardX"),
    "wandb": ("wandb",),
    "trackio": ("trackio",),
}
FOLDER = "tracker"  # of an experiment's results


def chosen_tracker() -> str:
    """The tracker that the configuration names; '' for none. Raises KindredError for an unknown
    one, and where its package is not installed."""
    name = os.environ.get(TRACKER, "")
    if name and name not in PACKAGES:
        raise KindredError(
            f"Kindred does not know the tracker '{name}'",
            TRACKER,
            f"use one of: {', '.join(PACKAGES)}",
        )
    if name and not any(find_spec(package) for package in PACKAGES[name]):
        raise KindredError(
            f"`tracker: {name}` needs the package {PACKAGES[name][0]}",
            "config/config.yaml: tracker",
            f"run `pip install {PACKAGES[name][0]}`, or remove `tracker`",
        )
    return name


class TrackedTraining:
    """Tells a tracker of each step whose loss has been read; called after every step.

    out_dir: results/<experiment>/<variant>/run-<k>. settings: what the run is told to be; nested
    values as text. samples: pictures that it draws, told only where the configuration says so.
    """

    def __init__(
        self,
        name: str,
        out_dir: Path,
        settings: Mapping[str, Any],
        samples: Samples | None = None,
    ) -> None:
        self.name, self.sent = name, 0
        self.samples = samples if os.environ.get(PICTURES) else None
        self.shown: set[Path] = set()
        self._tracker: Any = None
        plain = {
            key: value if isinstance(value, bool | int | float | str) else str(value)
            for key, value in settings.items()
        }
        self._try(lambda: self._open(name, out_dir.absolute(), plain))

    def __call__(self, trainer: Trainer) -> None:
        """Send what has been read since the last call; of a training that was interrupted all."""
        rows = trainer.log.rows_read
        for row in rows[self.sent :]:
            self._send(row)
        self.sent = len(rows)
        if self.samples and self.samples.spec.due(trainer.done, self.samples.steps):
            for sample in self.samples.up_to(trainer.done):
                self._show(sample)

    def close(self) -> None:
        """Write what is left."""
        if self._tracker:
            self._try(self._tracker.finish)
        self._tracker = None

    def _send(self, row: Mapping[str, float]) -> None:
        values = {f"training/{key}": value for key, value in row.items() if key != "step"}
        if self._tracker:
            self._try(lambda: self._tracker.log(values, step=int(row["step"])))

    def _show(self, sample: Sample) -> None:
        if self._tracker and sample.path not in self.shown:
            self.shown.add(sample.path)
            self._try(lambda: self._send_picture(sample))

    def _send_picture(self, sample: Sample) -> None:
        label = f"samples/{sample.asked.name}-{sample.asked.seed}"
        if self.name == "trackio":  # accelerate's tracker of it knows no pictures
            import trackio

            picture = trackio.Image(str(sample.path), caption=sample.asked.prompt)
            self._tracker.log({label: picture}, step=sample.step)
            return
        import numpy as np
        from PIL import Image

        pixels = np.array(Image.open(sample.path).convert("RGB"))
        if self.name == "tensorboard":
            self._tracker.log_images({label: pixels[None]}, step=sample.step, dataformats="NHWC")
        else:
            self._tracker.log_images({label: [pixels]}, step=sample.step)

    def _open(self, name: str, out_dir: Path, settings: Mapping[str, Any]) -> None:
        from accelerate import PartialState, tracking

        PartialState(cpu=True)  # accelerate's loggers ask for one; it takes no GPU
        variant = out_dir.parent
        experiment, run = variant.parent, f"{variant.name}/{out_dir.name}"
        if name == "tensorboard":
            tracker = tracking.TensorBoardTracker(run, logging_dir=experiment / FOLDER)
        elif name == "wandb":
            folder = experiment / FOLDER
            folder.mkdir(parents=True, exist_ok=True)
            mode = os.environ.get("WANDB_MODE", "offline")
            given = {"name": run, "dir": str(folder), "mode": mode}
            tracker = tracking.WandBTracker(experiment.name, **given)
        else:
            tracker = tracking.TrackioTracker(experiment.name, name=run)
        tracker.start()
        tracker.store_init_configuration(dict(settings))
        self._tracker = tracker

    def _try(self, work: Callable[[], object]) -> None:
        """Do something of the tracker's; without it from then on where it fails."""
        try:
            work()
        except Exception as error:  # of packages that are not ours
            reason = first_line_of(error)
            print(f"warning: the tracker fails ({reason}); continuing without it", file=sys.stderr)
            self._tracker = None
