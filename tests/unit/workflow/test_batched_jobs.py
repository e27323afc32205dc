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


def work(experiment, part):
    """Pictures that the trainings of a part look at; equal ones count once."""
    variants = {one.name: one for one in experiment.trained}
    done = {
        (variants[name].spec, run): variants[name] for name, runs in part.items() for run in runs
    }
    return sum(one.train.recipe.steps * one.train.recipe.batch for one in done.values())


@pytest.mark.parametrize("jobs", [2, 3, 8, 10_000])
def test_trainings_are_dealt_evenly_and_equal_ones_to_one_job(remedies, jobs):
    parts = batched_jobs.deal(remedies, jobs)
    dealt = sorted((name, run) for part in parts for name, runs in part.items() for run in runs)
    assert dealt == sorted((one.name, run) for one in remedies.trained for run in one.runs)
    of = {
        (one.spec, run): [n for n, part in enumerate(parts) if run in part.get(one.name, ())]
        for one in remedies.trained
        for run in one.runs
    }
    assert all(len(found) == 1 for found in of.values())
    assert len(parts) == min(jobs, len(of)) and all(parts)
    longest = max(one.train.recipe.steps * one.train.recipe.batch for one in remedies.trained)
    shares = [work(remedies, part) for part in parts]
    assert max(shares) - min(shares) <= 2 * longest


def test_each_job_is_told_its_part_and_one_job_all(remedies):
    assert batched_jobs.folders_together(remedies, 1) == ["together"]
    folders = batched_jobs.folders_together(remedies, 2)
    assert folders == ["together/1-of-2", "together/2-of-2"]
    told = [
        (folder, run)
        for name in folders
        for entry in json.loads(batched_jobs.training_jobs(remedies, name))
        for folder, runs in entry["folders"].items()
        for run in runs
    ]
    everything = json.loads(batched_jobs.training_jobs(remedies))
    assert sorted(told) == sorted(
        (folder, run)
        for entry in everything
        for folder, runs in entry["folders"].items()
        for run in runs
    )
    read = {file for name in folders for file in batched_jobs.read_by(remedies, name)}
    assert read == set(batched_jobs.read_by(remedies))


@pytest.mark.parametrize("folder", ["together/3-of-2", "together/0-of-2", "together/1-of-9999"])
def test_a_part_that_there_is_not_is_refused(remedies, folder):
    with pytest.raises(KindredError, match=f"no job of this name has its trainings: {folder}"):
        batched_jobs.training_jobs(remedies, folder)
