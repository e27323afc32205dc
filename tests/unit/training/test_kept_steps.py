"""Adapters kept on the way: which, in the store, whole after any interruption, put back, and those
of stacks."""

import shutil
import signal

import pytest
import torch
import training_set
from forked_program import ForkedProgram
from pydantic import ValidationError
from safetensors.torch import load_file
from trainings import run, stack, stop_at, wait_for_checkpoint, waiting_in

import train
from kindred.common import safetensors_files
from kindred.common.errors import KindredError
from kindred.common.files import read_json
from kindred.specs.training import Recipe
from kindred.training import adapter_store, kept_steps

CELLS = {"J": 3, "A": 2, "A+J": 3}
TOLERANCE = 1e-4  # of stacks: sums are taken in another order


@pytest.fixture(scope="module")
def shared(tmp_path_factory, base):
    return training_set.build(tmp_path_factory.mktemp("data") / "set", base, CELLS)


@pytest.fixture
def data(shared, tmp_path):
    """A copy of the shared set, with a store of its own."""
    shutil.copytree(shared.root, tmp_path / "set", ignore=shutil.ignore_patterns("store", "work"))
    return training_set.TrainingSet(tmp_path / "set", shared.base)


@pytest.mark.parametrize(
    ("keep", "steps"),
    [
        (None, []),
        ({"every": 300}, [300, 600, 900, 1000]),
        ({"every": 500}, [500, 1000]),
        ({"last": 2}, [750, 1000]),
        ({"every": 100, "last": 3}, [800, 900, 1000]),
        ([700, 20, 5000], [20, 700, 1000]),
    ],
)
def test_which_steps_are_a_series(keep, steps):
    assert Recipe(steps=1000, keep=keep).series == steps


def test_keep_says_which():
    with pytest.raises(ValidationError, match="set `every`"):
        Recipe(keep={})


def kept(data, out, steps):
    """Fetch kept steps to a run's folder; their bytes."""
    return [kept_steps.fetch(data.root / "store", out, step).read_bytes() for step in steps]


def test_a_kept_step_is_the_training_that_ends_there(data, tmp_path):
    plain = run(data, tmp_path / "plain", steps=6, ema=0.9)
    training_set.forget(data)
    assert run(data, tmp_path / "out", steps=6, ema=0.9, keep=[2, 4]) == plain
    kept(data, tmp_path / "out", [2, 4])
    found = load_file(tmp_path / "out/steps/4/lora.safetensors")
    run(data, tmp_path / "short", steps=4, ema=0.9)
    ended = load_file(tmp_path / "short/lora.safetensors")
    assert found.keys() == ended.keys()
    assert all(torch.equal(value, ended[name]) for name, value in found.items())
    _, header = safetensors_files.header(tmp_path / "out/steps/4/lora.safetensors")
    assert header["step"] == "4" and header["run"] == "0"


def test_a_series_that_is_asked_for_later_is_trained_for_and_changes_nothing(data, tmp_path):
    first = run(data, tmp_path / "out")
    with pytest.raises(KindredError, match="adapter at step 2 is not in the store"):
        kept(data, tmp_path / "out", [2])
    assert run(data, tmp_path / "out", keep=[2]) == first
    whole = kept(data, tmp_path / "out", [2])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kindred.training.run.train", lambda *_: pytest.fail("trained again"))
        assert run(data, tmp_path / "again", keep=[2]) == first
    assert kept(data, tmp_path / "again", [2]) == whole


@pytest.mark.parametrize("interrupted", [5, 6])
def test_interrupted_at_any_step_the_series_is_whole(data, tmp_path, interrupted):
    recipe = {"steps": 8, "checkpoint_every": 3, "keep": {"every": 2}}
    run(data, tmp_path / "whole", **recipe)
    wanted = kept(data, tmp_path / "whole", [2, 4, 6])
    training_set.forget(data)
    stop_at(data, interrupted, tmp_path / "out", recipe)
    run(data, tmp_path / "out", **recipe)
    assert kept(data, tmp_path / "out", [2, 4, 6]) == wanted
    assert len(list((data.root / "store").iterdir())) == 4


