"""What pictures made of photos, and losses weighted by outlines, make Snakemake do."""

from __future__ import annotations

import json
import re

import pytest
from workspace import EXPERIMENT_FILE, Workspace

from kindred.common.files import read_json, read_jsonl

pytestmark = pytest.mark.workflow

DRAWN = """
  drawn:
    lab: {family: russell, coverage: {J: 2, A: 1, AJ: 1}, scale: 1}
    preprocess: {buckets: [[64, 64]], min_side: 16}
dataset: drawn
base:"""
VARIANTS = """  joined: {compose: {cells: [A+J], per_cell: 2}}
  weighed: {mask_weight: 2}
prompt_sets:"""
PREPARED = ["lab: drawing the photos of drawn", "photos of drawn", "captions of drawn"]
MASKS = "outlines of people in drawn"


@pytest.fixture
def made(workspace: Workspace) -> Workspace:
    """Every variant on drawn photos, one with composites, one with a weighted loss."""
    workspace.replace(EXPERIMENT_FILE, "\nbase:", DRAWN)
    workspace.replace(EXPERIMENT_FILE, "prompt_sets:", VARIANTS)
    return workspace


def adapter(variant: str) -> str:
    return f"results/tiny/{variant}/run-1/lora.safetensors"


def trained(variant: str) -> list[str]:
    return [f"tiny: settings of {variant}", f"tiny: training {variant}, run 1"]


def encoded(dataset: str) -> list[str]:
    return [f"tiny: encoding the {what} of {dataset}" for what in ("captions", "photos")]


def composed(jobs: list[str]) -> str:
    """The one dataset that is composed."""
    found = re.findall(r"composites and crops of (\S+)", "\n".join(jobs))
    assert len(found) == 1, jobs
    return found[0]


def of_composites(dataset: str) -> list[str]:
    """The jobs that make a dataset of composites ready for training."""
    own = [f"composites and crops of {dataset}", f"photos of {dataset}", f"captions of {dataset}"]
    return [*own, *encoded(dataset)]


@pytest.mark.long
def test_only_the_variant_that_asks_has_composites_and_its_seed_remakes_only_them(made: Workspace):
    assert made.jobs(adapter("both")) == sorted([*PREPARED, *encoded("drawn"), *trained("both")])
    jobs = made.jobs(adapter("joined"))
    first = composed(jobs)
    assert jobs == sorted([*PREPARED, MASKS, *of_composites(first), *trained("joined")])

    made.run(adapter("joined"), adapter("both"))
    rows = read_jsonl(made.root / "resources" / first / "captions.jsonl")
    assert [row["made"] for row in rows if "made" in row] == ["composed"] * 2
    assert all(row["characters"] == ["A", "J"] for row in rows if "made" in row)
    photos = {row["photo"] for row in rows}
    assert photos == {"J-01", "J-02", "A-01", "AJ-01", "composed-A+J-01", "composed-A+J-02"}
    summary = json.loads((made.root / adapter("joined")).with_name("lora.json").read_text())
    assert summary["photos_per_cell"] == {"A": 1, "A+J": 3, "J": 2}
    assert made.jobs(adapter("joined"), adapter("both")) == []

    made.replace(EXPERIMENT_FILE, "per_cell: 2}", "per_cell: 2, seed: 1}")
    jobs = made.jobs(adapter("joined"), adapter("both"))
    second = composed(jobs)
    assert second != first
    assert jobs == sorted([*of_composites(second), *trained("joined")])


@pytest.mark.long
def test_a_weighted_loss_needs_outlines_and_nothing_else(made: Workspace):
    jobs = [*PREPARED, *encoded("drawn"), MASKS, *trained("weighed")]
    assert made.jobs(adapter("weighed")) == sorted(jobs)
    made.run(adapter("weighed"))
    masks = read_json(made.root / "resources/drawn/masks.json")
    assert [p["letter"] for p in masks["A-01.jpg"]["people"]] == ["A"]
    assert made.jobs(adapter("weighed")) == []


def test_composites_are_no_references_but_can_be_copied(made: Workspace):
    with open(made.root / EXPERIMENT_FILE, "a", encoding="utf-8") as file:
        file.write("judge: lab\n")
    jobs = made.jobs("results/tiny/references.json")
    assert jobs == sorted([*PREPARED, "tiny: reference photos of everybody"])
    jobs = made.jobs("results/tiny/BASE/run-1/scores/solo.csv")
    vectors = [job for job in jobs if "vectors" in job]
    assert vectors == sorted(["tiny: vectors of drawn", f"tiny: vectors of {composed(jobs)}"])


def test_drawn_photos_have_others_beside_them_that_nothing_is_trained_on(made: Workspace):
    with open(made.root / EXPERIMENT_FILE, "a", encoding="utf-8") as file:
        file.write("judge: lab\n")
    album = "drawn-held-out"
    others = [f"lab: drawing the photos of {album}", f"photos of {album}", f"captions of {album}"]
    jobs = made.jobs(f"results/tiny/vectors/{album}.json")
    assert jobs == sorted([*others, f"tiny: vectors of {album}"])
    assert not [job for job in made.jobs(adapter("both")) if "held-out" in job]
