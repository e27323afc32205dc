"""An experiment's trainings as one list."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kindred.common.errors import KindredError
from kindred.config.load_plan import load_plan
from kindred.workflow import batched_jobs

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def remedies():
    plan = load_plan(ROOT, {"experiments": ["remedies"]})
    return plan.experiments["remedies"]


def test_variants_of_the_same_files_stand_together(remedies):
    told = json.loads(batched_jobs.training_jobs(remedies))
    folders = {folder: runs for entry in told for folder, runs in entry["folders"].items()}
    assert folders == {
        f"results/remedies/{variant.name}": list(variant.runs) for variant in remedies.trained
    }
    by_folder = {folder: entry for entry in told for folder in entry["folders"]}
    plain = by_folder["results/remedies/family"]
    assert "results/remedies/null" in plain["folders"]
    assert plain.keys() == {"images", "captions", "latents", "text", "folders"}
    masked, prior = (by_folder[f"results/remedies/{name}"] for name in ("masked", "prior"))
    assert masked["masks"] == "resources/russell/masks.json"
    assert {"prior_images", "prior_captions", "prior_latents", "prior_text"} <= prior.keys()


def test_every_file_is_an_input_once(remedies):
    files = batched_jobs.read_by(remedies)
    assert len(files) == len(set(files))
    told = json.loads(batched_jobs.training_jobs(remedies))
    named = {path for entry in told for name, path in entry.items() if name != "folders"}
    specs = {f"{folder}/spec.json" for entry in told for folder in entry["folders"]}
    assert set(files) == named | specs


def test_a_list_too_long_for_a_command_is_refused(remedies, monkeypatch):
    monkeypatch.setattr(batched_jobs, "LONGEST", 100)
    with pytest.raises(KindredError, match="too many variants"):
        batched_jobs.training_jobs(remedies)
