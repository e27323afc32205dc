"""What Slurm says of jobs, by commands that stand for its own."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from kindred.common.errors import KindredError
from kindred.workflow import slurm_jobs

TRAINING = "12|RUNNING|k1|None|rule_train_wildcards_tiny_both_1|{here}"
GROUP = "13|PENDING||Resources|rule_encode_encode_images|{here}"
OTHERS = ("14|RUNNING|k1|None|rule_train|/elsewhere", "15|RUNNING|k1|None|(null)|{here}")
SHOWN = (
    "JobId={number} JobState={state} Reason=None RunTime={ran} TimeLimit=04:00:00 "
    "MinMemoryNode=40000M Comment=rule_train"
)


def command(folder: Path, name: str, script: str) -> None:
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A folder from which jobs were sent; its queue is the file `queue`, and scancel empties it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.setattr(slurm_jobs, "ASK_EVERY_S", 0.01)
    command(tmp_path, "squeue", f"echo asked >> {tmp_path}/asked; cat {tmp_path}/queue")
    command(tmp_path, "scancel", f'echo "$@" > {tmp_path}/cancelled; : > {tmp_path}/queue')
    slurm_jobs.mark()
    return tmp_path


def queue(here: Path, *lines: str) -> None:
    text = "".join(line.format(here=here) + "\n" for line in lines)
    (here / "queue").write_text(text, encoding="utf-8")


def test_slurm_is_not_asked_where_nothing_was_sent(here):
    slurm_jobs.SENT.unlink()
    slurm_jobs.settle("")
    assert slurm_jobs.remark() == "" and not (here / "asked").exists()


def test_jobs_that_are_left_are_told_by_name_and_stop_the_start(here):
    queue(here, TRAINING, GROUP, *OTHERS)
    with pytest.raises(KindredError) as error:
        slurm_jobs.settle("")
    said = str(error.value)
    assert "2 jobs" in said and "12 (train tiny_both_1, running: k1)" in said
    assert "13 (encode_encode_images, pending: Resources)" in said and "14" not in said
    assert "KINDRED_JOBS_LEFT=wait" in said and "KINDRED_JOBS_LEFT=cancel" in said
    queue(here, *OTHERS)
    slurm_jobs.settle("")


def test_they_are_told_beside_a_lock(here):
    queue(here, TRAINING)
    assert slurm_jobs.remark() == ""
    slurm_jobs.LOCKS.mkdir(parents=True)
    (slurm_jobs.LOCKS / "0.input.lock").touch()
    assert "12 (train tiny_both_1" in slurm_jobs.remark()
    assert "--unlock" in slurm_jobs.remark()
    queue(here)
    assert slurm_jobs.remark() == ""
    command(here, "squeue", "echo no controller >&2; exit 1")
    assert "no controller" in slurm_jobs.remark()


def test_on_request_they_are_ended_or_waited_for(here, capfd):
    queue(here, TRAINING, GROUP, *OTHERS)
    slurm_jobs.settle("cancel")
    assert (here / "cancelled").read_text().split() == ["12", "13"]
    queue(here, TRAINING)
    ends = (
        f"n=$(wc -l < {here}/asked); echo asked >> {here}/asked; [ $n -lt 9 ] && cat {here}/queue"
    )
    command(here, "squeue", f"{ends} || true")
    slurm_jobs.settle("wait")
    assert capfd.readouterr().err.count("waiting: 1 job of an earlier run is still") == 1
    assert (here / "asked").read_text().count("asked") > 9


@pytest.mark.parametrize("request_", ["kill", "WAIT"])
def test_another_request_is_refused(here, request_):
    queue(here)
    with pytest.raises(KindredError, match="is not wait or cancel"):
        slurm_jobs.settle(request_)


def test_a_queue_that_does_not_answer_stops_the_start(here):
    command(here, "squeue", "echo no controller >&2; exit 1")
    with pytest.raises(KindredError, match="no controller"):
        slurm_jobs.settle("")


@pytest.mark.parametrize(
    ("state", "ran", "said"),
    [
        ("TIMEOUT", "04:00:10", "240 minutes.*Raise runtime of train"),
        ("FAILED", "03:57:55", "Raise runtime of train"),
        ("OUT_OF_MEMORY", "00:10:00", "40000M.*Raise mem_mb of train"),
        ("FAILED", "00:10:00", ""),
        ("CANCELLED", "00:10:00", ""),
        ("NODE_FAIL", "1-00:10:00", ""),
    ],
)
def test_a_job_ended_for_its_time_or_memory_says_what_to_raise(here, capfd, state, ran, said):
    shown = SHOWN.format(number="7", state=state, ran=ran)
    command(here, "scontrol", f'[ "$3" = 7 ] && echo "{shown}"')
    record = logging.LogRecord("x", logging.ERROR, "", 0, "Error in rule train", None, None)
    record.log = ["logs/train/1.log", f"{here}/.snakemake/slurm_logs/rule_train/7.log"]
    record.rule_name = "train"
    slurm_jobs.Reasons().emit(record)
    err = capfd.readouterr().err

    assert bool(said) == bool(err) and re.search(said, err)


OVER = {
    "cgroup": "slurmstepd-k1: error: Detected 1 oom-kill event(s) in StepId=7.0. Some of your",
    "newer": "slurmstepd: error: Detected 1 oom_kill event in StepId=7.0. Some of the step tasks",
    "step": "srun: error: k1: task 0: Out Of Memory",
    "polled": "slurmstepd-k1: error: StepId=7.0 exceeded memory limit (3 > 2), being killed",
    "whole": "slurmstepd: error: Exceeded job memory limit",
    "": "CUDA out of memory. Tried to allocate 2 GiB; exceeded memory limit",
}


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("who", OVER)
def test_a_step_that_went_over_its_memory_is_known_by_slurm_s_log(here, capfd, who, known):
    shown = SHOWN.format(number="7", state="FAILED", ran="00:10:00")
    command(here, "scontrol", f'echo "{shown}"' if known else "exit 1")
    log = here / ".snakemake/slurm_logs/rule_train/7.log"
    log.parent.mkdir(parents=True)
    log.write_text(f"Building DAG of jobs...\n{OVER[who]}\nShutting down\n", encoding="utf-8")
    record = logging.LogRecord("x", logging.ERROR, "", 0, "Error in rule train", None, None)
    record.aux_logs, record.rule_name = [str(log)], "train"
    slurm_jobs.Reasons().emit(record)
    memory = "40000M" if known else "it had asked for"
    said = f"error: job 7 (train): it needed more memory than {memory}. Raise mem_mb of train in "
    assert capfd.readouterr().err.startswith(said) if who else not capfd.readouterr().err


def test_a_group_is_told_of_too(here, capfd):
    command(here, "scontrol", f'echo "{SHOWN.format(number="7", state="TIMEOUT", ran="04:00:10")}"')
    record = logging.LogRecord("x", logging.ERROR, "", 0, "Error in group render", None, None)
    record.aux_logs = [f"{here}/.snakemake/slurm_logs/group_render/7.log"]
    record.groupid = "render"
    slurm_jobs.Reasons().emit(record)
    assert "job 7 (render)" in capfd.readouterr().err


def test_other_errors_and_forgotten_jobs_say_nothing(here, capfd):
    command(here, "scontrol", "exit 1")
    plain = logging.LogRecord("x", logging.ERROR, "", 0, "Error", None, None)
    slurm_jobs.Reasons().emit(plain)
    plain.aux_logs = ["logs/tiny/train.log"]
    slurm_jobs.Reasons().emit(plain)
    plain.aux_logs = ["slurm_logs/8.log"]
    slurm_jobs.Reasons().emit(plain)
    assert capfd.readouterr().err == ""
