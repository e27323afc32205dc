"""A variant that draws with reference pictures: its jobs and no training, on real Snakemake."""

from __future__ import annotations

import json

import pytest
import tiny_klein
from PIL import Image
from workspace import EXPERIMENT_FILE, Workspace

from kindred.common.files import read_json
from kindred.rendering.manifest import read_manifest

pytestmark = pytest.mark.workflow

PLANNED = [
    "tiny: encoding the prompts of solo for klein",
    "tiny: page for ratings",
    "tiny: sheet of solo by BASE-klein",
    "tiny: sheet of solo by all variants",
    "tiny: sheet of solo by shown",
    "tiny: solo by BASE-klein, run 1",
    "tiny: solo by shown, run 1",
]


def add(workspace: Workspace, before: str = "prompt_sets:") -> None:
    """A base that reads reference pictures, and a variant that is shown one photo of J."""
    tiny_klein.build(workspace.root / "klein")
    base = "model: klein\ndtype: float32\ntext_tokens: 48\n"
    (workspace.root / "config/bases/klein.yaml").write_text(base)
    line = "  shown: {references: {J: 1}, base: klein}\n"
    workspace.replace(EXPERIMENT_FILE, before, line + before)


def test_its_jobs_are_planned_and_nothing_is_trained(workspace: Workspace):
    add(workspace)
    assert workspace.jobs() == PLANNED


@pytest.mark.long
def test_it_is_drawn_judged_and_reported_beside_loras(judged: Workspace):
    before = str(read_json(judged.root / "results/tiny/references.json")["characters"]["J"])
    add(judged, "judge: tiny\n")
    planned = judged.jobs()
    assert "tiny: scores of solo by shown, run 1" in planned
    assert "tiny: reference photos of everybody" in planned
    assert not [job for job in planned if "training " in job and "curves" not in job]
    judged.run("drawn_together")
    judged.run()
    assert judged.jobs() == []
    results = judged.root / "results/tiny"
    summary = json.loads((results / "shown/together/rendered.json").read_text())
    assert summary["drawn"] == 2
    assert "2 pictures, 2 in the store" in judged.log("tiny/render/shown.run-1.solo")
    drawn = read_manifest(results / "shown/run-1/images/solo.json")
    plain = read_manifest(results / "BASE-klein/run-1/images/solo.json")
    assert {row.key for row in drawn.rows}.isdisjoint(row.key for row in plain.rows)
    header = Image.open(judged.root / drawn.rows[0].path).info
    rows = read_json(judged.root / "resources/ours/images.json")
    (named,) = [row for row in rows if any(row["pixel_hash"] in str(x) for x in header.values())]
    # The judge knows J by the other photo, whoever draws.
    known = str(read_json(results / "references.json")["characters"]["J"])
    photos = {"ours/J-01", "ours/J-02"}
    assert {name for name in photos if name in before} == photos
    assert {name for name in photos if name in known} == photos - {f"ours/{named['image_id']}"}
    told = json.loads((results / "summary.json").read_text())["variants"]["shown"]
    assert (told["kind"], told["references"], told["control"]) == ("references", {"J": 1}, "")
    page = (results / "report.html").read_text()
    assert "the base with reference pictures, nothing trained: 1 photo of JRussell" in page
