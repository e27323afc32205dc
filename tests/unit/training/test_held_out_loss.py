"""The loss on photos that are not trained on: fixed, alone and in a stack, whole after a kill."""

import csv
import shutil

import pytest
import torch
import training_set
from safetensors.torch import load_file
from trainings import lora_bytes, stack, stop_at

import train
from kindred.common import safetensors_files
from kindred.common.files import read_json
from kindred.specs.training import Recipe
from kindred.training import held_out_loss, kept_steps
from kindred.training.held_out_curve import is_due, rising_since, warning_of

CELLS = {"J": 3, "A": 2, "A+J": 3}


@pytest.fixture(scope="module")
def shared(tmp_path_factory, base):
    return training_set.build(tmp_path_factory.mktemp("data") / "set", base, CELLS)


@pytest.fixture
def data(shared, tmp_path):
    """A copy of the shared set, with a store of its own."""
    shutil.copytree(shared.root, tmp_path / "set", ignore=shutil.ignore_patterns("store", "work"))
    return training_set.TrainingSet(tmp_path / "set", shared.base)


def arguments(data, out, run=0, held_out=1, **recipe):
    selection = {"selection": {"held_out": held_out}} if held_out else {}
    return data.spec_arguments(out, run, {"recipe": data.recipe(**recipe), **selection})


def told(out):
    """Step -> held-out loss, of a training's log."""
    rows = csv.DictReader((out / "training.csv").open())
    return {int(row["step"]): float(row["held_out_loss"]) for row in rows if row["held_out_loss"]}


def header(file):
    return safetensors_files.header(file)[1].get("held_out_loss")


def test_it_is_told_in_log_summary_and_every_kept_step(data, tmp_path):
    out = tmp_path / "out"
    train.main(arguments(data, out, steps=5, keep=[1], checkpoint_every=4))
    found, summary = told(out), read_json(out / "lora.json")
    assert list(found) == [1, 4, 5]
    assert summary["held_out_loss"] == found[5] == float(header(out / "lora.safetensors"))
    step = kept_steps.fetch(data.root / "store", out, 1)
    assert float(header(step)) == found[1] != found[5]
    held, trained = set(summary["held_out"]), set(summary["images"])
    assert held and not held & trained and len(held | trained) == sum(CELLS.values())


def test_who_holds_nothing_out_has_the_log_of_old(data, tmp_path):
    train.main(arguments(data, tmp_path, held_out=None))
    first = (tmp_path / "training.csv").read_text().splitlines()[0]
    assert first == "step,loss,lr,seconds,memory_mib"
    assert header(tmp_path / "lora.safetensors") is None
    assert "held_out" not in read_json(tmp_path / "lora.json")


def test_it_changes_nothing_that_is_trained(data, tmp_path, monkeypatch):
    recipe = {"lora_dropout": 0.3, "caption_dropout": 0.3, "ema": 0.9}
    train.main(arguments(data, tmp_path / "with", **recipe))
    training_set.forget(data)
    monkeypatch.setattr(held_out_loss, "is_due", lambda *_: False)
    train.main(arguments(data, tmp_path / "without", **recipe))
    first, second = (load_file(tmp_path / x / "lora.safetensors") for x in ("with", "without"))
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_it_is_the_saved_adapters_loss_whatever_the_run_draws(data, tmp_path):
    """Before anything is learned it is the base's, in every run; dropout has no part in it."""
    recipe = {"steps": 1, "lr": 1e-30, "weight_decay": 0.0, "lora_dropout": 0.5}
    for run in (1, 2):
        train.main(arguments(data, tmp_path / f"{run}", run, **recipe))
    assert told(tmp_path / "1") == told(tmp_path / "2")


def test_scrambled_captions_are_held_out_with_their_own(data, tmp_path):
    recipe = data.recipe(steps=1, lr=1e-30, weight_decay=0.0)
    for name, more in (("plain", {}), ("scrambled", {"pairing": "scrambled"})):
        spec = {"recipe": recipe, "selection": {"held_out": 1}, **more}
        train.main(data.spec_arguments(tmp_path / name, 0, spec))
    assert told(tmp_path / "plain") == told(tmp_path / "scrambled")


