"""A job does what was submitted: configuration and code are edited while jobs wait."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import workspace as support
from waiting import until
from workspace import RECIPE_FILE, Workspace, copy_repository

from kindred.common.errors import message
from kindred.common.files import read_json
from kindred.common.planned_code import CHANGED, CURE
from kindred.workflow import frozen_plan

pytestmark = pytest.mark.workflow
BOTH, ONLY = ("results/tiny/both/spec.json", "results/tiny/only-J/spec.json")
HELD = Path(support.__file__).parent / "held"


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    """The workflow with an experiment whose settings can be written down, and no more: neither a
    base nor photos."""
    workspace = copy_repository(tmp_path / "kindred")
    (workspace.root / "photos").mkdir()
    for file, text in (
        ("config/config.yaml", support.CONFIG),
        ("config/bases/tiny.yaml", support.BASE),
        (RECIPE_FILE, support.RECIPE),
        (support.EXPERIMENT_FILE, support.EXPERIMENT),
    ):
        (workspace.root / file).write_text(text, encoding="utf-8")
    # A small job, which runs where Snakemake waits, stands for one in the queue.
    workspace.replace("rules/train.smk", "    resolve,\n", "")
    return workspace


def submit(workspace: Workspace, *arguments: str) -> subprocess.Popen:
    """Start Snakemake on the cluster that stands still; back when the job is in its queue."""
    soon = ("--seconds-between-status-checks", "1")  # a real queue is asked every ten seconds
    command = workspace.command("--executor", "held", "--jobs", "1", *soon, *arguments)
    environment = support.environment()
    paths = [str(HELD), environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    with open(workspace.root / "started.log", "wb") as log:
        running = subprocess.Popen(
            command, cwd=workspace.root, env=environment, stdout=log, stderr=subprocess.STDOUT
        )

    def submitted() -> bool:
        assert running.poll() is None, said(workspace)
        return (workspace.root / "submitted").exists()

    until(submitted)
    return running


def release(workspace: Workspace, running: subprocess.Popen) -> int:
    """Let the queue go; Snakemake's exit status."""
    (workspace.root / "release").touch()
    return running.wait(300)


def said(workspace: Workspace) -> str:
    return (workspace.root / "started.log").read_text(encoding="utf-8")


def steps(workspace: Workspace, file: str) -> int:
    return read_json(workspace.root / file)["recipe"]["steps"]


def test_configuration_edited_while_a_job_waits_changes_nothing_of_it(workspace):
    running = submit(workspace, BOTH)
    workspace.replace(RECIPE_FILE, "steps: 3", "steps: 4")
    (workspace.root / "config/experiments/other.yaml").write_text("broken: [", encoding="utf-8")
    assert release(workspace, running) == 0, said(workspace)
    assert steps(workspace, BOTH) == 3
    (plan,) = (workspace.root / frozen_plan.PLANS).iterdir()
    assert "steps: 3" in (plan / "config/recipes/tiny.yaml").read_text(encoding="utf-8")
    # What Snakemake wrote down is what was done: the edit is seen, and taken back it is gone.
    assert workspace.jobs(BOTH) == ["tiny: settings of both"]
    assert "execution: recipe: steps 3 → 4\n" in workspace.run(BOTH, "-n", "-q", "host")
    workspace.replace(RECIPE_FILE, "steps: 4", "steps: 3")
    assert workspace.jobs(BOTH) == []


def test_code_edited_while_a_job_waits_ends_it_with_one_sentence(workspace):
    running = submit(workspace, BOTH)
    workspace.replace("scripts/write_spec.py", "def main(", "# edited\n\n\ndef main(")
    assert release(workspace, running) == 1
    assert f"error: {message('', CHANGED, CURE)}" in said(workspace)
    assert "Traceback" not in said(workspace)
    assert not (workspace.root / BOTH).exists()


def editing(workspace: Workspace, edit: str) -> None:
    """Whichever job runs first makes this edit at its end."""
    workspace.replace(
        "scripts/write_spec.py",
        "    return 0\n",
        f"    if not Path('edited').exists():\n        Path('edited').touch()\n        {edit}\n"
        "    return 0\n",
    )


def test_configuration_edited_while_a_local_run_goes_on_changes_nothing_of_it(workspace):
    recipe = f"Path('{RECIPE_FILE}')"
    editing(workspace, f"{recipe}.write_text({recipe}.read_text().replace('steps: 3', 'steps: 4'))")
    workspace.run("--jobs", "1", BOTH, ONLY)
    assert (steps(workspace, BOTH), steps(workspace, ONLY)) == (3, 3)
    assert workspace.jobs(BOTH, ONLY) == ["tiny: settings of both", "tiny: settings of only-J"]


def test_code_edited_while_a_local_run_goes_on_ends_the_jobs_after_it(workspace):
    editing(workspace, "Path('scripts/audit.py').write_text('')")
    output = workspace.run("--jobs", "1", BOTH, ONLY, fails=True)
    made = [file for file in (BOTH, ONLY) if (workspace.root / file).exists()]
    assert len(made) == 1
    assert output.count(f"error: {message('', CHANGED, CURE)}") >= 1 and "Traceback" not in output


def test_a_program_started_by_hand_is_not_checked(workspace):
    workspace.replace("scripts/write_spec.py", "def main(", "# edited\n\n\ndef main(")
    spec = '{"base": {"model": "base"}, "recipe": {}, "characters": {}, "dataset": "ours"}'
    command = [sys.executable, "scripts/write_spec.py", "--spec", spec, "--out", "spec.json"]
    done = subprocess.run(command, cwd=workspace.root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
