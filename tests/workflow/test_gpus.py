"""Device settings: how many jobs meet on a GPU, and what jobs are told of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from workspace import Workspace

pytestmark = pytest.mark.workflow
CUDA = "device={kind: cuda, threads: 1"
# What was planned, and by which code, whatever the device.
OF_EVERY_JOB = (
    "KINDRED_PLANNED_CODE=",
    "KINDRED_FROZEN_PLAN=",
    "KINDRED_CODE_REVISION=",
    "KINDRED_DECLARED=",
)
# Takes what every rule with a GPU takes, and says what every program can read.
RULE = """

rule told:
    resources: gpu=GPUS_EACH
    shell: "env | grep ^KINDRED || true"
"""


@pytest.fixture(scope="module")
def telling(fresh: Workspace) -> Workspace:
    rule = Path(fresh.root / "rules/report.smk")
    rule.write_text(rule.read_text(encoding="utf-8") + RULE, encoding="utf-8")
    return fresh


def told(workspace: Workspace, *arguments: str) -> tuple[int, int, set[str]]:
    """(GPU slots of the machine, slots of a job, lines of its environment)."""
    output = workspace.run("told", *arguments)
    provided = re.search(r"Provided resources: .*gpu\D+(\d+)", output)
    taken = re.search(r"resources: .*\bgpu=(\d+)", output)
    assert provided and taken, output
    lines = re.findall(r"^KINDRED_\w+=.*$", output, re.M)
    said = {line for line in lines if not line.startswith(OF_EVERY_JOB)}
    return int(provided[1]), int(taken[1]), said


def test_nothing_is_said_where_nothing_is_set(telling: Workspace):
    assert told(telling, "--config", CUDA + "}") == (1, 1, set())


def test_jobs_share_a_gpu(telling: Workspace):
    config = ("--config", CUDA + ", jobs_per_gpu: 3}", "experiments=tiny")
    several = told(telling, *config, "--resources", "gpu=2")
    # And what Snakemake was asked for, so that a job's messages name it.
    assert several == (6, 1, {"KINDRED_JOBS_PER_GPU=3", "KINDRED_EXPERIMENTS=tiny"})


@pytest.mark.parametrize(
    ("split", "said"), [("true", "yes"), ("[12, 24]", "12.0,24.0"), ("false", "")]
)
def test_a_split_takes_all_gpus(telling: Workspace, split: str, said: str):
    found = told(telling, "--config", CUDA + f", device_map: {split}}}", "--resources", "gpu=2")
    assert found == (2, 2 if said else 1, {f"KINDRED_DEVICE_MAP={said}"} if said else set())


def test_a_split_needs_two_sizes(telling: Workspace):
    output = telling.run("-n", "--config", CUDA + ", device_map: [12]}", fails=True)
    assert "device.device_map" in output and "Traceback" not in output
