"""One training shared by two processes gives what one process gives, and resumes, and stops."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import training_set
from safetensors.torch import load_file

import train
from kindred.common.errors import KindredError
from kindred.common.files import read_json
from kindred.compute import data_parallel

RECIPE = {
    "steps": 4,
    "gradient_accumulation": 3,
    "batch": 2,
    "checkpoint_every": 2,
    "lora_dropout": 0.1,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory, base):
    return training_set.build(
        tmp_path_factory.mktemp("team") / "set", base, {"J": 3, "A": 2, "A+J": 3}
    )


def arguments(data, tmp_path, **recipe):
    """For a training of two processes with a store of its own."""
    given = data.train_arguments(tmp_path / "out", **(RECIPE | recipe))
    places = {"--store": tmp_path / "store", "--checkpoints": tmp_path / "work"}
    for name, place in places.items():
        if name in given:
            given[given.index(name) + 1] = str(place)
        else:
            given += [name, str(place)]
    return given


def start(given):
    environment = os.environ | {data_parallel.PROCESSES: "2", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(Path(train.__file__)), *given]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def test_two_processes_give_the_adapter_of_one(data, tmp_path):
    alone, both = tmp_path / "alone", tmp_path / "both"
    train.main(arguments(data, alone))
    process = start(arguments(data, both))
    said = process.communicate(timeout=300)[1]
    assert process.returncode == 0, said
    assert said.count("every pair checked") == 1
    expected = load_file(alone / "out" / "lora.safetensors")
    found = load_file(both / "out" / "lora.safetensors")
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-6)
    losses = [read_json(folder / "out" / "lora.json")["final_loss"] for folder in (alone, both)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_stopped_together_and_taken_up_again(data, tmp_path):
    given = arguments(data, tmp_path, steps=4000)
    process = start(given)
    until = time.monotonic() + 120
    while not list((tmp_path / "work").rglob("step-*.pt")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=120) != 0
    steps = [int(path.stem[5:]) for path in (tmp_path / "work").rglob("step-*.pt")]
    assert max(steps) < 4000
    assert not (tmp_path / "out" / "lora.safetensors").exists()


def test_too_few_micro_steps_are_refused(data, tmp_path, monkeypatch):
    monkeypatch.setenv(data_parallel.PROCESSES, "4")
    with pytest.raises(KindredError, match="gradient_accumulation: 3"):
        train.main(arguments(data, tmp_path))


def test_nonsense_in_the_environment(monkeypatch):
    monkeypatch.setenv(data_parallel.PROCESSES, "two")
    with pytest.raises(KindredError, match="whole number"):
        data_parallel.wanted()
