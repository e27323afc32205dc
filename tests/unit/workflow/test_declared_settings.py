"""What is declared, and what is compared later, are told apart by the same settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindred.config.declaration import design_of
from kindred.config.load_plan import load_plan
from kindred.evidence.amendments import hypothesis_changes, resolved
from kindred.workflow.scoring_specs import compare_spec

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", ["steps", "preservation", "strangers"])
def test_an_experiment_compared_as_declared_was_not_changed(name):
    """Also where a variant takes another step than the last one."""
    plan = load_plan(ROOT, {"experiments": [name]})
    experiment = plan.experiments[name]
    before = resolved(design_of(plan, experiment))
    assert hypothesis_changes(before, compare_spec(experiment).resolved_hypotheses()) == []


def test_a_step_taken_by_another_rule_is_a_change():
    plan = load_plan(ROOT, {"experiments": ["steps"]})
    design = design_of(plan, plan.experiments["steps"])
    before = resolved(design)
    design["variants"]["chosen"]["take"] = "held_out"
    assert hypothesis_changes(before, resolved(design)) == [
        f"{claim}: settings of its variant changed"
        for claim in ("chosen-copies", "chosen-early", "chosen-likeness", "chosen-step")
    ] + ["chosen-usual: settings of its variant changed"]
