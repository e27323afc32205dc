"""A longer training goes on from a shorter one's kept state, to the bytes of an unbroken one."""

import csv
import os
import shutil

import pytest
import training_set

import train
from kindred.common.files import read_json, write_json
from kindred.specs.training import Recipe
from kindred.training import kept_states
from kindred.training.trainer import Trainer
from kindred.workflow import store_cleanup


@pytest.fixture(scope="module")
def shared(tmp_path_factory, base):
    return training_set.build(tmp_path_factory.mktemp("data") / "set", base, {"J": 2, "A+J": 2})


@pytest.fixture
def data(shared, tmp_path):
    shutil.copytree(shared.root, tmp_path / "set", ignore=shutil.ignore_patterns("store", "work"))
    return training_set.TrainingSet(tmp_path / "set", shared.base)


@pytest.fixture
def steps_done(monkeypatch):
    """The steps that trainings do from now on."""
    seen, original = [], Trainer.step

    def step(self, feeds):
        seen.append(self.done + 1)
        return original(self, feeds)

    monkeypatch.setattr(Trainer, "step", step)
    return seen


def run(data, out, **recipe):
    train.main(data.train_arguments(out, **recipe))
    return (out / "lora.safetensors").read_bytes()


RECIPES = {
    "plain": {},
    "averaged": {"ema": 0.9, "warmup": 3, "gradient_accumulation": 2, "batch": 1},
    "dropout": {"lora_dropout": 0.2, "caption_dropout": 0.5, "timesteps": "mode"},
    "adafactor": {"optimizer": "adafactor", "loraplus_lr_ratio": 4.0},
    "lokr": {"adapter_type": "lokr", "lokr_factor": 4},
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_going_on_ends_in_the_bytes_of_a_training_from_the_start(
    data, tmp_path, recipe, steps_done
):
    whole = run(data, tmp_path / "whole", steps=6, **recipe)
    training_set.forget(data)
    run(data, tmp_path / "short", steps=4, keep_state=True, **recipe)
    steps_done.clear()
    assert run(data, tmp_path / "longer", steps=6, keep_state=True, **recipe) == whole
    assert steps_done == [5, 6]
    rows = list(csv.DictReader((tmp_path / "longer/training.csv").open()))
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    assert read_json(tmp_path / "longer/lora.json")["steps"] == 6


def test_a_shorter_one_does_not_go_on_from_a_longer_ones_state(data, tmp_path, steps_done):
    run(data, tmp_path / "long", steps=4, keep_state=True)
    steps_done.clear()
    run(data, tmp_path / "short", steps=2)
    assert steps_done == [1, 2]


def test_another_training_does_not_go_on_from_it(data, tmp_path, steps_done):
    run(data, tmp_path / "short", steps=2, keep_state=True)
    for number, other in enumerate(({"lr": 1e-4}, {"rank": 3}, {"weight_decay": 0.5})):
        steps_done.clear()
        run(data, tmp_path / str(number), steps=3, **other)
        assert steps_done == [1, 2, 3]


def test_interrupted_while_it_goes_on_it_takes_its_own_checkpoint(data, tmp_path, monkeypatch):
    whole = run(data, tmp_path / "whole", steps=7)
    training_set.forget(data)
    run(data, tmp_path / "short", steps=3, keep_state=True)
    original, done = Trainer.step, []

    def breaks(self, feeds):
        done.append(self.done)
        if self.done == 5 and len(done) < 4:
            raise RuntimeError("power cut")
        return original(self, feeds)

    monkeypatch.setattr(Trainer, "step", breaks)
    with pytest.raises(RuntimeError, match="power cut"):
        run(data, tmp_path / "long", steps=7)
    assert run(data, tmp_path / "long", steps=7) == whole
    assert done == [3, 4, 5, 4, 5, 6]


def test_a_falling_rate_keeps_no_state_and_says_why(data, tmp_path, capsys, steps_done):
    cosine = {"schedule": "cosine", "keep_state": True}
    run(data, tmp_path / "short", steps=2, **cosine)
    assert "`schedule: cosine` falls over all steps" in capsys.readouterr().err
    assert not list(kept_states.folders(data.root / "work"))
    steps_done.clear()
    run(data, tmp_path / "long", steps=3, **cosine)
    assert steps_done == [1, 2, 3]


def test_what_is_kept_on_the_way_is_not_passed_over(data, tmp_path, capsys, steps_done):
    run(data, tmp_path / "short", steps=3, keep_state=True)
    steps_done.clear()
    run(data, tmp_path / "long", steps=4, keep=[2])
    assert steps_done == [1, 2, 3, 4]
    assert "adapter of step 2 is to be kept" in capsys.readouterr().err


def test_of_a_training_that_kept_none_it_is_said(data, tmp_path, capsys):
    run(data, tmp_path / "short", steps=2)
    assert "kept no state" not in capsys.readouterr().err
    run(data, tmp_path / "again", steps=2, keep_state=True)
    assert "copied from the store; it kept no state" in capsys.readouterr().err


def test_states_that_no_result_mentions_can_be_pruned(data, tmp_path):
    results = tmp_path / "results"
    run(data, results / "e/v/run-1", steps=2, keep_state=True)
    run(data, tmp_path / "elsewhere", steps=2, keep_state=True, rank=3)
    write_json(
        results / "e/v/run-1/images/p.json",
        {"prompt_set": "p", "settings": {}, "adapters": [], "images": []},
    )
    used = store_cleanup.referenced_by(results)
    work = data.root / "work"
    for file in (work / kept_states.STATES).rglob("*.pt"):
        os.utime(file, (1, 1))
    items = store_cleanup.stored(tmp_path / "images", data.root / "store", used, checkpoints=work)
    states = {item.path.name: item for item in items if item.kind == "state"}
    key = read_json(results / "e/v/run-1/lora.json")["state"]
    assert states.pop(key).used
    (unused,) = states.values()
    assert not unused.used and unused.size > 0
    assert store_cleanup.delete(store_cleanup.prunable([unused], 1, used)) == unused.size
    assert [path.name for path in kept_states.folders(work)] == [key]


def test_only_a_constant_rate_can_be_gone_on_from():
    assert kept_states.why_none(Recipe(warmup=10)) == ""
    assert "linear" in kept_states.why_none(Recipe(schedule="linear"))
