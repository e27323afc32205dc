"""Checkpoints of a training in work: written whole or not at all, the newest good one read back.

They lie outside what Snakemake knows as outputs, under the key of the finished adapter.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import torch

from kindred.common.errors import first_line_of
from kindred.common.files import atomic_write

KEPT = 2


class Checkpoints:
    """The checkpoints of one training in `<root>/<key>/step-<n>.pt`."""

    def __init__(self, root: Path, key: str) -> None:
        self.folder = root / key

    def save(self, step: int, state: dict[str, Any]) -> None:
        """Write the state after `step` optimizer steps; older ones but one are removed."""
        with atomic_write(self.folder / f"step-{step:08d}.pt", durable=True) as temporary:
            torch.save(state, temporary)
        for old in self._files()[:-KEPT]:
            old.unlink()

    def newest(self) -> dict[str, Any] | None:
        """The newest state that can be read, or None. An unreadable one is passed over."""
        for path in reversed(self._files()):
            try:
                return torch.load(path, map_location="cpu", weights_only=True)
            except Exception as error:  # torch raises many kinds for a broken file
                reason = first_line_of(error)
                print(f"warning: {path}: not readable ({reason}); passed over", file=sys.stderr)
                path.unlink()
        return None

    def remove(self) -> None:
        """Remove all, once the adapter is finished."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.pt"))
