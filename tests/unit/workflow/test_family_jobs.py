"""Study 2 as it is shipped: what is declared of all its families in one log, what it can find."""

from __future__ import annotations

import copy
import os
from pathlib import Path

import pytest

from kindred.common.chained_log import read_log
from kindred.common.experiment_log import note_runs
from kindred.config import family_files
from kindred.config.declaration import families_declaration, families_design
from kindred.config.load_plan import load_plan
from kindred.evidence.amendments import statement, summed_up, table
from kindred.evidence.design_changes import changes_between, scope_of
from kindred.evidence.family_power import family_power
from kindred.evidence.preregistration import Found, preregister
from kindred.workflow import family_jobs

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def plan():
    folder = Path.cwd()
    os.chdir(ROOT)
    yield load_plan(Path("."), {"experiments": ["study2"]})
    os.chdir(folder)


@pytest.fixture(scope="module")
def spec():
    return family_files.family_specs(ROOT / "config")["study2"]


@pytest.fixture
def log(tmp_path) -> Path:
    return tmp_path / "study2.jsonl"


def test_all_that_is_asked_of_its_families_is_there(plan, spec):
    assert len(spec.families) == 10
    family_files.check_asked({"study2": spec}, plan.experiments)
    trainings = sum(len(v.runs) for e in plan.experiments.values() for v in e.trained)
    assert trainings == 196


def test_its_power_is_that_of_the_design(plan, spec):
    found = family_power(family_jobs.power_spec(plan, "study2", spec))["hypotheses"]
    assert {name: one["families"] for name, one in found.items() if one["families"] < 10} == {
        "pairs": 6,
        "trio": 6,
    }
    assert 100 * found["by-name"]["by_sd"]["0.10"]["finds"] == pytest.approx(12, abs=1)
    assert found["trio"]["level"] == pytest.approx(1 - 0.05 / 3)


def test_one_log_says_what_is_declared_begun_and_changed(plan, spec, log):
    now = families_declaration(plan, "study2", spec, ROOT / "config")
    assert {"config/families/study2.yaml", "config/experiments/study2.yaml"} <= {*now.files}
    preregister(log, now, Found())
    assert statement(preregister(log, now, Found())).endswith("unchanged since")
    note_runs(log.parent / "study2-marsh.jsonl", "began", {"composed": [5001]})
    note_runs(log.parent / "study2-marsh.jsonl", "looked", {"composed": [5001]})
    note_runs(log.parent / "study2-other.jsonl", "began", {"composed": [5001]})
    kinds = [(one["kind"], [*one["runs"]]) for one in read_log(log)][1:]
    assert kinds == [("began", ["study2-marsh/composed"]), ("looked", ["study2-marsh/composed"])]

    later = copy.deepcopy(now)
    later.design["hypotheses"]["by-name"]["margin"] = 0.05
    for one in later.design["experiments"].values():
        one["variants"]["singles"] = {"runs": [7]}
    entries = preregister(log, later, Found())
    assert entries[-1]["scope"] == ["by-name", "pairs"]
    rows = [row["what"] for row in table(entries)]
    assert any(what.startswith("experiments study2-granger, ") for what in rows)
    exploratory = summed_up(entries, {"study2-marsh/composed": [5001]})["exploratory"]
    assert list(exploratory) == ["by-name"] and "runs of composed had" in exploratory["by-name"]


def test_a_change_of_one_family_touches_claims_about_it(plan, spec):
    design = families_design(plan, spec)

    def scope(*path: str) -> list[str]:
        return scope_of([{"path": [*path], "before": 1, "after": 2}], design)

    every = sorted(spec.hypotheses)
    assert scope("experiments", "study2-hollis", "variants", "photos") == ["beyond-photos"]
    assert scope("experiments", "study2-hollis") == ["beyond-photos", "by-name", "shape-free"]
    assert scope("experiments", "study2-marsh", "judge", "kind") == every
    assert scope("gates", "base", "at_most") == scope("sequence") == every
    assert scope("reach", "order", "at_least") == []
    changed = copy.deepcopy(design)
    changed["gates"]["base"]["at_most"] = 0.5
    assert changes_between(design, changed)[0]["path"] == ["gates", "base", "at_most"]


def test_its_experiments_claim_nothing_and_are_declared_with_it(plan):
    marsh = plan.experiments["study2-marsh"]
    assert family_jobs.declared_with(ROOT / "config", marsh) == ["study2"]
