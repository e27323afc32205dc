"""An adapter trained elsewhere as a variant: its jobs and no others, on real Snakemake."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time

import pytest
from workspace import EXPERIMENT_FILE, Workspace

pytestmark = pytest.mark.workflow

THEIRS = [
    "tiny: page for ratings",
    "tiny: sheet of solo by all variants",
    "tiny: sheet of solo by theirs",
    "tiny: solo by theirs, run 1",
]


def export(workspace: Workspace, variant: str) -> None:
    """Put a trained variant's adapter into theirs.safetensors, in kohya's layout."""
    adapter = f"results/tiny/{variant}/run-1/lora.safetensors"
    command = [sys.executable, "scripts/export_lora.py", "--adapter", adapter]
    command += ["--format", "kohya", "--out", "loras/theirs.safetensors"]
    subprocess.run(command, cwd=workspace.root, check=True)


def add(workspace: Workspace, variant: str) -> None:
    workspace.replace(EXPERIMENT_FILE, "prompt_sets:", f"  theirs: {variant}\nprompt_sets:")


@pytest.mark.long
def test_it_is_rendered_and_nothing_else_is_stale(workspace: Workspace):
    export(workspace, "both")
    add(workspace, "{adapter: loras/theirs.safetensors, weight: 1.0}")
    assert workspace.jobs() == THEIRS
    workspace.run()
    assert workspace.jobs() == []
    folder = workspace.root / "results/tiny/theirs"
    assert sorted(path.name for path in folder.iterdir()) == ["run-1", "sheets"]
    assert [path.name for path in (folder / "run-1").iterdir()] == ["images"]

    file = workspace.root / "loras/theirs.safetensors"
    later = time.time() + 60
    os.utime(file, (later, later))
    assert workspace.jobs() == []

    before = (folder / "run-1/images/solo.json").read_bytes()
    export(workspace, "only-J")
    assert workspace.jobs() == THEIRS
    workspace.run("results/tiny/theirs/run-1/images/solo.json")
    assert (folder / "run-1/images/solo.json").read_bytes() != before
    assert "2 pictures, 0 in the store, 2 drawn" in workspace.log("tiny/render/theirs.run-1.solo")


def test_a_file_among_the_results_of_an_experiment_that_is_not_configured(workspace: Workspace):
    other = workspace.root / "config/experiments/other.yaml"
    theirs = "{adapter: results/tiny/both/run-1/lora.safetensors}"
    shutil.copy(workspace.root / EXPERIMENT_FILE, other)
    workspace.replace(str(other), "prompt_sets:", f"  theirs: {theirs}\nprompt_sets:")
    target = "results/other/theirs/run-1/images/solo.json"
    planned = workspace.jobs(target, "--config", "experiments=other")
    assert "other: solo by theirs, run 1" in planned
    assert not [job for job in planned if "training" in job or job.startswith("tiny: ")]


def test_a_file_that_is_not_there_or_no_lora(workspace: Workspace):
    add(
        workspace,
        "{adapter: [loras/gone.safetensors, base/vae/diffusion_pytorch_model.safetensors]}",
    )
    output = workspace.run("-n", fails=True)
    assert "Traceback" not in output
    assert "'loras/gone.safetensors' does not exist. Correct the path" in output
    assert (
        "diffusion_pytorch_model.safetensors' contains no LoRA weights. Give a LoRA file" in output
    )


@pytest.mark.long
def test_it_is_judged_beside_our_own(judged: Workspace):
    export(judged, "both")
    asked = "{claim: x, variant: theirs, against: both, measure: count, prompt_set: solo}"
    judged.replace(EXPERIMENT_FILE, "hypotheses:\n", f"hypotheses:\n  h: {asked}\n")
    loads = "  theirs: {adapter: loras/theirs.safetensors}\n"
    judged.replace(EXPERIMENT_FILE, "judge: tiny\n", f"{loads}judge: tiny\n")
    planned = judged.jobs()
    assert "tiny: scores of solo by theirs, run 1" in planned
    assert not [job for job in planned if "training " in job and "curves" not in job]
    judged.run()
    results = judged.root / "results/tiny"
    verdict = json.loads((results / "verdicts.json").read_text())["hypotheses"]["h"]
    assert verdict["label"] == "one training"
    assert "theirs" in (results / "report.html").read_text()
    assert judged.jobs() == []
