"""A real Slurm on this machine: jobs do what was submitted, and nothing that ends them costs more
than the steps since the last checkpoint. Twelve minutes, most of them waiting for Slurm."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import slurm_cluster
from slurm_cluster import Cluster
from slurm_workspace import OnSlurm
from workspace import EXPERIMENT_FILE, RECIPE_FILE, Workspace, copy

from kindred.common.files import read_json

WHY_NOT = slurm_cluster.missing()
pytestmark = [
    pytest.mark.workflow,
    pytest.mark.slurm,
    pytest.mark.long,
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT),
]
NO_LOCKS = """

def _without(*_):
    raise OSError(errno.ENOSYS, "Function not implemented")


fcntl.flock = _without
"""
DECLARED = "results/tiny/declared.json"
SLOWLY = """

_note = TrainingLog.note


def _slowly(self, *facts, **more):
    __import__("time").sleep(0.2)
    return _note(self, *facts, **more)


TrainingLog.note = _slowly
"""
GROWS_MIB = 2500  # a tiny training needs about a third of it, with Snakemake
ASKED_MIB = 2200  # in vain; twice as much is enough
GROWS = """

_note = TrainingLog.note
_grown = []


def _grows(self, *facts, **more):
    if more["step"] > {after}:
        _grown.append(b"x" * ({mib} << 20)) if not _grown else None
        __import__("time").sleep(0.2)
    return _note(self, *facts, **more)


