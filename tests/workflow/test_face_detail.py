"""A variant whose faces are drawn again: its jobs and no others, on real Snakemake."""

from __future__ import annotations

import json

import pytest
from workspace import EXPERIMENT_FILE, Workspace

from kindred.rendering.manifest import read_manifest

pytestmark = pytest.mark.workflow
ADDED = [
    "tiny: encoding the prompts of solo~faces for tiny",
    "tiny: faces of solo by fine, run 1",
    "tiny: figures and verdicts",
    "tiny: hypotheses",
    "tiny: page for ratings",
    "tiny: report",
    "tiny: scores of solo by fine, run 1",
    "tiny: sheet of solo by all variants",
    "tiny: sheet of solo by fine",
]


def add(workspace: Workspace) -> None:
    """A variant whose faces are drawn again."""
    variant = "  fine: {from: both, face_detail: {strength: 0.5, size: 64}}\njudge: tiny\n"
    workspace.replace(EXPERIMENT_FILE, "judge: tiny\n", variant)


@pytest.mark.long
def test_it_adds_these_jobs_and_what_is_finished_stays(judged: Workspace):
    add(judged)
    results = judged.root / "results/tiny"
    kept = {
        file: file.read_bytes()
        for file in (results / "both/run-1").rglob("*")
        if file.is_file() and file.suffix in (".json", ".csv", ".safetensors")
    }
    assert judged.jobs() == ADDED
    judged.run()
    assert judged.jobs() == []
    assert {file: file.read_bytes() for file in kept} == kept
    before = read_manifest(results / "both/run-1/images/solo.json")
    after = read_manifest(results / "fine/run-1/images/solo.json")
    assert [row.name for row in after.rows] == [row.name for row in before.rows]
    assert {row.key for row in after.rows}.isdisjoint(row.key for row in before.rows)
    told = json.loads((results / "summary.json").read_text())["variants"]["fine"]
    assert (told["kind"], told["detail_of"], told["control"]) == ("loaded", "both", "")
    assert "the pictures of “both”, each face drawn again" in (results / "report.html").read_text()


@pytest.mark.long
def test_another_strength_or_a_lost_picture_draws_again_and_nothing_before_it(judged: Workspace):
    add(judged)
    judged.run()
    judged.replace(EXPERIMENT_FILE, "strength: 0.5", "strength: 0.25")
    assert judged.jobs() == [job for job in ADDED if "encoding" not in job]
    judged.replace(EXPERIMENT_FILE, "strength: 0.25", "strength: 0.5")
    listed = read_manifest(judged.root / "results/tiny/fine/run-1/images/solo.json")
    (judged.root / listed.rows[0].path).unlink()
    judged.run()
    assert "1 drawn" in judged.log("tiny/face_detail/fine.run-1.solo")
    assert judged.jobs() == []
