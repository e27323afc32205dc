"""Checkpoints of a training in work: written whole or not at all, the newest good one read back.

They lie outside what Snakemake knows as outputs, under the key of the finished adapter.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

import torch

from kindred.common.errors import first_line_of
from kindred.common.files import atomic_write

KEPT = 2


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a state; it is on the disk when this ends. Raises KindredError when it can't be."""
    with atomic_write(path, durable=True) as temporary:
        torch.save(state, temporary)


def read_checkpoint(path: Path) -> dict[str, Any] | None:
    """A state, on the CPU. One that can't be read is removed with a warning, and None."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a broken file
        reason = first_line_of(error)
        print(f"warning: {path}: not readable ({reason}); passed over", file=sys.stderr)
        path.unlink(missing_ok=True)  # several processes may have read it
        return None


class Checkpoints:
    """The checkpoints of one training in `<root>/<key>/step-<n>.pt`.

    before: the first step that something still waits for: a training goes on from a state before
    it; from any when None. others: states of other trainings that are as good as its own.
    """

    def __init__(
        self, root: Path, key: str, before: int | None = None, others: Sequence[Path] = ()
    ) -> None:
        self.folder, self.before, self.others = root / key, before, others

    def save(self, step: int, state: dict[str, Any]) -> None:
        """Write the state after `step` optimizer steps; older ones but one are removed."""
        write_checkpoint(self.folder / self._name(step), state)
        for old in self._files()[:-KEPT]:
            old.unlink()

    def newest(self) -> dict[str, Any] | None:
        """The newest state that can be gone on from, or None. An unreadable one is passed over."""
        files = sorted([*self._files(), *self.others], key=attrgetter("name"))
        if self.before is not None:
            late = [path for path in self.others if path.name >= self._name(self.before)]
            files = [path for path in files if path.name < self._name(self.before)]
            if late:
                print(
                    f"the state of a shorter training is not gone on from: an adapter of step "
                    f"{self.before} is to be kept, and lies behind it",
                    file=sys.stderr,
                )
        states = (read_checkpoint(path) for path in reversed(files))
        return next((state for state in states if state is not None), None)

    def remove(self) -> None:
        """Remove all, once the adapter is finished."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def _name(step: int) -> str:
        return f"step-{step:08d}.pt"

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.pt"))
