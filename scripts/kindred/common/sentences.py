"""Words put together in English."""

from __future__ import annotations

import re
from collections.abc import Iterable

# A key, a path or a file's name at the beginning: it is spelt as it is.
SPELT = re.compile(r"[\w-]+[._/]\w\w")
# How a word ends in the singular and in the plural, where that is not an added s.
IRREGULAR = (
    ("person", "people"),
    ("thesis", "theses"),
    ("ily", "ilies"),
    *((end, f"{end}es") for end in ("ch", "s", "x")),
)


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


def plural(count: float | str, one: str, many: str = "") -> str:
    """The words behind a number as it is written: 1 'photo', '+1' 'point', 3 'photos', 3 'batches',
    3 'people'. many: what stands behind others than 1, where no rule tells."""
    if str(count).lstrip("+-−") == "1":
        return one
    if many:
        return many
    for single, several in IRREGULAR:
        if one.endswith(single):
            return one.removesuffix(single) + several
    return f"{one}s"


def counted(count: float | str, one: str, many: str = "") -> str:
    """A number and the words behind it: '1 photo', '3 photos', '1 photo lies', '3 photos lie'."""
    return f"{count} {plural(count, one, many)}"


def capital(text: str) -> str:
    """A text as a sentence begins, or as it is if a key or a file's name begins it."""
    return text if SPELT.match(text) else text[:1].upper() + text[1:]
