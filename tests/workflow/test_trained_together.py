"""Trainings of an experiment in one job, and what is left for the jobs that each do one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from workspace import EXPERIMENT_FILE, Workspace

pytestmark = pytest.mark.workflow
TOGETHER = "tiny: training all variants together"
ADAPTERS = [
    f"results/tiny/{name}/run-{run}/lora.safetensors"
    for name in ("both", "only-J", "odd")
    for run in (1, 2)
]


@pytest.fixture(scope="module")
def several(fresh: Workspace) -> Workspace:
    workspace = fresh
    workspace.replace(EXPERIMENT_FILE, "title: tiny\n", "title: tiny\nruns: 2\n")
    workspace.replace(EXPERIMENT_FILE, "prompt_sets:", "  odd: {lora_dropout: 0.1}\nprompt_sets:")
    return workspace


def test_it_is_asked_for_by_name_and_changes_nothing_else(several: Workspace):
    asked = several.jobs("trained_together")
    assert asked.count(TOGETHER) == 1
    assert not any(": training " in job for job in asked if job != TOGETHER)
    plain = several.jobs()
    assert TOGETHER not in plain
    include = 'include: "rules/together.smk"\n'
    several.replace("Snakefile", include, "# here\n")
    assert several.jobs() == plain
    several.replace("Snakefile", "# here\n", include)


def test_trainings_find_what_was_trained_together(several: Workspace):
    several.run("trained_together")
    report = json.loads((several.root / "results/tiny/together/trained.json").read_text())
    done = [str(Path(path).parent) for path in ADAPTERS]
    assert sorted(report["trained"]) == sorted(done[:4])
    assert {name: report["left"][name] for name in done[4:]} == dict.fromkeys(
        done[4:], "recipe: lora_dropout: 0.1"
    )
    assert all((several.root / folder / "begun.json").exists() for folder in done[:4])
    assert several.jobs("trained_together") == []
    several.run(*ADAPTERS)
    for path in ADAPTERS:
        _, _, variant, run, _ = Path(path).parts
        said = several.log(f"tiny/train/{variant}.{run}")
        assert ("already trained" in said) == (variant != "odd")
        summary = json.loads((several.root / path).with_name("lora.json").read_text())
        assert summary.get("trained_together") == (None if variant == "odd" else 4)
    assert several.jobs("trained_together") == several.jobs(*ADAPTERS) == []
