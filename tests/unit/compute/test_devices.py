"""Which device a job takes, and that two jobs never take one GPU."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from kindred.common.errors import KindredError
from kindred.compute import devices

FALLBACK = "PYTORCH_ENABLE_MPS_FALLBACK"
HOLD = """
import sys, time
from pathlib import Path
from kindred.compute import devices
devices.lock_folder = lambda: Path(sys.argv[1])
devices.gpus_present = lambda: [0, 1]
print(devices.acquire_device("auto"), __import__("os").environ["CUDA_VISIBLE_DEVICES"], flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices, "lock_folder", lambda: tmp_path)
    monkeypatch.setattr(devices, "_held", [])
    monkeypatch.setattr(devices, "_taken", [])
    for name in devices.ALLOCATIONS:
        monkeypatch.delenv(name, raising=False)


def present(monkeypatch, *gpus):
    monkeypatch.setattr(devices, "gpus_present", lambda: list(gpus))


def test_cpu_when_asked_or_when_there_is_nothing_else(monkeypatch):
    present(monkeypatch)
    assert devices.acquire_device("cpu") == devices.acquire_device("auto") == "cpu"
    with pytest.raises(KindredError, match="no NVIDIA GPU"):
        devices.acquire_device("cuda")


def test_the_batch_systems_choice_is_kept(monkeypatch):
    present(monkeypatch, 0, 1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert devices.acquire_device("auto") == "cuda" and os.environ["CUDA_VISIBLE_DEVICES"] == "1"
    assert devices._held == []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert devices.acquire_device("auto") == "cpu"
    with pytest.raises(KindredError, match="hides every GPU"):
        devices.acquire_device("cuda")


def test_gpus_of_an_allocation_are_dealt_out_one_job_each(monkeypatch, tmp_path):
    present(monkeypatch)  # a container may have no /dev/nvidia0
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    taken = []
    for _ in range(2):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 5")
        assert devices.acquire_device("auto", wait_s=0) == "cuda"
        taken.append(os.environ["CUDA_VISIBLE_DEVICES"])
    assert taken == ["2", "5"]
    assert {path.name for path in tmp_path.iterdir()} == {"gpu-17-2.lock", "gpu-17-5.lock"}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    with pytest.raises(KindredError, match="none of the 2 GPUs became free"):
        devices.acquire_device("cuda", wait_s=0, poll_s=0.01)
    # Another allocation of this machine may call GPUs of its own by the same numbers.
    monkeypatch.setenv("SLURM_JOB_ID", "18")
    assert devices.acquire_device("cuda", wait_s=0) == "cuda"


def test_named_gpus_are_the_machines_own_without_a_batch_system(monkeypatch, tmp_path):
    present(monkeypatch, 0, 1)
    assert devices.acquire_device("auto", wait_s=0) == "cuda"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert devices.acquire_device("auto", wait_s=0) == "cuda"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "1", "0 is locked by who saw no list"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-8f/1,GPU-9a")
    assert devices.acquire_device("auto", wait_s=0) == "cuda"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-8f/1"
    assert (tmp_path / "gpu-GPU-8f_1.lock").exists()


def test_a_process_asks_for_its_gpus_once(monkeypatch):
    present(monkeypatch)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    for _ in range(2):
        assert devices.acquire_device("auto", wait_s=0, split=devices.Split()) == "cuda"
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,1"


@pytest.mark.parametrize(
    ("named", "seen"), [("", []), ("-1", []), ("0,-1,1", ["0"]), ("1,0", ["1", "0"]), ("3", ["3"])]
)
def test_what_is_visible(monkeypatch, named, seen):
    present(monkeypatch, 0, 1)
    assert devices.gpus_visible() == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    assert devices.gpus_visible() == seen


def test_a_container_that_was_given_the_fourth_gpu_calls_it_the_first(monkeypatch):
    present(monkeypatch, 3)
    assert devices.gpus_visible() == ["0"]


def holder(folder, **variables):
    program = [sys.executable, "-c", HOLD, str(folder)]
    library = Path(devices.__file__).parents[2]
    process = subprocess.Popen(
        program, stdout=subprocess.PIPE, text=True, cwd=library, env=os.environ | variables
    )
    return process, process.stdout.readline().split()


def test_a_job_imports_while_another_has_the_only_gpu(monkeypatch, tmp_path):
    present(monkeypatch, 0)
    said: list[object] = []
    turns = iter([False, False, True])
    monkeypatch.setattr(devices, "_lock", lambda *_: said.append("asked") or next(turns))
    monkeypatch.setattr(devices, "import_module", said.append)
    monkeypatch.setattr(devices.time, "sleep", said.append)
    monkeypatch.delenv("PYTORCH_ALLOC_CONF", raising=False)
    assert devices.acquire_device("cuda", poll_s=0.01) == "cuda"
    waiting = [*devices.IMPORTED, 0.01]
    assert said == ["asked", *waiting, "asked", 0.01, "asked", devices.SETTLED_S]
    assert os.environ["PYTORCH_ALLOC_CONF"], "torch reads it when it is imported"


def test_a_job_does_not_overtake_one_that_waits_for_the_only_gpu(monkeypatch):
    present(monkeypatch, 0)
    with devices._place_in_line("0"), pytest.raises(KindredError, match="did not become free"):
        devices.acquire_device("cuda", wait_s=0)
    assert devices.acquire_device("cuda", wait_s=0) == "cuda"
    devices._place_in_line("0").close()  # whoever works on it lets the next one wait


def test_what_waiting_jobs_import_is_there():
    assert all(map(importlib.util.find_spec, devices.IMPORTED))


def test_ranks_of_a_shared_training_take_a_gpu_each(tmp_path):
    """The launcher gives each rank the same environment."""
    ranks = [holder(tmp_path, CUDA_VISIBLE_DEVICES="4,6", RANK=str(rank)) for rank in range(2)]
    try:
        assert sorted(said[1] for _, said in ranks) == ["4", "6"]
    finally:
        for process, _ in ranks:
            process.kill()
            process.wait()


def test_two_jobs_take_two_gpus_and_a_killed_one_lets_go(monkeypatch, tmp_path):
    present(monkeypatch, 0, 1)
    first, said = holder(tmp_path)
    try:
        assert said == ["cuda", "0"]
        assert devices.acquire_device("auto") == "cuda"
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
        with pytest.raises(KindredError, match="none of the 2 GPUs became free"):
            devices.acquire_device("auto", wait_s=0.2, poll_s=0.05)
    finally:
        first.kill()
        first.wait()
    assert devices.acquire_device("auto", wait_s=99, poll_s=0.05) == "cuda"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"


def test_gpus_are_counted_by_their_device_files(tmp_path):
    for name in ("nvidia0", "nvidia11", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / name).touch()
    assert devices.gpus_present(tmp_path) == [0, 11]


def test_gpus_of_amd_are_counted_where_torch_is_built_for_them(monkeypatch, tmp_path):
    (tmp_path / "nvidia0").touch()
    for node, number in (("0", "0"), ("1", "51110"), ("2", "7019")):
        (tmp_path / "nodes" / node).mkdir(parents=True)
        (tmp_path / "nodes" / node / "gpu_id").write_text(f"{number}\n")
    assert devices.gpus_present(tmp_path, tmp_path / "nodes") == [0]
    monkeypatch.setattr(torch.version, "hip", "6.4")
    assert devices.gpus_present(tmp_path, tmp_path / "nodes") == [0, 1]
    assert devices.gpus_present(tmp_path, tmp_path / "none") == []


def test_apples_gpu_is_taken_only_when_asked_for_and_by_one_job_at_a_time(monkeypatch, tmp_path):
    present(monkeypatch)
    monkeypatch.delenv(FALLBACK, raising=False)
    with pytest.raises(KindredError, match="no Apple GPU"):
        devices.acquire_device("mps")
    monkeypatch.setattr(devices, "has_apple_gpu", lambda: True)
    assert devices.acquire_device("auto") == "cpu" and FALLBACK not in os.environ
    assert devices.acquire_device("mps") == devices.acquire_device("mps") == "mps"
    assert os.environ[FALLBACK] == "1" and "CUDA_VISIBLE_DEVICES" not in os.environ
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"gpu-mps.lock", "gpu-mps.next.lock"}
    monkeypatch.setattr(devices, "_taken", [])  # as another process
    with pytest.raises(KindredError, match="the GPU did not become free"):
        devices.acquire_device("mps", wait_s=0, poll_s=0.01)


