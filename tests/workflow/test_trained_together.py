"""Trainings of an experiment in one job, and what is left for the jobs that each do one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from workspace import EXPERIMENT_FILE, Workspace, copy

from kindred.common.files import read_json

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
    places = "for name in rule_files"
    several.replace("Snakefile", places, f'include: "rules/together.smk"\n{places}')
    assert several.jobs() == plain
    several.replace("Snakefile", 'include: "rules/together.smk"\n', "")


def test_on_two_gpus_two_experiments_train_at_once(several: Workspace, tmp_path: Path):
    place = copy(several, tmp_path / "gpus")
    file = place.root / EXPERIMENT_FILE
    file.with_name("other.yaml").write_text(file.read_text())
    names = f"experiments=[{file.stem}, other]"
    gpus = ("--config", names, "device={kind: cuda}", "--resources", "gpu=2", "--cores", "4")
    said = place.run("-n", "-p", "trained_together", *gpus)
    programs = [line for line in said.splitlines() if "train_batched.py" in line]
    assert len(programs) == 2 and all("--threads 2 " in line for line in programs)


@pytest.mark.long
def test_two_jobs_train_at_once_and_each_its_part(several: Workspace, tmp_path: Path):
    place = copy(several, tmp_path / "dealt")
    place.replace("config/config.yaml", "threads: 1}", "threads: 1, jobs_together: 2}")
    folders = ["together/1-of-2", "together/2-of-2"]
    asked = place.jobs("trained_together")
    assert [job for job in asked if ": training " in job] == [
        f"tiny: training all variants {folder}" for folder in folders
    ]
    place.run("trained_together")
    reports = [read_json(place.root / f"results/tiny/{name}/trained.json") for name in folders]
    trained = [set(report["trained"]) for report in reports]
    assert all(trained) and not trained[0] & trained[1]
    assert trained[0] | trained[1] == {str(Path(path).parent) for path in ADAPTERS[:4]}
    spans = []
    for name in folders:
        measured = place.root / f"benchmarks/tiny/train_{name}.tsv"
        ended, seconds = measured.stat().st_mtime, float(measured.read_text().split()[10])
        spans.append((ended - seconds, ended))
    assert max(start for start, _ in spans) < min(end for _, end in spans), "one after the other"
    assert place.jobs("trained_together") == []


@pytest.mark.long
def test_trainings_find_what_was_trained_together(several: Workspace, tmp_path: Path):
    # A worker may run the tests of this file in another order, so none trains in `several`.
    place = copy(several, tmp_path / "together")
    place.run("trained_together")
    report = json.loads((place.root / "results/tiny/together/trained.json").read_text())
    done = [str(Path(path).parent) for path in ADAPTERS]
    assert sorted(report["trained"]) == sorted(done[:4])
    assert {name: report["left"][name] for name in done[4:]} == dict.fromkeys(
        done[4:], "recipe: lora_dropout: 0.1"
    )
    assert all((place.root / folder / "begun.json").exists() for folder in done[:4])
    assert place.jobs("trained_together") == []
    place.run(*ADAPTERS)
    for path in ADAPTERS:
        _, _, variant, run, _ = Path(path).parts
        said = place.log(f"tiny/train/{variant}.{run}")
        assert ("already trained" in said) == (variant != "odd")
        summary = json.loads((place.root / path).with_name("lora.json").read_text())
        assert summary.get("trained_together") == (None if variant == "odd" else 4)
    assert place.jobs("trained_together") == place.jobs(*ADAPTERS) == []
