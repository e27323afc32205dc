"""A person's mistake that a job ends in is told once and last, without Snakemake's trace of it,
which its log has. `tee` of rules is this file too; it starts with every job, so it imports little.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from typing import Any

# How messages of `run_main` begin and go on; of several processes one each.
BEGINS, GOES_ON = b"error: ", (b" ", b"\t")
MISTAKE = re.compile(r"(?:^error: .*\n(?:[ \t].*\n)*)+\Z", re.MULTILINE)
# What Snakemake says before a job's error, and again in it.
FAILED = re.compile(r"CalledProcessError in file .* non-zero exit status 1\.\s*\Z", re.DOTALL)
LOCKED = """this folder is locked: another Snakemake works in it, or was killed in it.
  - If one works, wait; its own terminal says how far it is. Don't unlock it: two would write
    the same files. `snakemake -n` shows its plan all the same.
  - If none works, here or on another machine, type `snakemake --unlock`, then run again."""

# In place of advice to keep results that other settings have made.
CHANGED = """Some jobs run again because settings, code or files changed. `snakemake -n -q host`,
with the rest of this command, says which."""


def mistake_in(log: str) -> str:
    """The messages that a log ends in, each once; '' where it ends in anything else."""
    found = MISTAKE.search(log)
    messages = re.split(r"^(?=error: )", found[0], flags=re.MULTILINE) if found else []
    return "".join(dict.fromkeys(messages)).rstrip()


class Mistakes:
    """A filter of what Snakemake prints, which says at its end what jobs ended in."""

    def __init__(self, handler: Any) -> None:
        self.handler, self.begun = handler, time.time() - 2
        self.names: dict[int, str] = {}
        self.ended: dict[int, tuple[str, str]] = {}  # name and log, message or ''
        self.grouped: set[int] = set()  # of groups that failed, of which all members are told

    def filter(self, record: Any) -> bool:
        """Whether it is shown."""
        event, said = str(getattr(record, "event", "")), record.getMessage()
        if event == "job_info":
            self.names[record.jobid] = record.rule_msg
        elif event == "job_finished":
            self.ended.pop(record.job_id, None)  # at another attempt
        elif event == "group_error" and any(map(self._mistake, record.job_error_info)):
            self.grouped.update(one["jobid"] for one in record.job_error_info)
            return False
        elif event == "job_error":
            return self._of_job(record)
        elif event == "error" and FAILED.search(said):
            return False
        elif "Error: Directory cannot be locked" in said:
            return self._say(("error: " if "--unlock" in said else "note: ") + LOCKED, record)
        elif said.startswith("Some jobs were triggered by provenance information"):
            return self._say(CHANGED, record)
        elif any(message for _, message in self.ended.values()):
            if "At least one job did not complete" in said:
                return self._say(self._summary(), record)
            return not said.startswith("Exiting because a job")
        return True

    def _of_job(self, record: Any) -> bool:
        number, message = record.jobid, self._mistake(record.__dict__)
        if not message and number in self.grouped:
            return False
        named = f"{self.names.get(number) or record.rule_name} ({', '.join(record.log[:1])})"
        self.ended[number] = named, message
        return self._say(f"Job {number} failed: {named}", record) if message else True

    def _summary(self) -> str:
        """Each message with the jobs that ended in it, behind those without any."""
        jobs: dict[str, list[str]] = {}
        for named, message in sorted(self.ended.values(), key=lambda one: bool(one[1])):
            jobs.setdefault(message or "failed; see above", []).append(named)
        parts = [f"\nJobs that failed: {len(self.ended)}"]
        for message, names in jobs.items():
            parts.append(f"{', '.join(names)}:\n{message}")
        return "\n\n".join(parts)

    def _mistake(self, told: dict[str, Any]) -> str:
        """What its log of this run ends in."""
        try:
            with open(told["log"][0], encoding="utf-8", errors="replace") as file:
                now = os.fstat(file.fileno()).st_mtime >= self.begun
                return mistake_in(file.read()) if now else ""
        except (IndexError, OSError):
            return ""

    def _say(self, text: str, record: Any) -> bool:
        self.handler.stream.write(self.handler.decorate(record, text) + "\n")
        return False


def tell_once(logger: Any) -> bool:
    """Have mistakes told so; False where a plugin prints."""
    found = [one for one in logger.handlers if one.name == "DefaultStreamHandler"]
    for handler in found:  # before its own filter, which may be quiet
        handler.filters.insert(0, Mistakes(handler))
    return bool(found)


def main() -> int:
    """Copy stdin until it ends; as of `tee -i`, an interrupt is for the job alone. Where the log
    can't be written, all is still shown."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    held: list[bytes] = []
    failed: OSError | None = None
    with open(sys.argv[-1], "wb", buffering=0) as log:
        for line in iter(sys.stdin.buffer.readline, b""):
            try:
                log.write(line)
            except OSError as error:
                failed = error
            held.append(line)
            kept = line.startswith(BEGINS) or (held[1:] and line.startswith(GOES_ON))
            if failed or not kept:
                sys.stdout.buffer.writelines(held)
                sys.stdout.flush()
                held = []
    if failed:
        print(f"{sys.argv[-1]} can't be written: {failed.strerror}", flush=True)
    return int(failed is not None)


if __name__ == "__main__":
    sys.exit(main())
