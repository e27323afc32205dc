"""Errors for the person at the keyboard: every problem of a config or dataset at once.

Knows how problems are collected, printed and turned into an exit status; knows nothing of
what is being checked.
"""

from __future__ import annotations

import atexit
import difflib
import gc
import logging
import os
import select
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from kindred.common import commands, planned_code
from kindred.common.sentences import counted

# It warns of missing CPU kernels whenever diffusers is imported, and nobody can act on that: we
# quantize on GPUs only. Here because every program reads this file before it imports diffusers.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


class KindredError(Exception):
    """A user's mistake or a missing piece, in one clear message; shown without a stack trace.

    It says what is wrong, `where` (file, key path) and the `cure`, and prints like a Problem.
    """

    def __init__(self, what: str, where: str = "", cure: str = "") -> None:
        self.what, self.where, self.cure = what, where, cure
        super().__init__(what, where, cure)

    def __str__(self) -> str:
        return message(self.where, self.what, self.cure)

    @property
    def finding(self) -> str:
        """Place and what is wrong, for who names another cure."""
        return message(self.where, self.what, "")


def first_line_of(error: BaseException) -> str:
    """What an error says first, at most 200 characters; its kind where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


HANDFUL = 6  # words that a message lists
NONE_YET = "there is none yet"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: `where` (file, key path), `what`, and the `cure`."""

    where: str
    what: str
    cure: str = ""

    def __str__(self) -> str:
        return message(self.where, self.what, self.cure)


def message(where: str, what: str, cure: str) -> str:
    """'where: what. Cure.', without the parts that are not known."""
    said = (f"{where}: " if where else "") + what
    if not cure:
        return said
    end = "" if said[-1:] in ".?!" else "."
    return f"{said}{end} {cure[:1].upper()}{cure[1:]}{'' if cure[-1:] in '.?!' else '.'}"


class ProblemsError(KindredError):
    """Several problems, listed together."""

    def __init__(self, problems: Iterable[Problem], heading: str = "") -> None:
        self.problems = list(problems)
        count = len(self.problems)
        self.heading = heading or f"{counted(count, 'problem')} found"
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"{self.heading}:\n{lines}")
        self.args = (self.problems, self.heading)  # what another process makes it anew from


@dataclass
class Problems:
    """Collector: add problems while reading on, raise them together at the end."""

    heading: str = ""
    found: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def add(self, where: str, what: str, cure: str = "") -> None:
        """Note one problem and go on; the same one twice counts once."""
        problem = Problem(where, what, cure)
        if problem not in self.found:
            self.found.append(problem)

    def add_error(self, where: str, error: KindredError) -> None:
        """Note an error that was met at `where`, with its cure."""
        self.add(where, error.finding.removeprefix(f"{where}: "), error.cure)

    def warn(self, where: str, what: str, cure: str = "") -> None:
        """Note what a person should know and nothing must stop for, once."""
        warning = Problem(where, what, cure)
        if warning not in self.warnings:
            self.warnings.append(warning)

    def __bool__(self) -> bool:
        return bool(self.found)

    def raise_if_any(self) -> None:
        """Raise ProblemsError when anything was noted."""
        if self.found:
            raise ProblemsError(self.found, self.heading)


def near_word(word: str, known: Iterable[str]) -> str:
    """'did you mean ...?' for a misspelt word; '' where nothing is near."""
    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else ""


def did_you_mean(word: str, known: Iterable[str], of_many: str = "") -> str:
    """`near_word`; where nothing is near, what is known. Of more than a handful: `of_many`, which
    says where they are listed, or without it the nearest and how many more there are."""
    known = sorted(known)
    if near := near_word(word, known):
        return near
    if not known:
        return NONE_YET
    if len(known) <= HANDFUL:
        return f"choose one of: {', '.join(known)}"
    if of_many:
        return of_many
    nearest = difflib.get_close_matches(word, known, n=HANDFUL, cutoff=0.0)
    return f"choose one of: {', '.join(nearest)}, or one of {len(known) - HANDFUL} more"


TOO_LITTLE_MEMORY = (
    "the GPU ran out of memory. Check that nothing else runs on it. If the card has more memory "
    "than `device: memory_gib` says, raise that value. Otherwise choose a base with "
    "`quantization: nf4`, smaller pictures or photos, or a smaller judge"
)


@contextmanager
def _collecting_less() -> Iterator[None]:
    """Look for garbage among young objects alone, but for once in millions, and not at the end.

    torch and diffusers are a million objects that stay. Looking through all of them takes an eighth
    of the time of importing them, and up to a second when the program ends. What gets old rarely
    becomes garbage, and what has to free a GPU's memory collects by itself.
    """
    young, middle, old = gc.get_threshold()
    gc.set_threshold(young, middle, 1000)
    atexit.register(gc.freeze)
    try:
        yield
    finally:
        gc.set_threshold(young, middle, old)


def _is_out_of_memory(error: Exception) -> bool:
    """Of a GPU: by the name of torch's error, which is not known here, or by its words on a Mac."""
    of_apple = isinstance(error, RuntimeError) and "MPS backend out of memory" in str(error)
    return of_apple or type(error).__name__ == "OutOfMemoryError"


def _nobody_reads() -> bool:
    """Whether who read our output, such as `head`, has gone. What is left of it goes nowhere."""
    asked = select.poll()
    asked.register(sys.stdout.fileno(), 0)
    if not any(event & select.POLLERR for _, event in asked.poll(0)):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


def run_main(main: Callable[[], int | None]) -> None:
    """Run a program, if its code is what Snakemake planned with: a user's mistake ends in its
    message and status 1, without a stack trace."""
    try:
        if planned_code.was_changed():
            raise KindredError(planned_code.CHANGED, cure=planned_code.CURE)
        with _collecting_less():
            status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        if not _nobody_reads():
            raise
        sys.exit(141)  # as a shell says of a program that SIGPIPE ended
    except KindredError as error:
        print(commands.complete(f"error: {error}"), file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        if not _is_out_of_memory(error):
            raise
        print(f"error: {TOO_LITTLE_MEMORY} ({first_line_of(error)})", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("stopped; run the same command again to continue", file=sys.stderr)
        sys.exit(130)
    sys.exit(status or 0)
