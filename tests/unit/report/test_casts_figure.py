"""The figure of casts by recipe shows what the published tables have."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from kindred.report.casts_figure import FILE, STUDIES, casts_svg, without_names

ROOT = Path(__file__).parents[3]
FINDINGS = ROOT / "docs/findings"


def test_the_picture_is_that_of_the_tables():
    drawn = (ROOT / FILE).read_text(encoding="utf-8")
    assert drawn == casts_svg(FINDINGS), "run python scripts/doc_figures.py"


@pytest.mark.parametrize("study", STUDIES)
def test_no_arm_of_a_study_is_left_out(study):
    with open(FINDINGS / study / "casts.csv", newline="") as file:
        arms = [row["variant"] for row in csv.DictReader(file)]
    assert set(STUDIES[study][1]) == {*arms} - ({"BASE"} if study != "strangers" else set())


def test_the_lines_are_those_of_a_drawer_without_names():
    page = (ROOT / "docs/findings/names.md").read_text(encoding="utf-8")
    assert "| the most without reading a name | 100 % | 43 % |" in page
    assert without_names() == {"all": 0.25, "family": pytest.approx(3 / 7, abs=1e-4), "others": 0.6}


def test_other_figures_give_another_picture(tmp_path):
    for study in STUDIES:
        text = (FINDINGS / study / "casts.csv").read_text(encoding="utf-8")
        (tmp_path / study).mkdir()
        (tmp_path / study / "casts.csv").write_text(text.replace("0.9196", "0.5196"))
    assert casts_svg(FINDINGS).count(">92 %<") == casts_svg(tmp_path).count(">92 %<") + 1
