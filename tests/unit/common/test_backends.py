"""Kinds of devices: which one torch's names mean, and what is done on each."""

import sys
from dataclasses import fields
from types import SimpleNamespace

import pytest
import torch

from kindred.common import backends
from kindred.common.backends import CPU, CUDA, MPS, ROCM, backend_of, built_for_rocm

VERSION = "from typing import Optional\ncuda: Optional[str] = {}\nhip: Optional[str] = {}\n"


@pytest.mark.parametrize(("hip", "cuda"), [(None, CUDA), ("6.4.4", ROCM)])
def test_cuda_is_nvidias_or_amds_by_how_torch_was_built(monkeypatch, hip, cuda):
    monkeypatch.setattr(torch.version, "hip", hip)
    assert backend_of("cuda") is backend_of(torch.device("cuda", 1)) is cuda
    assert backend_of("cpu") is CPU and backend_of(torch.device("mps")) is MPS


@pytest.mark.parametrize(
    ("text", "rocm"),
    [
        (VERSION.format("'13.0'", "None"), False),
        (VERSION.format("None", "'7.0.51831'"), True),
        (None, False),
    ],
)
def test_it_is_known_without_importing_torch(monkeypatch, tmp_path, text, rocm):
    if text:
        (tmp_path / "version.py").write_text(text)
    monkeypatch.delitem(sys.modules, "torch")
    found = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(backends, "find_spec", lambda name: found)
    assert built_for_rocm() is rocm


def test_what_was_never_tried_or_cannot_be_is_left_out():
    done = {
        name: {field.name for field in fields(one) if getattr(one, field.name) is True}
        for name, one in (("cpu", CPU), ("rocm", ROCM), ("mps", MPS))
    }
    assert done == {
        "cpu": {"fp8"},
        "rocm": {"cuda_api", "quantizes", "compiles"},
        "mps": {"shares_memory"},
    }
    assert all(getattr(CUDA, one.name) for one in fields(CUDA) if one.name != "shares_memory")
