"""kill -9 in training, in rendering and of Snakemake itself: nothing made is lost."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from workspace import EXPERIMENT_FILE, RECIPE_FILE, Workspace

pytestmark = pytest.mark.workflow

STEPS = 150
ADAPTER = "results/tiny/both/run-1/lora.safetensors"
PICTURES = "results/tiny/BASE/run-1/images/solo.json"


def checkpoints(workspace: Workspace) -> list[Path]:
    return list((workspace.root / "resources/training").rglob("step-*.pt"))


def long_training(workspace: Workspace) -> None:
    workspace.replace(RECIPE_FILE, "steps: 3", f"steps: {STEPS}")


def steps_written(workspace: Workspace) -> list[int]:
    with open(workspace.root / "results/tiny/both/run-1/training.csv", newline="") as file:
        return [int(row["step"]) for row in csv.DictReader(file)]


def test_training_killed(workspace: Workspace):
    long_training(workspace)
    snakemake = workspace.start(ADAPTER)
    workspace.kill("train", lambda: bool(checkpoints(workspace)))
    assert snakemake.wait(120) != 0
    workspace.run(ADAPTER)
    assert "continuing after step" in workspace.log("tiny/train/both.run-1")
    assert steps_written(workspace) == list(range(1, STEPS + 1))
    assert not checkpoints(workspace)


@pytest.mark.long
def test_rendering_killed(workspace: Workspace):
    seeds = 200
    workspace.replace(EXPERIMENT_FILE, "seeds: [1, 2]", f"seeds: {seeds}")
    store = workspace.root / "resources/store/images"

    def stored():  # killed in the midst of writing, it leaves a file under another name
        return len(list(store.rglob("[0-9a-f]*.png")))

    before = stored()
    snakemake = workspace.start(PICTURES)
    workspace.kill("render", lambda: stored() > before + 4)
    assert snakemake.wait(120) != 0
    drawn = stored() - before
    assert 0 < drawn < seeds - 2
    workspace.run(PICTURES)
    log = workspace.log("tiny/render/BASE.run-1.solo")
    assert f"{seeds} pictures, {drawn + 2} in the store" in log
    rows = json.loads((workspace.root / PICTURES).read_text(encoding="utf-8"))["images"]
    assert [row["seed"] for row in rows] == list(range(1, seeds + 1))
    assert all((workspace.root / row["path"]).exists() for row in rows)


@pytest.mark.long
def test_snakemake_killed(workspace: Workspace):
    long_training(workspace)
    snakemake = workspace.start(ADAPTER)
    while not checkpoints(workspace):
        assert snakemake.poll() is None, (workspace.root / "started.log").read_text()
    snakemake.kill()
    snakemake.wait(30)
    message = workspace.run(ADAPTER, fails=True)
    assert "`snakemake --unlock`, then run again" in message and "LockException" not in message
    assert "note: this folder is locked: " in workspace.run("-n", ADAPTER)
    workspace.run("--unlock")
    workspace.run(ADAPTER)
    assert steps_written(workspace) == list(range(1, STEPS + 1))
    # The training that outlived its Snakemake may still be on its way out.
    orphan = workspace.process("train")
    assert orphan is None or orphan.wait(60) in (0, None)
    assert workspace.process("train") is None
    assert workspace.jobs(ADAPTER) == []
