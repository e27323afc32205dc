"""Jobs that are sent to other machines: an executor that stands for a cluster's queue."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import workspace
from workspace import Workspace

pytestmark = pytest.mark.workflow
QUEUE = Path(__file__).parents[1] / "support" / "queue"


def sent(place: Workspace, *arguments: str, fails: bool = False) -> str:
    """What Snakemake printed whose jobs go elsewhere; without `cores`, as on a cluster."""
    command = [sys.executable, "-m", "snakemake", *arguments, "--executor", "elsewhere"]
    paths = os.pathsep.join([str(QUEUE), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [*command, "--jobs", "2", "--seconds-between-status-checks", "1"],
        cwd=place.root,
        env=workspace.environment() | {"PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=workspace.TIMEOUT_S,
    )
    assert (done.returncode != 0) == fails, done.stdout
    return done.stdout


def submitted(place: Workspace) -> list[dict]:
    path = place.root / "submitted.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_auto_and_sharing_a_gpu_are_refused_before_anything_is_sent(fresh: Workspace):
    output = sent(
        fresh,
        "results/tiny/both/spec.json",
        "--config",
        "device={kind: auto, jobs_per_gpu: 4, device_map: true}",
        fails=True,
    )
    problems = re.findall(r"^  - config/config.yaml, device\.(\w+): .*. ", output, re.M)
    assert problems == ["kind", "jobs_per_gpu", "device_map"], output
    assert "Traceback" not in output and submitted(fresh) == []


@pytest.mark.long
def test_the_profile_of_slurm_says_what_each_job_asks_for(fresh: Workspace):
    """All but the queue's own options, which the stand-in does not have."""
    path = fresh.root / "profiles/slurm/config.yaml"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("slurm-")))
    output = sent(
        fresh,
        "resources/ours/captions.jsonl",
        "results/tiny/both/spec.json",
        *("--workflow-profile", "profiles/slurm"),
    )
    jobs = submitted(fresh)
    rules = sorted(rule for job in jobs for rule in job["rules"])
    assert rules == ["caption", "preprocess"] and len(jobs) == 1, output
    asked = jobs[0]["resources"]
    assert (asked["mem_mb"], asked["nodes"]) == (8000, 1) and asked["runtime"] >= 30, asked
    assert (fresh.root / "results/tiny/both/spec.json").exists(), "a local job"


@pytest.mark.long
def test_a_node_is_looked_at(fresh: Workspace):
    output = sent(fresh, "check_cluster")
    assert re.search(r"^\S+: disk, locks, clock .* fit; 0 GPUs$", output, re.M), output
    assert not (fresh.root / "resources/cluster/any.txt").exists(), "looked at anew each time"
