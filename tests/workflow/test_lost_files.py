"""What results/ refers to in resources/ may be deleted and is made again, and nothing besides."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from workspace import EXPERIMENT_FILE, Workspace, copy

pytestmark = pytest.mark.workflow

LIST = "results/tiny/both/run-1/images/solo.json"
SHOWN = ["page for ratings", "photos of ours beside renderings", "sheet of solo by all variants"]
VARIANTS = ["BASE", "both", "only-J"]


def jobs_after(*drawn: str) -> list[str]:
    """The jobs that draw runs' pictures again and show them."""
    again = [f"{kind} by {one}" for one in drawn for kind in ("solo", "sheet of solo")]
    runs = [f"{one}, run 1" if one.startswith("solo") else one for one in again]
    return sorted(f"tiny: {job}" for job in [*SHOWN, *runs])


def pictures(workspace: Workspace) -> dict[Path, bytes]:
    """All pictures of the store."""
    store = workspace.root / "resources/store/images"
    return {path: path.read_bytes() for path in store.rglob("*.png")}


@pytest.mark.long
def test_one_picture_is_drawn_again_and_the_store_too(workspace: Workspace):
    before = pictures(workspace)
    one = json.loads((workspace.root / LIST).read_text())["images"][0]["path"]
    (workspace.root / one).unlink()
    told = workspace.run("-n")
    assert f"note: {LIST}: 1 of the files that it names are gone ({one})" in told
    assert workspace.jobs() == jobs_after("both")
    workspace.run()
    assert pictures(workspace) == before
    assert "2 pictures, 1 in the store, 1 drawn" in workspace.log("tiny/render/both.run-1.solo")
    assert workspace.jobs() == []

    shutil.rmtree(workspace.root / "resources/store")
    assert workspace.jobs() == jobs_after(*VARIANTS)
    assert workspace.jobs("results/tiny/both/run-1/lora.safetensors") == []


@pytest.mark.long
def test_a_prepared_photo_is_made_again_for_who_reads_it_and_nothing_is_trained(
    workspace: Workspace,
):
    prepared = next((workspace.root / "resources/ours/images").glob("*.png"))
    before = prepared.read_bytes()
    prepared.unlink()
    shutil.rmtree(workspace.root / "resources/store/adapters")
    assert workspace.jobs() == [], "nobody reads it"
    sheet = "results/tiny/likeness/ours.png"
    (workspace.root / sheet).unlink()
    jobs = workspace.jobs(sheet)
    assert "photos of ours" in jobs and "tiny: training both, run 1" in jobs
    adapter = workspace.root / "results/tiny/both/run-1/lora.safetensors"
    trained = adapter.read_bytes()
    workspace.run(sheet)
    assert prepared.read_bytes() == before and (workspace.root / sheet).exists()
    assert adapter.read_bytes() == trained
    assert "already trained" in workspace.log("tiny/train/both.run-1")


@pytest.mark.long
def test_everything_in_resources_may_go(workspace: Workspace):
    before = pictures(workspace)
    shutil.rmtree(workspace.root / "resources")
    workspace.replace(
        EXPERIMENT_FILE, "solo:\n    prompts:", "solo:\n    prompts:\n      A: photo of {A}"
    )
    workspace.run()
    assert set(before.items()) < set(pictures(workspace).items())
    assert workspace.jobs() == []
    for variant in ("both", "only-J"):
        assert "already trained" in workspace.log(f"tiny/train/{variant}.run-1")


@pytest.mark.long
def test_a_report_of_lost_pictures_draws_them(built_judged: Workspace, tmp_path: Path):
    judged = copy(built_judged, tmp_path / "kindred")
    page = judged.root / "results/tiny/report.html"
    shutil.rmtree(judged.root / "resources/store/images")
    page.unlink()
    jobs = judged.jobs(str(page.relative_to(judged.root)))
    assert {f"tiny: solo by {name}, run 1" for name in VARIANTS} < set(jobs)
    judged.run(str(page.relative_to(judged.root)))
    assert page.exists()
