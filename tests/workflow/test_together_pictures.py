"""All pictures and all scores of a variant in one job: what is asked for, and what is then left."""

from __future__ import annotations

import json
import shutil

import pytest
import tiny_judge
from workspace import EXPERIMENT_FILE, Workspace

# Daily tests of its parts are named in tests/README.md.
pytestmark = [pytest.mark.workflow, pytest.mark.long]

VARIANTS = ["BASE", "both", "only-J"]
DRAWN = [f"tiny: all pictures by {name}" for name in VARIANTS]
SCORED = [f"tiny: all scores of {name}" for name in VARIANTS]


def pictures(workspace: Workspace) -> dict[str, bytes]:
    """Every stored picture by its path in the store."""
    store = workspace.root / "resources/store/images"
    return {str(p.relative_to(store)): p.read_bytes() for p in store.rglob("*.png")}


def test_pictures_drawn_and_scored_together_leave_nothing_to_the_single_jobs(workspace: Workspace):
    assert workspace.jobs() == []
    assert workspace.jobs("drawn_together") == DRAWN
    assert workspace.jobs("scored_together") == []  # without a judge

    before = pictures(workspace)
    shutil.rmtree(workspace.root / "resources/store/images")
    for name in VARIANTS:
        (workspace.root / f"results/tiny/{name}/run-1/images/solo.json").unlink()
    workspace.run("drawn_together")
    assert pictures(workspace) == before
    done = json.loads((workspace.root / "results/tiny/both/together/rendered.json").read_text())
    assert (done["drawn"], done["failed"]) == (2, [])
    assert workspace.jobs("drawn_together") == []
    workspace.run()
    assert "2 in the store, 0 drawn" in workspace.log("tiny/render/both.run-1.solo")

    tiny_judge.build(workspace.root / "judge")
    folder = workspace.root / "config/judges"
    folder.mkdir(exist_ok=True)
    (folder / "tiny.yaml").write_text("kind: lab\nmodel: judge\n")
    workspace.replace(EXPERIMENT_FILE, "prompt_sets:\n", "judge: tiny\nprompt_sets:\n")
    assert workspace.jobs("scored_together") == sorted(
        ["tiny: reference photos of everybody", "tiny: vectors of ours", *SCORED]
    )
    workspace.run("scored_together")
    assert not any("all scores" in job for job in workspace.jobs())
    workspace.run()
    for name in VARIANTS:
        assert "already scored" in workspace.log(f"tiny/score/{name}.run-1.solo")
    assert workspace.jobs() == workspace.jobs("drawn_together", "scored_together") == []
