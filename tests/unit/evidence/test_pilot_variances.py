"""What earlier runs and publications say of variances, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindred.evidence.design_variance import SHARED_BY_PAIRED_RUNS, Design
from kindred.evidence.pilot_variances import PilotFiles, finished, observed, published, weighed
from kindred.evidence.variance import Part
from kindred.specs.power import AskedPrompts

RUNS = """variant,run,prompt_set,success,identity
all,1,trio,0.4,0.50
all,2,trio,0.6,0.60
all,3,trio,0.5,0.70
few,1,trio,0.1,0.10
few,2,trio,0.3,0.30
once,1,trio,0.9,0.90
all,1,pair,1,1
"""
PROMPTS = """prompt_set,prompt,all success,all identity,few success,few identity
trio,a,0.5,0.7,0.1,0.3
trio,b,0.7,0.6,0.3,0.0
pair,c,1,1,1,1
"""
ASKED = AskedPrompts(pictures={"a": 2, "b": 2}, asked={"a": "J", "b": "J"})


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs" / "old"
    folder.mkdir(parents=True)
    (folder / "runs.csv").write_text(RUNS)
    (folder / "prompts.csv").write_text(PROMPTS)
    return tmp_path / "docs"


def test_a_publication_s_runs_and_prompts(docs: Path):
    pilot = published(docs / "old", "trio", "identity")
    assert pilot.repeated == ["all", "few"] and pilot.names == {"a", "b"}
    seen = observed(pilot, ("all", "few"), ASKED, strata=False)
    # Runs: squares .02 with two and .02 with one degree of freedom; prompts differ by .4 and .6.
    assert seen.run_variance == pytest.approx(0.04 / 3) and seen.run_freedom == 3
    assert seen.prompt_variance == pytest.approx(0.02) and seen.prompt_freedom == 1
    assert seen.mean == pytest.approx(0.4) and seen.runs == 2
    assert published(docs / "old", "trio", "drift") is None
    assert published(docs / "old", "pair", "success") is None  # one run
    assert published(docs / "none", "trio", "success") is None


def test_arms_that_it_does_not_have_are_taken_for_those_that_it_has(docs: Path):
    pilot = published(docs / "old", "trio", "identity")
    seen = observed(pilot, ("new", "newer"), ASKED, strata=False)
    assert seen.run_freedom == 3 and seen.mean is None
    assert seen.prompt_variance == pytest.approx(0.02)
    each = AskedPrompts(pictures=ASKED.pictures, asked={"a": "J", "b": "A"})
    alone = observed(pilot, ("all", "few"), each, strata=True)
    assert alone.prompt_variance is None  # one prompt of each tells nothing
    with pytest.raises(ValueError, match="prompts"):
        alone.forecast(Design((2, 2), (1, 1), 2), 0.0)


def test_its_forecast_by_hand(docs: Path):
    seen = observed(published(docs / "old", "trio", "identity"), ("all", "few"), ASKED, False)
    found = seen.forecast(Design((4, 2), (5,), 2), 0.3)
    runs = (Part(0.04 / 3 / 4, 3), Part(0.04 / 3 / 2, 1))
    assert [(p.variance, p.freedom) for p in found.runs] == [
        (pytest.approx(p.variance), p.freedom) for p in runs
    ]
    assert found.items == (Part(pytest.approx(0.02 / 5), 4),)
    assert found.variance == pytest.approx(0.04 / 3 * 0.75 + 0.004)
    base = seen.forecast(Design((4, 0), (5,), 2), 0.3)
    assert len(base.runs) == 1 and base.variance == pytest.approx(0.04 / 12 + 0.004)
    one = seen.forecast(Design((4, 1), (5,), 2), 0.3)
    assert len(one.runs) == 1 and one.variance > found.variance
    paired = seen.forecast(Design((4, 4), (5,), 2, paired=True), 0.3)
    shared = (1 - SHARED_BY_PAIRED_RUNS) * 2 * 0.04 / 12
    assert [(p.variance, p.freedom) for p in paired.runs] == [(pytest.approx(shared), 3)]


def row(run: int, prompt: str, success: str, **more: str) -> dict[str, str]:
    asked = {"kind": "image", "variant": "all", "prompt_set": "trio", "asked": "J"}
    return asked | {"run": str(run), "prompt": prompt, "success": success} | more


def test_finished_runs_and_rows_that_do_not_count():
    rows = [row(1, "a", "1"), row(1, "b", "0"), row(2, "a", "1"), row(2, "b", "1")]
    person = row(2, "a", "0", kind="person")
    other = row(3, "a", "0", prompt_set="pair")
    unknown = row(3, "a", "")
    pilot = finished([*rows, person, other, unknown], "trio", "success", "results/x")
    assert pilot.runs == {"all": [0.5, 1.0]}
    assert pilot.prompts == {"all": {"a": 1.0, "b": 0.5}} and pilot.source == "results/x"
    assert finished(rows[:2], "trio", "success", "x") is None  # one run
    assert finished(rows, "trio", "identity", "x") is None  # rows without that column


def test_own_runs_come_first_then_the_own_publication_then_the_largest(docs: Path, tmp_path: Path):
    for name, lines in (("mine", RUNS.splitlines()[:3]), ("short", RUNS.splitlines()[:3])):
        (docs / name).mkdir()
        (docs / name / "runs.csv").write_text("\n".join(lines))
    results = tmp_path / "results" / "mine"
    files = PilotFiles("mine", results, docs)
    assert [Path(one.source).name for one in files("trio", "success")] == ["mine", "old", "short"]
    for run in (1, 2):
        folder = results / "all" / f"run-{run}" / "scores"
        folder.mkdir(parents=True)
        lines = row(run, "a", "1")
        (folder / "trio.csv").write_text(",".join(lines) + "\n" + ",".join(lines.values()))
    found = [one.source for one in files("trio", "success")]
    assert found[0] == results.as_posix() and len(found) == 4


def test_a_pilot_counts_by_its_degrees_of_freedom():
    assert weighed(2.0, 4, 1.0) == pytest.approx(1.5)
    assert weighed(2.0, 400, 1.0) == pytest.approx(2.0, rel=0.01)
    assert weighed(0.0, 1, 1.0) == pytest.approx(0.8)
    assert weighed(1.0, 3, 0.0) == 1.0
