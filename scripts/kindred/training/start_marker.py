"""The mark that a training has begun: from then on a hypothesis that is declared is late."""

from __future__ import annotations

from pathlib import Path

from kindred.common.files import utc_now, write_json

START_MARKER = "begun.json"


def write_start_marker(folder: Path) -> None:
    """Leave a run's mark that it is being trained from now on; the first one stays."""
    if not (folder / START_MARKER).exists():
        write_json(folder / START_MARKER, {"time": utc_now()})


def trainings_begun(results: Path) -> int:
    """How many of an experiment's trainings have begun; finished ones too."""
    files = [
        path
        for name in (START_MARKER, "lora.safetensors")
        for path in results.glob(f"*/run-*/{name}")
    ]
    return len({path.parent for path in files})
