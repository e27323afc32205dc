"""Which rule files are read: what the plan needs, and what the command line names."""

from __future__ import annotations

from pathlib import Path

import pytest
import shipped_config

from kindred.config.load_plan import load_plan
from kindred.config.plan import Plan
from kindred.config.prior_preservation import standalone_class_images
from kindred.workflow.rule_files import FURTHER, further

START = "/usr/bin/snakemake"
RULES = Path(__file__).parents[3] / "rules"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shipped")
    shipped_config.copy(folder)
    return folder


def plan(root: Path, name: str) -> Plan:
    return load_plan(root, {"experiments": [name]})


def read(plan: Plan, *words: str, families: tuple[str, ...] = ()) -> list[str]:
    return further(plan, standalone_class_images(plan), families, [START, *words])


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("own-photos", []),
        ("family", ["compose", "ceiling"]),
        ("steps", ["compose", "ceiling", "steps"]),
        ("preservation", ["prior"]),
    ],
)
def test_what_an_experiment_asks_for_is_read(root: Path, name: str, needed: list[str]):
    assert read(plan(root, name), "-n") == needed


def test_families_are_read_where_some_are_configured(root: Path):
    assert "families" not in read(plan(root, "own-photos"))
    assert "families" in read(plan(root, "own-photos"), families=("study2",))


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("lab_models", "lab"),
        ("lab/base/model_index.json", "lab"),
        ("resources/lab/work/vae.safetensors", "lab"),
        ("trained_together", "together"),
        ("results/own-photos/together/trained.json", "together"),
        ("scored_together", "together_pictures"),
        ("check_cluster", "cluster"),
        ("check_node:node=any", "cluster"),
        ("ceiling", "ceiling"),
        ("families", "families"),
    ],
)
def test_what_is_named_is_read(root: Path, word: str, name: str):
    own = plan(root, "own-photos")
    assert read(own, "-n", "--cores", "2") == []
    assert name in read(own, "-n", word)


def test_files_of_a_lab_in_another_folder_name_it_too(root: Path):
    lab = {"out": "mini/models", "work": "mini/work"}
    elsewhere = load_plan(root, {"experiments": ["own-photos"], "lab": lab})
    assert "lab" in read(elsewhere, "mini/models/judge/model.safetensors")


@pytest.mark.parametrize("option", ["--lint", "--list-rules", "-l", "--print-compilation"])
def test_what_looks_at_all_rules_finds_all(root: Path, option: str):
    assert read(plan(root, "own-photos"), option) == list(FURTHER)


def test_another_program_finds_all(root: Path):
    assert further(plan(root, "own-photos"), [], [], ["notebook.py"]) == list(FURTHER)


def test_all_rule_files_are_read_by_somebody():
    snakefile = (RULES.parent / "Snakefile").read_text(encoding="utf-8")
    always = {path.stem for path in RULES.glob("*.smk") if f'"rules/{path.name}"' in snakefile}
    assert always | set(FURTHER) == {path.stem for path in RULES.glob("*.smk")}
    assert not always & set(FURTHER)
