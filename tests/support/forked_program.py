"""A program in a process of its own that needn't import again what the tests have imported."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kindred.common.errors import run_main


class ForkedProgram:
    """`main(arguments)` as a program runs it, in a copy of this process; what it says goes to a
    file, and it may be killed."""

    def __init__(
        self,
        main: Callable[[list[str]], int | None],
        arguments: Sequence[str],
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.log, self.returncode = log, None
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()
        self.pid = os.fork()
        if self.pid == 0:
            os.environ.update(environment or {})
            self._become(main, list(arguments))

    def _become(self, main: Callable[[list[str]], int | None], arguments: list[str]) -> None:
        code: object = 1
        try:
            with open(self.log, "w", buffering=1) as file:
                sys.stdout = sys.stderr = file
                try:
                    run_main(lambda: main(arguments))
                except SystemExit as end:
                    code = end.code
                except BaseException:
                    traceback.print_exc()
        finally:
            os._exit(code if isinstance(code, int) else 0 if code is None else 1)

    @property
    def said(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(encoding="utf-8")

    def poll(self) -> int | None:
        """Its exit status, of a signal its negative number; None while it runs."""
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if ended else None
        return self.returncode

    def wait(self) -> int:
        """Its exit status, once it has ended."""
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode

    def kill(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)
