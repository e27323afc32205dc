"""Progress of long work: a bar with rate and time left on a terminal, plain lines in a log."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from kindred.common.sentences import plural

T = TypeVar("T")
LINE_EVERY_S = 10.0
_job: list[str] = []  # what stands before every line, so that jobs beside each other are told apart


def speak_for(job: Path | str) -> None:
    """From now on this process's progress names `job`, such as family/all/run-1."""
    _job[:] = [Path(job).as_posix().removeprefix("results/") + ": "]


class Progress:
    """Counts towards `total`; `update(n, loss=...)` shows it. Use as a context manager. unit: what
    one is called, 'photo'."""

    def __init__(self, what: str, total: int, unit: str = "item", initial: int = 0) -> None:
        self.what = "".join((*_job, what))
        self.total, self.unit, self.done = total, unit, initial
        self.start, self.initial = time.monotonic(), initial
        self.last_line = self.start
        self.tty = sys.stderr.isatty()
        # One of several processes at the same work speaks for all.
        self.silent = os.environ.get("RANK", "0") != "0"
        self.bar = (
            tqdm(total=total, desc=self.what, unit=unit, initial=initial, dynamic_ncols=True)
            if self.tty and not self.silent
            else None
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()
        elif self.done != self.initial:
            self._line({})

    def update(self, n: int = 1, **figures: Any) -> None:
        """Count `n` more; `figures` (e.g. loss) are shown behind the count."""
        self.done += n
        if self.bar is not None:
            self.bar.set_postfix(figures, refresh=False)
            self.bar.update(n)
        elif time.monotonic() - self.last_line >= LINE_EVERY_S:
            self._line(figures)

    def _line(self, figures: dict[str, Any]) -> None:
        self.last_line = time.monotonic()
        if self.silent:
            return
        seconds = self.last_line - self.start
        rate = (self.done - self.initial) / seconds if seconds > 0 else 0.0
        left = (self.total - self.done) / rate if rate > 0 else 0.0
        extra = "".join(f" {key}={value}" for key, value in figures.items())
        print(
            f"{self.what}: {self.done}/{self.total} {plural(self.total, self.unit)}, {rate:.2f}/s, "
            f"{seconds:.0f} s elapsed, {left:.0f} s left{extra}",
            file=sys.stderr,
            flush=True,
        )


def track(items: Iterable[T], what: str, total: int, unit: str = "item") -> Iterator[T]:
    """Iterate with progress."""
    with Progress(what, total, unit) as progress:
        for item in items:
            yield item
            progress.update()
