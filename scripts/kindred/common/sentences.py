"""Words put together in English."""

from __future__ import annotations

from collections.abc import Iterable


def listing(parts: Iterable[str]) -> str:
    """'a', 'a and b', 'a, b and c'; '' of nothing."""
    *before, last = [*parts] or [""]
    return f"{', '.join(before)} and {last}" if before else last
