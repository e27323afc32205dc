"""The most main memory that a piece of work takes for itself, sampled while it runs.

Pages of mapped files are not counted: the system takes them back when others need the room, and a
machine with little memory reads them again. Linux only.
"""

from __future__ import annotations

import threading
from pathlib import Path

EVERY_S = 0.02


def own_gib() -> float:
    """Anonymous memory of this process, GiB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (kib,) = (line.split()[1] for line in lines if line.startswith("RssAnon:"))
    return int(kib) / 2**20


class Watch:
    """`with Watch() as watch: ...`, then `watch.peak_gib`."""

    def __enter__(self) -> Watch:
        self.peak_gib, self._ended = own_gib(), threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self.peak_gib = max(self.peak_gib, own_gib())

    def _sample(self) -> None:
        while not self._ended.wait(EVERY_S):
            self.peak_gib = max(self.peak_gib, own_gib())
