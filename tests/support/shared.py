"""What takes long to make, made once for all of pytest's worker processes."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder `name` that `make` has filled, in whichever worker came first.

    Nobody may change what is in it. A making that failed is tried again by the next who asks.
    """
    root = _root(factory)
    folder, finished = root / name, root / f"{name}.finished"
    with open(root / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            finished.touch()
    return folder


def common_folder(factory: pytest.TempPathFactory, name: str) -> Path:
    """An empty folder that all workers share."""
    folder = _root(factory) / name
    folder.mkdir(exist_ok=True)
    return folder


def _root(factory: pytest.TempPathFactory) -> Path:
    root = factory.getbasetemp()
    return root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
