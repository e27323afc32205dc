"""The mark that a training has begun: from then on a hypothesis that is declared is late."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kindred.common.experiment_log import note_beginnings
from kindred.common.files import utc_now, write_json

START_MARKER = "begun.json"


def write_start_markers(folders: Sequence[Path]) -> None:
    """Leave the mark of runs that are being trained from now on, of each the first one stays; and
    log it, where the experiment has a log. Raises KindredError where that can't be written."""
    for folder in folders:
        if not (folder / START_MARKER).exists():
            write_json(folder / START_MARKER, {"time": utc_now()})
    note_beginnings(folders)


def trainings_begun(results: Path) -> dict[str, list[int]]:
    """Variant -> the runs of an experiment whose training has begun; finished ones too."""
    files = [
        path
        for name in (START_MARKER, "lora.safetensors")
        for path in results.glob(f"*/run-*/{name}")
    ]
    found: dict[str, list[int]] = {}
    for folder in sorted({path.parent for path in files}):
        found.setdefault(folder.parent.name, []).append(int(folder.name.removeprefix("run-")))
    return {name: sorted(runs) for name, runs in found.items()}