TrainingLog.note = _grows
"""
STEPS, EVERY = 300, 10  # a minute and more, and how often a checkpoint is written
EVENTS = ("requeued", "cancelled", "lost", "timed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with slurm_cluster.running() as found:
        yield found


def files_of(root: Path, *names: str) -> dict[str, bytes]:
    """Results by their path that must be the same wherever they are made."""
    found = [path for name in names for path in (root / "results").rglob(name)]
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


def test_a_held_queue_an_edited_configuration_and_a_disk_without_locks(
    cluster: Cluster, started: Workspace, built_judged: Workspace, tmp_path: Path
):
    place = copy(started, tmp_path / "kindred")
    for folder in ("config", "judge"):
        shutil.copytree(built_judged.root / folder, place.root / folder, dirs_exist_ok=True)
    shutil.rmtree(place.root / "config/declared", ignore_errors=True)
    path = place.root / "scripts/kindred/common/file_lock.py"
    path.write_text(path.read_text(encoding="utf-8") + NO_LOCKS, encoding="utf-8")
    here = OnSlurm.prepare(place, cluster)

    cluster.hold()
    running = here.start()
    cluster.wait(lambda: here.jobs(state="pending"))
    place.replace(RECIPE_FILE, "steps: 3", "steps: 4")
    place.replace(EXPERIMENT_FILE, "seeds: [1, 2]", "seeds: [1, 2, 3]")
    place.replace(EXPERIMENT_FILE, "J: headshot of {J}", "J: a drawing of {J}")
    (place.root / "config/experiments/other.yaml").write_text("broken: [", encoding="utf-8")
    cluster.release()
    assert running.wait(300) == 0, here.said

    same = ("lora.safetensors", "scores/*.csv", "images/*.json", "spec.json")
    made = files_of(place.root, *same)
    assert made == files_of(built_judged.root, *same) and len(made) > 8
    declared = [read_json(one.root / DECLARED)["hash"] for one in (place, built_judged)]
    assert declared[0] == declared[1]
    assert "does not support locks" in place.log("tiny/train/both.run-1")
    (place.root / "config/experiments/other.yaml").unlink()
    assert "tiny: training both, run 1" in place.jobs()
    place.replace(RECIPE_FILE, "steps: 4", "steps: 3")
    place.replace(EXPERIMENT_FILE, "seeds: [1, 2, 3]", "seeds: [1, 2]")
    place.replace(EXPERIMENT_FILE, "J: a drawing of {J}", "J: headshot of {J}")
    assert place.jobs() == []


def slowed(place: Workspace) -> None:
    """Each step takes a while, so that there is time to end a training in its midst."""
    path = place.root / "scripts/kindred/training/training_log.py"
    path.write_text(path.read_text(encoding="utf-8") + SLOWLY, encoding="utf-8")


def in_midst(here: OnSlurm, name: str) -> dict[str, str]:
    """The job that trains a variant and has written a checkpoint."""
    log = here.place.root / f"logs/tiny/train/{name}.run-1.log"

    def found() -> dict[str, str]:
        jobs = [job for job in here.jobs("train", "running") if f"_{name}_" in job["comment"]]
        step = re.findall(r"(\d+)/\d+ step", log.read_text()) if log.exists() else []
        return jobs[0] if jobs and step and int(step[-1]) > EVERY else {}

    return here.cluster.wait(found)


def steps_written(place: Workspace, name: str) -> list[int]:
    with open(place.root / f"results/tiny/{name}/run-1/training.csv", newline="") as file:
        return [int(row["step"]) for row in csv.DictReader(file)]


def test_trainings_that_are_ended_in_every_way_come_out_the_same(
    cluster: Cluster, started: Workspace, tmp_path: Path
):
    place = copy(started, tmp_path / "kindred")
    place.replace(RECIPE_FILE, "steps: 3", f"steps: {STEPS}")
    variants = "".join(f"  {name}: {{lr: {n}e-4}}\n" for n, name in enumerate(EVENTS, start=2))
    place.replace(EXPERIMENT_FILE, "  both: {}\n  only-J: {characters: [J]}\n", variants)
    adapters = [f"results/tiny/{name}/run-1/lora.safetensors" for name in EVENTS]
    alone = copy(place, tmp_path / "alone")
    slowed(place)
    here = OnSlurm.prepare(place, cluster)
    running = here.start(*adapters)
    cluster.told("scontrol", "update", f"jobid={in_midst(here, 'timed')['id']}", "timelimit=1")
    cluster.told("scontrol", "requeue", in_midst(here, "requeued")["id"])
    cluster.told("scancel", in_midst(here, "cancelled")["id"])
    cluster.lose(in_midst(here, "lost")["node"])  # the last: others may be on it too
    assert running.wait(900) == 0, here.said

    assert re.search(r"^error: job \d+ \(train\): .*. Raise runtime of train", here.said, re.M)
    alone.run(*adapters)
    assert files_of(place.root, "lora.safetensors") == files_of(alone.root, "lora.safetensors")
    for name in EVENTS:
        assert steps_written(place, name) == list(range(1, STEPS + 1))
        log = place.log(f"tiny/train/{name}.run-1")
        # A job may be ended, or started twice, after its training was stored: the last one copies.
        kept = ("continuing after step", "already trained")
        assert any(words in log for words in kept), (name, log)


def test_jobs_of_a_killed_snakemake_are_told_and_waited_for(
    cluster: Cluster, started: Workspace, tmp_path: Path
):
    place = copy(started, tmp_path / "kindred")
    place.replace(RECIPE_FILE, "steps: 3", f"steps: {STEPS // 3}")
    adapter = "results/tiny/both/run-1/lora.safetensors"
    slowed(place)
    here = OnSlurm.prepare(place, cluster)
    running = here.start(adapter)
    number = in_midst(here, "both")["id"]
    running.kill()
    running.wait()
    told = f"1 job of an earlier run is still with Slurm: {number} (train tiny_both_1, running: k"
    locked = here.run(adapter, fails=True)
    assert told in locked and "--unlock" in locked
    here.run("--unlock")
    assert here.run(adapter, fails=True).count(f"error: {told}") == 1
    here.run(adapter, KINDRED_JOBS_LEFT="wait")
    assert next(job["id"] for job in here.jobs("train") if job["state"] == "COMPLETED") == number
    assert "already trained" in place.log("tiny/train/both.run-1"), "by the job that was left"
    assert place.jobs(adapter) == []


@pytest.mark.parametrize("memory", ["cgroup", "polling"])
def test_a_training_that_goes_over_its_memory_is_told_of_and_gets_more(
    memory: str, started: Workspace, tmp_path: Path
):
    if why_not := slurm_cluster.unwatched(memory):
        pytest.skip(why_not)
    place = copy(started, tmp_path / "kindred")
    place.replace(RECIPE_FILE, "steps: 3", f"steps: {3 * EVERY}")
    adapter = "results/tiny/both/run-1/lora.safetensors"
    place.run("--omit-from", "train", adapter)
    alone = copy(place, tmp_path / "alone")
    alone.run(adapter)
    path = place.root / "scripts/kindred/training/training_log.py"
    grows = GROWS.format(after=EVERY + 1, mib=GROWS_MIB)
    path.write_text(path.read_text(encoding="utf-8") + grows, encoding="utf-8")
    with slurm_cluster.running(memory) as cluster:
        here = OnSlurm.prepare(place, cluster, as_jobs=True)
        said = here.run(adapter, "--set-resources", f"train:mem_mb={ASKED_MIB} * attempt")
        trainings = here.jobs("train")

    assert [(job["state"], job["memory"]) for job in trainings] == [
        ("FAILED", f"{ASKED_MIB}M"),
        ("COMPLETED", f"{2 * ASKED_MIB}M"),
    ]
    number = trainings[0]["id"]
    needed = f"job {number} (train): it needed more memory than {ASKED_MIB}M"
    assert said.count(f"error: {needed}. Raise mem_mb of train in profiles/slurm/") == 1
    assert f"continuing after step {EVERY}" in place.log("tiny/train/both.run-1")
    assert files_of(place.root, "lora.safetensors") == files_of(alone.root, "lora.safetensors")
