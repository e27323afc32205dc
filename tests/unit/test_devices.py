"""Which device a job takes, and that two jobs never take one GPU."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kindred import devices
from kindred.errors import KindredError

HOLD = """
import sys, time
from pathlib import Path
from kindred import devices
devices.lock_folder = lambda: Path(sys.argv[1])
devices.gpus_present = lambda: [0, 1]
print(devices.claim("auto"), __import__("os").environ["CUDA_VISIBLE_DEVICES"], flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices, "lock_folder", lambda: tmp_path)
    monkeypatch.setattr(devices, "_held", [])


def present(monkeypatch, *gpus):
    monkeypatch.setattr(devices, "gpus_present", lambda: list(gpus))


def test_cpu_when_asked_or_when_there_is_nothing_else(monkeypatch):
    present(monkeypatch)
    assert devices.claim("cpu") == devices.claim("auto") == "cpu"
    with pytest.raises(KindredError, match="no NVIDIA GPU"):
        devices.claim("cuda")


def test_the_batch_systems_choice_is_kept(monkeypatch):
    present(monkeypatch, 0, 1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert devices.claim("auto") == "cuda" and os.environ["CUDA_VISIBLE_DEVICES"] == "1"
    assert devices._held == []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert devices.claim("auto") == "cpu"
    with pytest.raises(KindredError, match="hides every GPU"):
        devices.claim("cuda")


def holder(folder):
    program = [sys.executable, "-c", HOLD, str(folder)]
    library = Path(devices.__file__).parents[1]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=library)
    return process, process.stdout.readline().split()


def test_two_jobs_take_two_gpus_and_a_killed_one_lets_go(monkeypatch, tmp_path):
    present(monkeypatch, 0, 1)
    first, said = holder(tmp_path)
    try:
        assert said == ["cuda", "0"]
        assert devices.claim("auto") == "cuda"
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
        with pytest.raises(KindredError, match="no GPU of 2 got free"):
            devices.claim("auto", wait_s=0.2, poll_s=0.05)
    finally:
        first.kill()
        first.wait()
    assert devices.claim("auto", wait_s=5, poll_s=0.05) == "cuda"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"


def test_gpus_are_counted_by_their_device_files(tmp_path):
    for name in ("nvidia0", "nvidia11", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / name).touch()
    assert devices.gpus_present(tmp_path) == [0, 11]
