"""A variant that is drawn on another base than it was trained on: its jobs and no others."""

from __future__ import annotations

import json

import pytest
import tiny_base
from workspace import EXPERIMENT_FILE, Workspace

from kindred.rendering.manifest import read_manifest

pytestmark = pytest.mark.workflow

PLANNED = [
    "tiny: encoding the prompts of solo for quick",
    "tiny: page for ratings",
    "tiny: photos of ours beside renderings",
    "tiny: settings of fast",
    "tiny: sheet of solo by BASE-on-quick",
    "tiny: sheet of solo by all variants",
    "tiny: sheet of solo by fast",
    "tiny: solo by BASE-on-quick, run 1",
    "tiny: solo by fast, run 1",
    "tiny: training curves",
    "tiny: training fast, run 1",
]


def add(workspace: Workspace) -> None:
    """A fast sibling of the base, and a variant that is drawn on it."""
    tiny_base.build(workspace.root / "base-quick", seed=7)
    bases = workspace.root / "config/bases"
    quick = "model: base-quick\ndtype: float32\ntext_tokens: 48\ndrawing_defaults: {steps: 1}\n"
    (bases / "quick.yaml").write_text(quick)
    own = (bases / "tiny.yaml").read_text()
    (bases / "tiny.yaml").write_text(own + "fast_sibling: quick\n")
    fast = "  fast: {from: both, draw_on: fast_sibling}\nprompt_sets:"
    workspace.replace(EXPERIMENT_FILE, "prompt_sets:", fast)


def test_its_jobs_are_planned_and_nothing_else_is_stale(workspace: Workspace):
    add(workspace)
    assert workspace.jobs() == PLANNED
    assert (
        workspace.jobs("drawn_together")
        == [
            f"tiny: all pictures by {name}"
            for name in ("BASE", "BASE-on-quick", "both", "fast", "only-J")
        ]
        + PLANNED[:1]
        + PLANNED[3:4]
        + PLANNED[-1:]
    )


@pytest.mark.long
def test_it_is_trained_once_and_drawn_on_the_sibling_in_its_steps(workspace: Workspace):
    add(workspace)
    workspace.run()
    assert workspace.jobs() == []
    drawn = {}
    for name in ("both", "fast", "BASE", "BASE-on-quick"):
        file = workspace.root / f"results/tiny/{name}/run-1/images/solo.json"
        settings = read_manifest(file).settings
        drawn[name] = settings["base"].split("@")[0], settings["steps"]
    slow = ("base", 2)
    assert drawn == {
        "both": slow,
        "fast": ("base-quick", 1),
        "BASE": slow,
        "BASE-on-quick": ("base-quick", 1),
    }
    assert "already trained" in workspace.log("tiny/train/fast.run-1")
    workspace.run("drawn_together")
    summary = workspace.root / "results/tiny/fast/together/rendered.json"
    assert json.loads(summary.read_text())["drawn"] == 0
