"""`memory_gib` is the size of a card: what is measured, what the allocator is held to, and how."""

import argparse
import os
import subprocess
import sys

import fake_gpu
import pytest
import torch
from fake_gpu import GIB

from kindred.common.errors import KindredError
from kindred.compute import devices, memory_limit, nvml
from kindred.config.device_config import DeviceConfig

CARD = f"GPU-{fake_gpu.UUID}"
CUDA = torch.device("cuda", 0)


@pytest.fixture
def gpu(monkeypatch):
    """A card of 24 GiB, and a limit of 12."""
    monkeypatch.setenv(memory_limit.MEMORY_GIB, "12")
    return fake_gpu.put_in(monkeypatch)


def held(gpu) -> float:
    """GiB that the allocator is held to, after a program asked for its device."""
    devices.prepare("cuda", 0)
    return gpu.share * gpu.total


def test_the_allocator_gets_what_driver_screen_and_libraries_leave(gpu, monkeypatch):
    gpu.reserved = 0.1
    mine = {(CARD, os.getpid()): int(0.7 * GIB), (CARD, 1): 9 * GIB}
    fake_gpu.driver(monkeypatch, [{(CARD, 1): 9 * GIB}, mine], [{}])
    outside = 0.7 - 0.1
    left = 12 - memory_limit.RESERVE_GIB - memory_limit.LATER_GIB - outside
    assert held(gpu) == pytest.approx(left)
    assert gpu.warmed == 1


def test_in_a_container_the_new_process_is_this_one(gpu, monkeypatch):
    others = {(CARD, 70001): GIB, ("GPU-other", 70002): GIB}
    new = {(CARD, 80001): int(0.8 * GIB), ("GPU-other", 80002): 2 * GIB}
    fake_gpu.driver(monkeypatch, [others, others | new], [{}])
    assert held(gpu) == pytest.approx(memory_limit.allocatable(12, 0.8 * GIB) / GIB)


def test_a_driver_that_names_no_processes_says_what_the_card_lost(gpu, monkeypatch):
    fake_gpu.driver(monkeypatch, [{}], [{CARD: 3 * GIB}, {CARD: int(3.3 * GIB)}])
    assert held(gpu) == pytest.approx(memory_limit.allocatable(12, 0.3 * GIB) / GIB)


@pytest.mark.parametrize("lost", [-1.0, 0.0, 7.0])
def test_what_others_disturbed_is_not_believed(gpu, monkeypatch, lost):
    fake_gpu.driver(monkeypatch, [{}], [{CARD: 3 * GIB}, {CARD: int((3 + lost) * GIB)}])
    assert held(gpu) == pytest.approx(memory_limit.allocatable(12) / GIB)


def test_two_new_processes_leave_no_guess_between_them(gpu, monkeypatch):
    new = {(CARD, 80001): GIB, (CARD, 80002): 2 * GIB}
    fake_gpu.driver(monkeypatch, [{}, new], [{}])
    assert held(gpu) == pytest.approx(memory_limit.allocatable(12) / GIB)


def test_it_is_measured_once_and_holds_on_all_gpus_of_a_process(gpu, monkeypatch):
    gpu.count = 2
    first = held(gpu)
    fake_gpu.driver(monkeypatch, [{(CARD, os.getpid()): 2 * GIB}], [{}])
    assert held(gpu) == first and len(gpu.capped) == 4 and gpu.warmed == 1


def test_without_a_limit_nothing_is_asked_or_capped(gpu, monkeypatch):
    monkeypatch.delenv(memory_limit.MEMORY_GIB)
    monkeypatch.setattr(nvml, "processes", lambda: pytest.fail("asked the driver"))
    assert devices.prepare("cuda", 0) == CUDA
    assert not gpu.capped and not gpu.warmed


def test_a_card_smaller_than_the_limit_is_not_capped(gpu, monkeypatch):
    gpu.total = 10
    assert held(gpu) == gpu.total


def test_a_size_that_leaves_nothing_is_said_plainly(gpu, monkeypatch):
    monkeypatch.setenv(memory_limit.MEMORY_GIB, "1.5")
    with pytest.raises(
        KindredError, match=r"memory_gib: 1\.5: .* the size of the card, at least 1\.7"
    ):
        devices.prepare("cuda", 0)


@pytest.mark.parametrize("text", ["much", "-1", "inf", "nan"])
def test_nonsense_in_the_environment(monkeypatch, text):
    monkeypatch.setenv(memory_limit.MEMORY_GIB, text)
    with pytest.raises(KindredError, match=f"{memory_limit.MEMORY_GIB}={text}"):
        memory_limit.card_gib()


def test_the_option_holds_for_what_a_program_starts_too(monkeypatch):
    monkeypatch.setenv(memory_limit.MEMORY_GIB, "24")
    parser = argparse.ArgumentParser()
    devices.add_arguments(parser)
    assert parser.parse_args([]).memory_gib == memory_limit.card_gib() == 24
    assert parser.parse_args(["--memory-gib", "8.5GB"]).memory_gib == 8.5
    told = f"import os; print(os.environ['{memory_limit.MEMORY_GIB}'])"
    assert subprocess.check_output([sys.executable, "-c", told], text=True).strip() == "8.5"


def test_it_comes_from_the_configuration():
    assert DeviceConfig(memory_gib=12).environment() == {memory_limit.MEMORY_GIB: "12.0"}
    assert DeviceConfig().environment() == {}


def test_what_can_still_be_allocated(gpu):
    gpu.capped, gpu.free, gpu.reserved, gpu.allocated = [0.5], 20, 3, 2
    assert memory_limit.available(CUDA) == pytest.approx((12 - 2) * GIB)
    gpu.free = 4
    assert memory_limit.available(CUDA) == pytest.approx((4 + 1) * GIB)


def test_a_card_is_as_large_as_what_it_is_for():
    for size in (6, 12, 24):
        assert memory_limit.card_for(memory_limit.allocatable(size)) == pytest.approx(size)


def test_without_a_driver_nothing_is_known(monkeypatch):
    monkeypatch.setattr(nvml, "LIBRARY", "libof-nobody.so")
    assert nvml.processes() == {} and nvml.used() == {}


def test_of_amds_cards_what_lies_beside_the_allocator_is_taken_as_usual(gpu, monkeypatch):
    monkeypatch.setattr(torch.version, "hip", "6.4")
    found = memory_limit.outside_allocator(torch.device("cuda", 0), {}, {})
    assert found == int(memory_limit.OUTSIDE_GIB * GIB) and not gpu.warmed