def test_killed_the_series_is_whole_after_the_next_start(data, tmp_path):
    recipe = {"steps": 8, "checkpoint_every": 3, "keep": {"every": 2}}
    given = data.train_arguments(tmp_path / "out", **recipe)
    with pytest.MonkeyPatch.context() as patch:
        waiting_in(5, patch)
        process = ForkedProgram(train.main, given, tmp_path / "log")
        wait_for_checkpoint(data, process)
        process.kill(signal.SIGKILL)
        process.wait()
    train.main(given)
    found = kept(data, tmp_path / "out", [2, 4, 6])
    training_set.forget(data)
    run(data, tmp_path / "whole", **recipe)
    assert kept(data, tmp_path / "whole", [2, 4, 6]) == found


def test_a_training_goes_on_from_before_a_step_that_was_lost(data, tmp_path):
    recipe = {"steps": 8, "checkpoint_every": 3, "keep": [4]}
    run(data, tmp_path / "whole", **recipe)
    wanted = kept(data, tmp_path / "whole", [4])
    training_set.forget(data)
    stop_at(data, 7, tmp_path / "out", recipe)  # checkpoints after 3 and 6
    shutil.rmtree(data.root / "store")
    run(data, tmp_path / "out", **recipe)
    assert kept(data, tmp_path / "out", [4]) == wanted


def test_a_broken_entry_is_trained_again(data, tmp_path, capsys):
    run(data, tmp_path / "out", keep=[2])
    facts = {name: read_json(tmp_path / "out/lora.json")[name] for name in adapter_store.FACTS}
    file = kept_steps.stored_file(data.root / "store", facts, 2)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    run(data, tmp_path / "out", keep=[2])
    assert file.read_bytes() == whole
    assert "training it again" in capsys.readouterr().err


def test_kept_steps_are_put_back(data, tmp_path):
    run(data, tmp_path / "out", keep=[2])
    (whole,) = kept(data, tmp_path / "out", [2])
    shutil.rmtree(data.root / "store")
    other = tmp_path / "out/steps/3/lora.safetensors"  # another step's file
    other.parent.mkdir()
    shutil.copyfile(tmp_path / "out/steps/2/lora.safetensors", other)
    (tmp_path / "out/steps/1").mkdir()
    (tmp_path / "out/steps/1/lora.safetensors").write_bytes(b"half")
    assert kept_steps.put_back(data.root / "store", tmp_path / "out") == [2]
    assert kept_steps.put_back(data.root / "store", tmp_path / "out") == []
    assert kept(data, tmp_path / "out", [2]) == [whole]


def test_stacks_keep_steps_too_those_of_all_who_share_a_training(data, tmp_path):
    recipe = {"rank": 2, "steps": 6, "lr": 1e-2}
    jobs = [
        data.train_arguments(tmp_path / "a", **recipe, keep=[2]),
        data.train_arguments(tmp_path / "b", **recipe, keep=[4], ema=0.9),
        data.train_arguments(tmp_path / "c", **recipe, keep=[5]),
    ]
    report = stack(data, jobs, tmp_path)
    assert len(report["trained"]) == 2 and len(report["same"]) == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kindred.training.run.train", lambda *_: pytest.fail("trained again"))
        for given in jobs:
            train.main(given)
    kept(data, tmp_path / "a", [2, 5])
    kept(data, tmp_path / "b", [4])
    training_set.forget(data)
    for name, step, more in (("a", 2, {}), ("b", 4, {"ema": 0.9}), ("c", 5, {})):
        alone = tmp_path / f"alone-{name}"
        train.main(data.train_arguments(alone, **recipe, **more, keep=[step]))
        kept(data, alone, [step])
        there = "a" if name == "c" else name
        first, second = (
            load_file(one / f"steps/{step}/lora.safetensors") for one in (alone, tmp_path / there)
        )
        for key, value in first.items():
            assert (value - second[key]).norm() < TOLERANCE * value.norm(), (name, key)
