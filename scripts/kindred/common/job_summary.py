"""What became of many jobs done by one process, as a summary.

Knows results and failures; knows nothing of what the jobs are.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from kindred.common.errors import KindredError
from kindred.common.files import write_json
from kindred.common.sentences import counted


@dataclass
class JobSummary:
    """Things made and found in the store, of `jobs` jobs; failures as {out, why}."""

    jobs: int
    made: int = 0
    found: int = 0
    failed: list[dict[str, str]] = field(default_factory=list)
    start: float = field(default_factory=time.monotonic)

    def fail(self, out: str, error: Exception) -> None:
        """Note a job that could not be done, and say so at once."""
        why = str(error) if isinstance(error, KindredError) else f"{type(error).__name__}: {error}"
        self.failed.append({"out": out, "why": why})
        print(f"failed: {out}: {why}", file=sys.stderr, flush=True)

    def end(self, path: Path | str, made: str, **more: int) -> None:
        """Write the summary; `made` names what was made, `more` are further numbers.

        Raises KindredError when jobs failed.
        """
        numbers = {made: self.made, "found": self.found, **more}
        seconds = round(time.monotonic() - self.start, 1)
        summary = {**numbers, "jobs": self.jobs, "failed": self.failed, "seconds": seconds}
        write_json(path, summary)
        said = ", ".join(f"{number} {name}" for name, number in numbers.items())
        print(f"{counted(self.jobs, 'job')}: {said}, {seconds} s", file=sys.stderr)
        if self.failed:
            names = ", ".join(failure["out"] for failure in self.failed)
            what = f"{len(self.failed)} of {counted(self.jobs, 'job')} failed: {names}"
            cure = (
                f"follow the advice given with each failure (above and in {path}), then run again"
            )
            raise KindredError(what, cure=cure)