def test_a_mac_needs_a_torch_that_can_use_it(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(KindredError, match="torch can't use it"):
        devices.prepare("mps", 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert devices.prepare("mps", 0) == torch.device("mps")


def test_peak_memory_is_in_mib_on_every_system(monkeypatch):
    used = SimpleNamespace(ru_maxrss=3 * 2**20)
    monkeypatch.setattr(devices.resource, "getrusage", lambda _: used)
    for system, mib in (("linux", 3 * 1024), ("darwin", 3)):
        monkeypatch.setattr(sys, "platform", system)
        assert devices.peak_memory_mib(torch.device("cpu")) == mib


def test_several_jobs_share_a_gpu_when_told_to(monkeypatch, tmp_path):
    present(monkeypatch, 0, 1)
    monkeypatch.setenv(devices.JOBS_PER_GPU, "2")
    taken = []
    for _ in range(4):
        assert devices.acquire_device("cuda", wait_s=0, poll_s=0.01) == "cuda"
        taken.append(os.environ.pop("CUDA_VISIBLE_DEVICES"))
    assert taken == ["0", "1", "0", "1"]  # spread first, doubled up afterwards
    with pytest.raises(KindredError, match="none of the 2 GPUs became free"):
        devices.acquire_device("cuda", wait_s=0, poll_s=0.01)
    monkeypatch.setenv(devices.JOBS_PER_GPU, "half")
    with pytest.raises(KindredError, match="KINDRED_JOBS_PER_GPU=half"):
        devices.acquire_device("cuda")


def test_a_split_takes_every_slot_of_every_gpu(monkeypatch, tmp_path):
    present(monkeypatch, 0, 1)
    monkeypatch.setenv(devices.JOBS_PER_GPU, "2")
    assert devices.acquire_device("auto", split=devices.Split()) == "cuda"
    assert os.environ.pop("CUDA_VISIBLE_DEVICES") == "0,1"
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"gpu-0.lock", "gpu-1.lock", "gpu-0.1.lock", "gpu-1.1.lock"}
    with pytest.raises(KindredError, match="none of the 2 GPUs became free"):
        devices.acquire_device("auto", wait_s=0, poll_s=0.01)
    with pytest.raises(KindredError, match="the 2 GPUs did not all become free"):
        devices.acquire_device("auto", wait_s=0, poll_s=0.01, split=devices.Split())
    assert devices.acquire_device("cpu", split=devices.Split()) == "cpu"


def test_gpus_that_cannot_hold_a_model_together(monkeypatch):
    split = devices.Split()
    present(monkeypatch, 0)
    monkeypatch.setattr(devices, "other_gpus", lambda: [])
    with pytest.raises(
        KindredError, match="this machine has one NVIDIA GPU, but `device_map` needs two"
    ):
        devices.acquire_device("auto", split=split)
    monkeypatch.setattr(devices, "other_gpus", lambda: ["AMD"])
    with pytest.raises(KindredError, match="a second copy"):
        devices.acquire_device("auto", split=split)
    assert devices.acquire_device("auto", wait_s=0) == "cuda"
    present(monkeypatch, 0, 1)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    with pytest.raises(KindredError, match="3 sizes are given for 2 GPUs"):
        devices.acquire_device("auto", split=devices.Split((1, 2, 3)))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    with pytest.raises(KindredError, match="a second copy"):
        devices.acquire_device("auto", split=split)


def test_other_makers_cards_are_seen(tmp_path):
    for card, vendor in (("card0", "0x10de"), ("card1", "0x1002"), ("card2", "0xffff")):
        (tmp_path / card / "device").mkdir(parents=True)
        (tmp_path / card / "device/vendor").write_text(vendor + "\n")
    assert devices.other_gpus(tmp_path) == ["AMD"]


def test_what_a_split_is_read_from(monkeypatch, capsys):
    import argparse

    def read(*arguments):
        parser = argparse.ArgumentParser()
        devices.add_device_map(parser)
        return parser.parse_args(arguments).split

    assert read() is None and read("--device-map", "no") is None
    assert read("--device-map", "yes") == devices.Split()
    assert read("--device-map", "12,24.5") == devices.Split((12, 24.5))
    monkeypatch.setenv(devices.DEVICE_MAP, "8,8")
    assert read() == devices.Split((8, 8))
    for wrong in ("maybe", "12", "0,4"):
        with pytest.raises(SystemExit):
            read("--device-map", wrong)
    assert "two or more sizes in GiB" in capsys.readouterr().err


HIDDEN = """
import sys
from kindred.compute import devices
assert devices.acquire_device(sys.argv[1]) == sys.argv[1]
from diffusers import FluxTransformer2DModel
import peft, accelerate, transformers
print("bitsandbytes" in {name.split(".")[0] for name in sys.modules})
"""


def test_on_a_cpu_bitsandbytes_is_left_out(monkeypatch):
    present(monkeypatch, 0)
    for device, said in (("cpu", [("bitsandbytes",)]), ("cuda", [])):
        left: list[tuple[str, ...]] = []
        monkeypatch.setattr(devices, "leave_out", lambda *packages, to=left: to.append(packages))
        devices.acquire_device(device)
        assert left == said


@pytest.mark.long
@pytest.mark.parametrize("device, imported", [("cpu", "False"), ("cuda", "True")])
def test_on_a_cpu_bitsandbytes_is_not_imported_and_nobody_misses_it(device, imported):
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN, device],
        capture_output=True,
        text=True,
        cwd=Path(devices.__file__).parents[2],
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "0"},
    )
    assert done.stdout.strip() == imported, done.stderr
    assert "gemm_4bit" not in done.stderr
