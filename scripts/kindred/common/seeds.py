"""Where all randomness of a training comes from: the run number and the place of use.

A draw is a function of (run, purpose, step), never of what was drawn before. So a training that
was interrupted goes on with the same draws and no generator state is kept; and run k of every
variant sees the same noise and timesteps, which makes variants comparable run by run.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def seed_of(run: int, *purpose: str | int) -> int:
    """63-bit seed for one purpose in one training run."""
    text = ":".join(str(part) for part in ("kindred", run, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(run: int, *purpose: str | int) -> torch.Generator:
    """A CPU generator for one purpose: the same numbers whatever device trains."""
    import torch

    return torch.Generator().manual_seed(seed_of(run, *purpose))
