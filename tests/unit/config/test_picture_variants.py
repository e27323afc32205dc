"""Variants of pictures made elsewhere: what they plan, and that nothing is drawn for them."""

from __future__ import annotations

import pytest
import small_config

from kindred.config.declaration import design_of
from kindred.config.load_plan import load_plan
from kindred.specs.scoring import FIXED_KINDS
from kindred.workflow import batched_jobs, paths, scoring_specs
from kindred.workflow.elsewhere_specs import elsewhere_files, elsewhere_spec


def plan_of(root, variants):
    small_config.write(root, "org/flux", variants)
    (root / "config/bases/small.yaml").write_text(
        "model: org/flux\nrevision: abc\narchitecture: flux1\n"
    )
    (root / "config/judges").mkdir()
    (root / "config/judges/j.yaml").write_text("kind: lab\nmodel: judge\n")
    file = root / "config/experiments/one.yaml"
    file.write_text(file.read_text().replace("variants:\n", "judge: j\nvariants:\n"))
    (root / "theirs").mkdir()
    for name in ("j-1.png", "j-2.png"):
        (root / "theirs" / name).write_text("x")
    return load_plan(root)


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return plan_of(tmp_path, "  all: {}\n  theirs: {pictures: theirs/}\n")


def test_its_pictures_stand_for_prompts_and_seeds_and_are_inputs(plan):
    spec = elsewhere_spec(plan, "one", "theirs", "solo")
    assert [(one.file, one.seed) for one in spec.pictures] == [
        ("theirs/j-1.png", 1),
        ("theirs/j-2.png", 2),
    ]
    assert elsewhere_files(plan, "one", "theirs", "solo") == ["theirs/j-1.png", "theirs/j-2.png"]
    assert paths.elsewhere(plan) == ["theirs"]


def test_no_base_draws_beside_pictures_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    experiment = plan_of(tmp_path, "  theirs: {pictures: theirs/}\n").experiments["one"]
    assert list(experiment.variants) == ["theirs"]


def test_it_is_compared_with_no_runs_to_differ_and_is_no_control(plan):
    told = scoring_specs.compare_spec(plan.experiments["one"]).variants["theirs"]
    assert told.kind == "pictures" and told.kind in FIXED_KINDS and told.control == ""
    assert scoring_specs.plain_pictures(plan.experiments["one"], "theirs", "solo") == []
    assert not any("theirs" in one for one in batched_jobs.summaries(plan, "rendered.json"))
    assert design_of(plan, plan.experiments["one"])["variants"]["theirs"]["pictures"] == "theirs"


def test_alone_it_needs_no_base(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = plan_of(tmp_path, "  theirs: {pictures: theirs}\n").experiments["one"]
    assert "theirs" in found.variants and not found.trained
