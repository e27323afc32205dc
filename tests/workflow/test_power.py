"""What designs can find, in real Snakemake: printed when asked for, warned of before training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from workspace import EXPERIMENT_FILE, Workspace, copy

pytestmark = pytest.mark.workflow

JUDGE_FILE = "config/judges/tiny.yaml"
FIGURES = "tiny: what its design can find"
QUESTIONS = """judge: tiny
runs: 6
hypotheses:
  small:
    claim: More photos give the right number of people.
    variant: both
    against: only-J
    measure: count
    prompt_set: solo
  large:
    claim: They do so by far.
    variant: both
    against: only-J
    measure: count
    prompt_set: solo
    margin: 0.4
    primary: false
prompt_sets:
"""
PROMPTS = "".join(f"      J{n}: headshot of {{J}} {n}\n" for n in range(40))


@pytest.fixture(scope="module")
def asked(fresh: Workspace) -> Workspace:
    """Nothing is built; 41 prompts decide the larger margin and not the smaller one."""
    (fresh.root / JUDGE_FILE).write_text("kind: lab\nmodel: judge\n")
    fresh.replace(EXPERIMENT_FILE, "prompt_sets:\n", QUESTIONS)
    fresh.replace(EXPERIMENT_FILE, "      J: headshot of {J}\n", PROMPTS)
    return fresh


def test_without_a_hypothesis_it_says_that_there_is_nothing_to_compute(
    started: Workspace, tmp_path: Path
):
    said = copy(started, tmp_path / "kindred").run("power")
    assert "No experiment asked for has `hypotheses`, so there is nothing to compute" in said


@pytest.mark.long
def test_it_prints_what_a_design_finds_and_needs_nothing_that_is_made(asked: Workspace):
    assert asked.jobs("power") == [FIGURES, "what the designs can find"]
    said = asked.run("power")
    lines = said.splitlines()
    table = next(n for n, line in enumerate(lines) if line.startswith("tiny: what this design"))
    assert lines[table + 1].split()[0] == "hypothesis"
    assert [line.split()[0] for line in lines[table + 2 : table + 4]] == ["large", "small"]
    assert "Variances: the model's" in said
    assert not (asked.root / "resources").exists()
    found = json.loads((asked.root / "results/tiny/power.json").read_text())["hypotheses"]
    assert found.keys() == {"small", "large"} and found["small"]["runs"] == [6, 6]
    # What can't be decided is warned of where the figures are made, whatever they are made for.
    assert "warning: config/experiments/tiny.yaml: hypotheses.small: its margin" in said
    assert "hypotheses.large: " not in said
    assert asked.log("tiny/power").count("warning: ") == 1
    # Other variants change nothing, and asked again it prints and computes nothing.
    asked.replace(EXPERIMENT_FILE, "  only-J:", "  more: {rank: 3}\n  only-J:")
    again = asked.run("power")
    assert FIGURES not in again and "tiny: what this design" in again
    asked.replace(EXPERIMENT_FILE, "runs: 6", "runs: 7")
    planned = asked.run("-n")
    assert f": {FIGURES}\n" in planned and "warning: " not in planned
