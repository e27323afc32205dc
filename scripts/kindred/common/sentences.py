"""Words put together in English."""

from __future__ import annotations

import re
from collections.abc import Iterable

# A key, a path or a file's name at the beginning: it is spelt as it is.
SPELT = re.compile(r"[\w-]+[._/]\w\w")


def listing(parts: Iterable[str]) -> str:
    """'a', 'a and b', 'a, b and c'; '' of nothing."""
    *before, last = [*parts] or [""]
    return f"{', '.join(before)} and {last}" if before else last


def percent(value: float) -> str:
    """0.25 -> '25 %'."""
    return spaced(f"{value:.0%}")


def spaced(text: str) -> str:
    """A text in which every percent sign stands apart: '25%' -> '25 %'."""
    return re.sub(r"(?<=\d)%", " %", text)


def plural(count: int, one: str) -> str:
    """The word behind a number: 1 'photo', 3 'photos', 3 'batches'."""
    if count == 1:
        return one
    return one + ("es" if one.endswith(("ch", "s", "x")) else "s")


def capital(text: str) -> str:
    """A text as a sentence begins, or as it is if a key or a file's name begins it."""
    return text if SPELT.match(text) else text[:1].upper() + text[1:]
