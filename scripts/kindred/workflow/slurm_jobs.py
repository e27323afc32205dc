"""What Slurm says of the jobs that were sent from this folder: which are left of a Snakemake that
was killed, and why one ended.

Jobs are known by their folder and by the comment that Snakemake's plugin gives them. Asks Slurm's
commands; knows nothing of Snakemake's own objects.
"""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kindred.common.errors import KindredError
from kindred.common.sentences import counted

# There as soon as jobs were sent from this folder; without it Slurm is not asked.
SENT = Path(".snakemake/kindred/sent-to-slurm")
LOCKS = Path(".snakemake/locks")
FOLDER = "slurm_logs"  # the plugin's, for Slurm's own logs of jobs
REQUEST = "KINDRED_JOBS_LEFT"
CURE = (
    f"to wait for them and use their results, run `{REQUEST}=wait snakemake ...`; to end them, "
    f"run `{REQUEST}=cancel snakemake ...`"
)
ASK_EVERY_S = 5.0
FIELDS = "%i|%T|%N|%r|%k|%Z"
# Slurm looks at limits twice a minute, and may send the signal a minute early.
EARLY_S = 120 + 90
# In Slurm's log of a job: a cgroup's limit (until 21.08 oom-kill, later oom_kill), or usage polled.
OUT_OF_MEMORY = re.compile(
    r"^slurmstepd\S*: error: .*(oom.kill event|exceeded (job |step )?memory limit)"
    r"|^srun: error: .*Out Of Memory",
    re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Job:
    """A job that waits or runs. where: its node, or why it waits."""

    number: str
    state: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.number} ({self.what}, {self.state.lower()}: {self.where})"


def left() -> list[Job]:
    """Jobs of this folder that wait or run; none where Slurm was never used here. Raises
    KindredError where Slurm can't be asked."""
    if not SENT.exists():
        return []
    try:
        told = _told("squeue", "--me", "--noheader", f"--format={FIELDS}")
    except (OSError, subprocess.SubprocessError) as error:
        what = f"Slurm does not say which jobs of an earlier run are left ({_words(error)})"
        cure = f"run `squeue --me`; if no job is left, remove {SENT}"
        raise KindredError(what, cure=cure) from None
    found = []
    for line in told.splitlines():
        number, state, node, reason, comment, folder = line.split("|", 5)
        if comment.startswith("rule_") and Path(folder).resolve() == Path.cwd():
            what = comment.removeprefix("rule_").replace("_wildcards_", " ")
            found.append(Job(number, state, node or reason, what))
    return found


def remark() -> str:
    """A warning that lists jobs which are left, where Snakemake is about to say that the folder is
    locked, or was asked to unlock it; '' without any."""
    if not SENT.exists() or not (LOCKS.is_dir() and any(LOCKS.iterdir())):
        return ""
    try:
        jobs = left()
    except KindredError as error:
        return str(error)
    return f"{_listed(jobs)}. After `snakemake --unlock`: {CURE}." if jobs else ""


def settle(request: str) -> None:
    """Before jobs are sent: no other job of this folder may be left, or two would do the same work.

    request: what REQUEST says; wait: until they have ended; cancel: end them. Raises KindredError
    that lists them where it says neither.
    """
    if request not in ("", "wait", "cancel"):
        raise KindredError(f"{request!r} is not wait or cancel", REQUEST, CURE)
    jobs = left()
    if jobs and not request:
        raise KindredError(_listed(jobs), cure=CURE)
    if jobs and request == "cancel":
        _told("scancel", *(job.number for job in jobs))
    before: list[Job] = []
    while jobs:
        if jobs != before:
            print(f"waiting: {_listed(jobs)}", file=sys.stderr, flush=True)
        before = jobs
        time.sleep(ASK_EVERY_S)
        jobs = left()


def _listed(jobs: Sequence[Job]) -> str:
    those, count = "; ".join(map(str, jobs)), len(jobs)
    known = counted(count, "job of an earlier run is", "jobs of an earlier run are")
    return f"{known} still with Slurm: {those}"


def mark() -> None:
    """Write down that jobs are sent from here."""
    SENT.parent.mkdir(parents=True, exist_ok=True)
    SENT.touch()


def why_ended(log: Path, rule: str) -> str:
    """What to raise when Slurm ended a job for its time or memory; '' when it ended otherwise, or
    when nothing is known of it any more.

    log: Slurm's, named after the job's number. A job whose step went over its memory has merely
    failed by its state, so the log is looked at too.
    """
    number = log.stem
    try:
        told = _told("scontrol", "show", "job", number, "--oneliner")
    except (OSError, subprocess.SubprocessError):
        told = ""
    known = dict(re.findall(r"(\w+)=(\S*)", told))
    state, memory = known.get("JobState", ""), known.get("MinMemoryNode", "it had asked for")
    ran, limit = (_seconds(known.get(key, "")) for key in ("RunTime", "TimeLimit"))
    where = f"of {rule} in profiles/slurm/config.yaml"
    if state == "OUT_OF_MEMORY" or _says_out_of_memory(log):
        what = f"it needed more memory than {memory}"
        return f"job {number} ({rule}): {what}. Raise mem_mb {where}."
    if state == "TIMEOUT" or (state == "FAILED" and limit and ran >= limit - EARLY_S):
        minutes = counted(f"{limit / 60:.0f}", "minute")
        what = f"its time of {minutes} was over, or nearly over"
        return (
            f"job {number} ({rule}): {what}. Raise runtime {where}; a training continues from its "
            "checkpoint."
        )
    return ""


class Reasons(logging.Handler):
    """Says why Slurm ended a job, right after Snakemake says that it failed."""

    def emit(self, record: logging.LogRecord) -> None:
        """Among a failed job's logs is Slurm's, which is named after the job's number; of a group's
        in a field of its own."""
        named = (getattr(record, field, None) or () for field in ("log", "aux_logs"))
        logs = (Path(str(one)) for some in named for one in some)
        slurms = [one for one in logs if FOLDER in one.parts and one.stem.isdigit()]
        for log in slurms[:1]:
            rule = getattr(record, "rule_name", None) or getattr(record, "groupid", "a group")
            reason = why_ended(log, rule)
            if reason:
                print(f"error: {reason}", file=sys.stderr, flush=True)


def _says_out_of_memory(log: Path) -> bool:
    try:
        return bool(OUT_OF_MEMORY.search(log.read_text(encoding="utf-8", errors="replace")))
    except OSError:
        return False


def _seconds(told: str) -> float:
    """Of Slurm's [days-]hours:minutes:seconds; 0 of anything else (UNLIMITED)."""
    found = re.fullmatch(r"(?:(\d+)-)?(\d+):(\d+):(\d+)", told)
    if not found:
        return 0.0
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return 86400.0 * days + 3600 * hours + 60 * minutes + seconds


def _told(*command: str) -> str:
    """What a command of Slurm's says. Raises OSError or SubprocessError."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def _words(error: Exception) -> str:
    told = getattr(error, "stderr", None)
    return " ".join(told.split()) if isinstance(told, str) and told.strip() else str(error)
