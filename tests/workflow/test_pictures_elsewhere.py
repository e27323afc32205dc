"""The example of docs/guide/pictures-elsewhere.md, as it stands there, on drawn people."""

from __future__ import annotations

import csv
import re

import pytest
from workspace import REPOSITORY, Workspace

import lab_family

pytestmark = [pytest.mark.workflow, pytest.mark.long]
PAGE = (REPOSITORY / "docs/guide/pictures-elsewhere.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    """The last block of code of a kind on the page."""
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.S)[-1]


def test_two_published_pictures_are_judged_as_the_page_says(fresh: Workspace):
    root = fresh.root
    (root / "lab").symlink_to(REPOSITORY / "lab")
    told = ["--family", "russell", "--out"]
    lab_family.main([*told, str(root / "photos/ours"), "--coverage", "J:4, A:4, C:4"])
    pictures = root / "photos/published"
    lab_family.main([*told, str(pictures), "--coverage", "J:1, ACJ:1", "--seed", "7"])
    drawn = {row["Filename"].split("-")[0]: row["Filename"] for row in rows(pictures)}
    (pictures / drawn["J"]).rename(pictures / "headshot.png")
    (pictures / drawn["ACJ"]).rename(pictures / "card.png")
    (pictures / "captions.csv").unlink()
    (pictures / "prompts.csv").write_text(block("csv"))
    experiment = block("yaml").replace("judge: photo ", "judge: lab ")
    (root / "config/experiments/published.yaml").write_text(experiment)
    fresh.run("--config", "experiments=published")
    results = root / "results/published"
    with open(results / "scores.csv", newline="") as file:
        seen = {row["prompt"]: row for row in csv.DictReader(file) if row["kind"] == "image"}
    assert {name: row["people_found"] for name, row in seen.items()} == {
        "card": "3",
        "headshot": "1",
    }
    assert all(row["success"] == "1" for row in seen.values()), "drawn people look like themselves"
    assert not (results / "BASE").exists(), "no base draws beside them"
    report = (results / "report.html").read_text(encoding="utf-8")
    assert "Two pictures that somebody published" in report


def rows(folder):
    with open(folder / "captions.csv", newline="") as file:
        return list(csv.DictReader(file))
