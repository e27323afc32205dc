"""One training shared by two processes gives what one process gives, and stops."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import training_set
from forked_program import ForkedProgram
from safetensors.torch import load_file
from waiting import until

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


def start_forked(given, folder):
    """Two processes as torch's launcher starts them, copies of this one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {data_parallel.PROCESSES: "2", "WORLD_SIZE": "2"}
    common |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    ranks = [common | {"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(2)]
    return [ForkedProgram(train.main, given, folder / f"log-{own['RANK']}", own) for own in ranks]


def checkpointed(folder, said):
    """Wait until a checkpoint lies there; the steps of all that do."""

    def found():
        assert not (ended := said()), ended
        return list((folder / "work").rglob("step-*.pt"))

    return [int(path.stem[5:]) for path in until(found)]


def launched(given, folder):
    """What they say when torch's launcher starts them."""
    process = start(given)
    said = process.communicate(timeout=300)[1]
    assert process.returncode == 0, said
    return said


def forked(given, folder):
    """What they say when they are copies of this process."""
    both = start_forked(given, folder)
    assert [one.wait() for one in both] == [0, 0], both[0].said + both[1].said
    return both[0].said + both[1].said


@pytest.mark.parametrize("start_both", [forked, pytest.param(launched, marks=pytest.mark.long)])
def test_two_processes_give_the_adapter_of_one(data, tmp_path, start_both):
    alone, both = tmp_path / "alone", tmp_path / "both"
    train.main(arguments(data, alone))
    said = start_both(arguments(data, both), both)
    assert said.count("every pair checked") == 1
    expected = load_file(alone / "out" / "lora.safetensors")
    found = load_file(both / "out" / "lora.safetensors")
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-6)
    losses = [read_json(folder / "out" / "lora.json")["final_loss"] for folder in (alone, both)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_stopped_together(data, tmp_path):
    first, second = start_forked(arguments(data, tmp_path, steps=4000), tmp_path)
    checkpointed(tmp_path, lambda: first.said if first.poll() is not None else "")
    second.kill(signal.SIGTERM)  # one of them is enough
    assert (first.wait(), second.wait()) == (130, 130), first.said + second.said
    assert max(checkpointed(tmp_path, str)) < 4000
    assert not (tmp_path / "out" / "lora.safetensors").exists()


@pytest.mark.long
def test_stopped_by_their_launcher(data, tmp_path):
    process = start(arguments(data, tmp_path, steps=4000))
    checkpointed(tmp_path, lambda: process.stderr.read() if process.poll() is not None else "")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=120) != 0
    assert max(checkpointed(tmp_path, str)) < 4000
    assert not (tmp_path / "out" / "lora.safetensors").exists()


def test_too_few_micro_steps_are_refused(data, tmp_path, monkeypatch):
    monkeypatch.setenv(data_parallel.PROCESSES, "4")
    with pytest.raises(KindredError, match="gradient_accumulation: 3"):
        train.main(arguments(data, tmp_path))


def test_nonsense_in_the_environment(monkeypatch):
    monkeypatch.setenv(data_parallel.PROCESSES, "two")
    with pytest.raises(KindredError, match="whole number"):
        data_parallel.wanted()
