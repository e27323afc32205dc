"""Recordings of GPU work, good ones and failed ones, on a real GPU; seconds."""

import gc

import pytest
import torch

from kindred.compute.cuda_graphs import CapturedGraph, RecordedNetwork

HERE = torch.cuda.is_available()
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not HERE, reason="needs a CUDA device; this machine has none"),
]
DEVICE = torch.device("cuda:0" if HERE else "cpu")


def test_work_is_replayed_on_new_numbers():
    total = torch.zeros(4, device=DEVICE)

    def add(x):
        total.add_(x)
        return total * 2

    work = CapturedGraph(add, DEVICE)
    for step in range(1, 7):
        found = work(torch.full((4,), float(step), device=DEVICE)).clone()
        assert found.tolist() == [step * (step + 1)] * 4
    assert work.graph is not None


def test_a_failed_recording_leaves_everything_in_order(capsys):
    before = torch.cuda.current_stream()
    asked = CapturedGraph(
        lambda x: x + x.sum().item(), DEVICE
    )  # waits for the GPU: can't be recorded
    for step in range(1, 6):
        assert asked(torch.full((2,), float(step), device=DEVICE)).tolist() == [3.0 * step] * 2
    assert asked.given_up and "can't be recorded" in capsys.readouterr().err
    assert torch.cuda.current_stream() == before
    torch.cuda.empty_cache()
    good = CapturedGraph(lambda x: x * 2, DEVICE)
    for step in range(5):
        assert good(torch.full((2,), float(step), device=DEVICE)).tolist() == [2.0 * step] * 2
    assert good.graph is not None


def test_a_network_sees_weights_that_change_in_place():
    layer = torch.nn.Linear(3, 2, bias=False, device=DEVICE)

    network = RecordedNetwork(lambda x: (layer(x),))
    with torch.inference_mode():
        for step in range(4):
            layer.weight.fill_(float(step))
            for rows in (1, 5):
                (found,) = network(x=torch.ones(rows, 3, device=DEVICE))
                assert found.tolist() == [[3.0 * step] * 2] * rows
    assert len(network.recordings) == 2


def test_recordings_that_are_gone_leave_nothing_behind():
    def held():
        gc.collect()
        torch.cuda.empty_cache()
        return torch.cuda.memory_allocated(DEVICE), torch.cuda.memory_reserved(DEVICE)

    def multiply():
        work = CapturedGraph(lambda x: x @ x, DEVICE)
        for _ in range(4):
            work(torch.ones(64, 64, device=DEVICE))
        assert work.graph is not None

    multiply()  # cuBLAS keeps one workspace for the stream that all are recorded on
    before = held()
    for _ in range(4):
        multiply()
    assert held() == before
