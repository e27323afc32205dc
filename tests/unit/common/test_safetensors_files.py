"""safetensors files: equal contents are equal bytes, and broken ones are named."""

import math
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from kindred.common import safetensors_files
from kindred.common.errors import KindredError

WRITE = """
import sys, torch
from kindred.common import safetensors_files as tensors
values = {"b": torch.arange(6.).reshape(2, 3), "a": torch.ones(3, dtype=torch.bfloat16)}
tensors.save(sys.argv[1], values, {k: k * 2 for k in "zyxwv"})
"""


@pytest.mark.long
def test_same_bytes_from_other_processes_and_readable_by_the_library(tmp_path):
    for name in "12":
        subprocess.run(
            [sys.executable, "-c", WRITE, str(tmp_path / name)], check=True, cwd="scripts"
        )
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    found = load_file(tmp_path / "1")
    assert torch.equal(found["b"], torch.arange(6.0).reshape(2, 3))
    assert found["a"].dtype is torch.bfloat16


def test_header_and_raw_tensors_without_torch(tmp_path):
    value = torch.randn(2, 5)
    safetensors_files.save(tmp_path / "f", {"x": value, "y": torch.zeros(1)}, {"about": "é"})
    entries, metadata = safetensors_files.header(tmp_path / "f")
    assert entries["x"]["shape"] == [2, 5] and metadata == {"format": "pt", "about": "é"}
    with safetensors_files.raw_tensors(tmp_path / "f") as read:
        assert read("x") == value.numpy().tobytes()
        with pytest.raises(KeyError):
            read("z")


def test_missing_name_file_and_cut_files(tmp_path):
    path = tmp_path / "f"
    safetensors_files.save(path, {"x": torch.zeros(100)})
    with pytest.raises(KindredError, match="no tensor named y"):
        safetensors_files.load(path, ["y"])
    with pytest.raises(KindredError, match="no such file"):
        safetensors_files.header(tmp_path / "g")
    whole = path.read_bytes()
    for length in (0, 4, 20, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(KindredError, match="is not a complete safetensors file"):
            safetensors_files.header(path)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_is_not_finite_is_neither_written_nor_read(tmp_path, bad, dtype):
    path = tmp_path / "a.safetensors"
    tensors = {"good": torch.ones(3, dtype=dtype), "bad": torch.tensor([1.0, bad]).to(dtype)}
    with pytest.raises(KindredError, match=r"'bad' has 1 value that is infinite or not a number"):
        safetensors_files.save(path, tensors)
    assert not path.exists()
    save_file(tensors, str(path))
    with pytest.raises(KindredError, match=r"a\.safetensors.*'bad' has 1 value that"):
        safetensors_files.load(path)
    assert set(safetensors_files.load(path, ["good"])) == {"good"}


def test_single_numbers_and_what_is_none_without_torch(tmp_path):
    path = tmp_path / "a.safetensors"
    kinds = (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8)
    tensors = {str(kind): torch.tensor(3, dtype=kind) for kind in kinds}
    safetensors_files.save(path, {**tensors, "two": torch.ones(2), "bool": torch.tensor(True)})
    found = safetensors_files.scalars(path, [*tensors, "two", "bool"])
    assert {found[name] for name in tensors} == {3.0}
    assert math.isnan(found["two"]) and math.isnan(found["bool"])


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16], ids=str
)
def test_what_is_not_finite_is_found_without_torch(tmp_path, bad, dtype):
    path = tmp_path / "a.safetensors"
    largest = torch.tensor(
        [0.0, -1.0, torch.finfo(dtype).max, torch.finfo(dtype).tiny], dtype=dtype
    )
    tensors = {"a": largest, "b": torch.tensor([7]), "e": torch.zeros(0)}
    save_file(tensors, str(path))
    assert safetensors_files.first_not_finite(path) == ""
    save_file({**tensors, "c": torch.tensor([1.0, bad], dtype=dtype)}, str(path))
    assert safetensors_files.first_not_finite(path) == "c"
