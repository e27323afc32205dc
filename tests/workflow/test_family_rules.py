"""Claims about the albums of one file in real Snakemake: declared in one log before anything else,
trained, and told on one page."""

from __future__ import annotations

import pytest
import tiny_judge
from workspace import Workspace, copy

from kindred.common.chained_log import read_log
from kindred.common.files import read_json

pytestmark = pytest.mark.workflow

STUDY = """
albums: [draper, ashford, burton]
title: Of {album}
datasets:
  "{album}":
    lab: {family: "{album}", coverage: {1: 1}, scale: 1}
    preprocess: {buckets: [[64, 64]], min_side: 16}
dataset: "{album}"
base: tiny
judge: tiny
recipe: tiny
runs: 1
variants:
  all: {}
  dealt: {control: {pairing: dealt}}
prompt_sets:
  casts:
    casts: {of: all, strangers: false, shapes: [[64, 64], [80, 64]], wordings: 1, pictures: 1}
    steps: 1
"""
FAMILIES = """
title: Of all three
families: [study]
hypotheses:
  heads: {claim: More heads., variant: all, against: dealt, measure: count, prompt_set: casts}
"""
GATE = """
gates:
  base:
    {says: Nobody, figure: members, variant: BASE, prompt_set: casts, at_most: 0.02}
"""
LOG = "config/declared/together.jsonl"
BEFORE = ["families together: hypotheses", "families together: what they can find"]
TOLD = ["families together: page", "families together: verdicts"]
ASKED = "families together: page for people's answers"


@pytest.fixture
def study(started: Workspace, tmp_path) -> Workspace:
    """The workspace with three albums in one file, and a claim about all of them."""
    workspace = copy(started, tmp_path / "kindred")
    tiny_judge.build(workspace.root / "judge")
    config = workspace.root / "config"
    for folder in ("judges", "families"):
        (config / folder).mkdir(exist_ok=True)
    (config / "judges/tiny.yaml").write_text("kind: lab\nmodel: judge\n")
    (config / "experiments/study.yaml").write_text(STUDY)
    (config / "families/together.yaml").write_text(FAMILIES)
    workspace.replace("config/config.yaml", "[tiny]", "[study]")
    return workspace


@pytest.mark.long
def test_claims_are_declared_in_one_log_before_anything_is_made(study: Workspace):
    planned = study.jobs("families")
    assert [job for job in planned if job.startswith("families ")] == sorted(
        [*BEFORE, *TOLD, ASKED]
    )
    assert sum("training" in job for job in planned) >= 3
    said = study.run("--until", "declare_families", "family_power")
    assert "1 hypothesis, declared" in said and "heads" in said
    assert not (study.root / "resources/draper").exists()
    log = study.root / LOG
    (entry,) = read_log(log)
    assert sorted(entry["design"]["experiments"]) == [
        "study-ashford",
        "study-burton",
        "study-draper",
    ]


@pytest.mark.long
@pytest.mark.minutes
def test_three_albums_are_trained_drawn_scored_and_told_on_one_page(study: Workspace):
    study.run()
    folder = study.root / "results/families/together"
    one = read_json(folder / "verdicts.json")["hypotheses"]["heads"]
    assert sorted(one["by_family"]) == ["study-ashford", "study-burton", "study-draper"]
    assert one["low"] is not None and one["label"] != "not measured"
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "unchanged since" in page and "study-draper/report.html" in page
    # Every training and every look at figures is in the one log, and no album has another.
    entries = read_log(study.root / LOG)
    begun = {name for one in entries if one["kind"] == "began" for name in one["runs"]}
    assert begun == {
        f"study-{x}/{v}" for x in ("ashford", "burton", "draper") for v in ("all", "dealt")
    }
    assert {"looked"} <= {one["kind"] for one in entries}
    assert not list((study.root / "config/declared").glob("study-*"))
    assert study.jobs() == []
    # A gate that can't be read concludes nothing; it is declared as a change after a look.
    (study.root / "config/families/together.yaml").write_text(FAMILIES + GATE)
    assert study.jobs() == sorted([BEFORE[0], ASKED, *TOLD])  # people are asked about the base, too
    study.run()
    one = read_json(folder / "verdicts.json")
    assert one["hypotheses"]["heads"]["label"] == "control failed"
    assert list(one["declared"]["exploratory"]) == ["heads"]
