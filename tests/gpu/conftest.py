"""GPU tests compute as the programs do: the same choices of arithmetic, the same allocator."""

from __future__ import annotations

import os

import pytest
import torch

from kindred.compute import devices

# As scripts/train.py sets it; read when torch first allocates.
os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")


@pytest.fixture(autouse=True, scope="session")
def prepared() -> None:
    """Without it cuDNN's attention is on, which ends a process in compiled blocks."""
    if torch.cuda.is_available():
        devices.prepare("cuda", 0)
