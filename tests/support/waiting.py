"""Waiting for others."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

LONG_S = 600.0  # for machines under load; a wait ends as soon as it can


def until(fact: Callable[[], Any], why: Callable[[], str] = str) -> Any:
    """What `fact` returns as soon as it is true. Raises AssertionError if it never is."""
    deadline = time.monotonic() + LONG_S
    while not (found := fact()):
        assert time.monotonic() < deadline, why()
        time.sleep(0.05)
    return found