@pytest.mark.parametrize("interrupted", [3, 5])
def test_after_an_interruption_all_is_as_without(data, tmp_path, interrupted):
    recipe = {"steps": 6, "keep": [1, 3]}
    train.main(arguments(data, tmp_path / "whole", **recipe))
    kept = [kept_steps.fetch(data.root / "store", tmp_path / "whole", n) for n in (1, 3)]
    training_set.forget(data)

    class Same(training_set.TrainingSet):
        def train_arguments(self, out, run=0, **recipe):
            return arguments(self, out, run, **recipe)

    stop_at(Same(data.root, data.base), interrupted, tmp_path / "out", recipe)
    train.main(arguments(data, tmp_path / "out", **recipe))
    assert lora_bytes(tmp_path / "out") == lora_bytes(tmp_path / "whole")
    again = [kept_steps.fetch(data.root / "store", tmp_path / "out", n) for n in (1, 3)]
    assert [one.read_bytes() for one in again] == [one.read_bytes() for one in kept]
    assert told(tmp_path / "out") == told(tmp_path / "whole")


@pytest.mark.long
def test_in_a_stack_it_is_the_same(data, tmp_path):
    members = {
        "plain": {"steps": 5, "keep": [1]},
        "averaged": {"run": 1, "ema": 0.5, "steps": 6, "lr": 1e-2},
        "two": {"held_out": {"J": 2}, "checkpoint_every": 1, "rank": 4},
        "none": {"held_out": None},
    }
    for name, given in members.items():
        train.main(arguments(data, tmp_path / "alone" / name, **given))
    training_set.forget(data)
    jobs = [arguments(data, tmp_path / "stack" / name, **given) for name, given in members.items()]
    report = stack(data, jobs, tmp_path)
    assert len(report["trained"]) == 4
    for name, given in members.items():
        out = tmp_path / "stack" / name
        train.main(arguments(data, out, **given))
        if name == "none":
            assert "held_out" not in (out / "training.csv").read_text()
        else:
            assert told(out) == pytest.approx(told(tmp_path / "alone" / name), rel=1e-4)
    step = kept_steps.fetch(data.root / "store", tmp_path / "stack/plain", 1)
    assert float(header(step)) == told(tmp_path / "stack/plain")[1]


def test_when_it_is_taken():
    recipe = Recipe(steps=1000, checkpoint_every=400, keep=[100, 300])
    assert [n for n in range(1, 1101) if is_due(recipe, n)] == [100, 300, 400, 800, 1000]


@pytest.mark.parametrize(
    ("losses", "since"),
    [
        ([1.0, 0.9, 0.8, 0.7, 0.6, 0.5], None),
        ([1.0, 0.5, 0.6, 0.7, 0.8, 0.9], 200),
        ([1.0, 0.9, 0.8, 0.5, 0.6, 0.7], 400),
        ([1.0, 0.9, 0.8, 0.9, 0.5, 0.6], None),  # for less than a third
        ([1.0, 0.5, 0.504, 0.501, 0.504, 0.502], None),  # nearly flat
        ([1.0, 0.5, 0.9, 0.8, 0.7, 0.6], None),  # falling again
        ([], None),
    ],
)
def test_rising_for_a_third_of_the_training(losses, since):
    curve = [(100 * n, loss) for n, loss in enumerate(losses, 1)]
    assert rising_since(curve, 600) == since
    assert bool(warning_of(curve, 600)) == bool(since)


def test_a_person_is_told_once_while_it_rises(data, tmp_path, monkeypatch, capsys):
    rising = iter([0.1, 0.5, 0.6, 0.7])
    monkeypatch.setattr(held_out_loss.HeldOutLoss, "_mean", lambda *_: next(rising))
    train.main(arguments(data, tmp_path, checkpoint_every=1))
    said = capsys.readouterr().err
    assert said.count("the held-out loss has risen since step 1") == 1
