"""Pages for people in real Snakemake: what `hide_photos` changes, and Snakemake's own report."""

from __future__ import annotations

import zipfile

import pytest
from workspace import EXPERIMENT_FILE, Workspace

pytestmark = pytest.mark.workflow


@pytest.mark.long
def test_share_writes_pages_anew_and_nothing_else(workspace: Workspace):
    page = workspace.root / "results/tiny/rating.html"
    audit = workspace.root / "results/tiny/audit/ours.html"
    assert "photo of" in page.read_text() and 'id="r-' in page.read_text()
    assert "url(data:" in audit.read_text()
    workspace.replace(EXPERIMENT_FILE, "title: tiny", "title: tiny\nhide_photos: true")
    assert workspace.jobs() == ["tiny: audit of ours", "tiny: page for ratings"]
    workspace.run()
    assert 'id="r-' not in page.read_text() and "url(data:" not in audit.read_text()


def test_another_template_writes_the_page_anew(workspace: Workspace):
    workspace.replace("report/rating.html", "Thank you.", "Thanks.")
    assert workspace.jobs() == ["tiny: page for ratings"]


def test_snakemake_s_own_report_holds_the_sheets_with_captions(workspace: Workspace):
    workspace.run("--report", "out.zip")
    with zipfile.ZipFile(workspace.root / "out.zip") as archive:
        names = archive.namelist()
        text = "".join(
            archive.read(name).decode()
            for name in names
            if name.endswith((".html", ".js", ".json"))
        )
    pictures = [name for name in names if name.endswith(".png")]
    assert {"solo.png", "curves.png", "ours.png"} <= {name.split("/")[-1] for name in pictures}
    assert "rows that one base drew here start from the same noise" in text
    assert "pictures, variants compared" in text
