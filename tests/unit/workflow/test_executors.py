"""Device settings where jobs run here, and where they are sent elsewhere."""

import pytest

from kindred.common.errors import ProblemsError
from kindred.compute import devices
from kindred.config.device_config import DeviceConfig
from kindred.workflow import executors


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """One with two GPUs."""
    monkeypatch.setattr(executors, "gpus_visible", lambda: ["0", "1"])


@pytest.mark.parametrize(
    ("settings", "limit", "slots", "each"),
    [
        ({"kind": "cpu"}, 1, 1, 0),
        ({}, None, 2, 1),
        ({}, 4, 4, 1),
        ({"kind": "mps"}, None, 1, 1),
        ({"jobs_per_gpu": 3}, None, 6, 1),
        ({"jobs_per_gpu": 3, "device_map": True}, 4, 12, 12),
        ({"device_map": [12, 24]}, 100, 100, 2),  # a cluster's 100 GPUs: a job takes two
    ],
)
def test_slots_of_all_and_of_one_job(settings, limit, slots, each):
    device = DeviceConfig(**settings)
    assert executors.gpu_slots(device, limit) == slots
    assert executors.slots_each(device, limit) == each


def test_without_a_gpu_auto_asks_for_none_and_cuda_for_one(monkeypatch):
    monkeypatch.setattr(executors, "gpus_visible", lambda: [])
    assert executors.slots_each(DeviceConfig(), None) == 0
    assert executors.slots_each(DeviceConfig(kind="cuda"), None) == 1
    assert executors.slots_each(DeviceConfig(kind="cuda", device_map=[8, 8]), None) == 2


@pytest.mark.parametrize(
    ("settings", "limit", "jobs"),
    [
        ({}, None, 2),
        ({}, 1, 1),
        ({"jobs_per_gpu": 3}, 2, 2),
        ({"device_map": True}, 2, 1),
        ({"kind": "cpu"}, 2, 1),
        ({"kind": "cpu", "jobs_together": 3}, None, 3),
        ({"kind": "cuda", "jobs_together": 8}, 1, 8),
    ],
)
def test_trainings_together_are_a_job_a_gpu(settings, limit, jobs):
    assert executors.jobs_together(DeviceConfig(**settings), limit) == jobs


@pytest.mark.parametrize(
    ("settings", "experiments", "gpus", "waiting"),
    [
        ({}, ["ours-first-look"], [0], 1),
        ({"kind": "cuda"}, ["ours-first-look"], [0], 1),
        ({"kind": "cpu"}, ["ours-first-look"], [0], 0),
        ({"kind": "mps"}, ["ours-first-look"], [0], 0),
        ({"jobs_per_gpu": 2}, ["ours-first-look"], [0], 0),
        ({}, ["ours-first-look"], [0, 1], 0),
        ({}, ["ours-first-look"], [], 0),
        ({}, ["ours-first-look", "ours"], [0], 0),
    ],
)
def test_a_job_of_a_first_look_waits_beside_the_one_on_the_only_gpu(
    monkeypatch, settings, experiments, gpus, waiting
):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices, "gpus_present", lambda: gpus)
    device = DeviceConfig(**settings)
    assert executors.jobs_waiting(device, experiments, True) == waiting
    assert executors.jobs_waiting(device, experiments, False) == 0
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")  # is locked by nobody
    assert executors.jobs_waiting(device, experiments, True) == 0


def test_experiments_fill_the_gpus_before_one_is_divided():
    dealt = [executors.jobs_together(DeviceConfig(), 4, count) for count in (0, 1, 2, 3, 4, 10)]
    assert dealt == [4, 4, 2, 2, 1, 1]
    assert executors.jobs_together(DeviceConfig(jobs_together=8), 4, 10) == 8


def test_each_gpu_trains_a_stack_of_its_own():
    assert executors.gpus_used(DeviceConfig(jobs_per_gpu=3), 4) == 4
    assert executors.gpus_used(DeviceConfig(kind="cpu"), 4) == 1


def test_what_can_be_followed_elsewhere_is_let_through():
    executors.check_elsewhere(DeviceConfig(kind="cpu"))
    executors.check_elsewhere(DeviceConfig(kind="cuda", device_map=[12, 24]))
    executors.check_elsewhere(DeviceConfig(kind="cuda", processes=2))
    with pytest.raises(ProblemsError, match=r"device\.kind") as error:
        executors.check_elsewhere(DeviceConfig(jobs_per_gpu=2))
    assert "device.jobs_per_gpu" in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (["-n"], {}, ""),
        (["--workflow-profile", "profiles/slurm"], {"SNAKEMAKE_PROFILE": "mine"}, ""),
        (["--profile", "profiles/slurm"], {}, "--profile"),
        (["--profile=mine", "-n"], {}, "--profile"),
        ([], {"SNAKEMAKE_PROFILE": "mine"}, "SNAKEMAKE_PROFILE"),
        ([], {"SNAKEMAKE_PROFILE": "none"}, ""),
    ],
)
def test_a_profile_that_loses_is_told(arguments, variables, said):
    warning = executors.losing_profile(arguments, variables)
    assert warning.startswith(said) and bool(warning) == bool(said)
    assert not said or "--workflow-profile" in warning
