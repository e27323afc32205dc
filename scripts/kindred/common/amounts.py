"""Amounts that a person writes on a command line: a number, with or without its unit."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from kindred.common.errors import KindredError

# What may stand behind a number, in any case. Cards sold as 12 GB have 12 GiB.
OF_SIZE, OF_TIME = "gi?b?", "d|days?"


def number_of(text: str, unit: str = OF_SIZE) -> float | None:
    """The number in '12', '12GB' or '12 GiB'; None for what is no finite number, 0 or more."""
    bare = re.sub(rf"\s*(?:{unit})$", "", text.strip(), flags=re.IGNORECASE)
    try:
        value = float(bare)
    except ValueError:
        return None
    return value if 0 <= value < math.inf else None


def gib(option: str, zero: bool = True) -> Callable[[str], float]:
    """What argparse reads a size with. zero: whether 0 means something."""
    return _reader(option, OF_SIZE, "GiB", "12", zero)


def days(option: str) -> Callable[[str], float]:
    """What argparse reads a time with."""
    return _reader(option, OF_TIME, "days", "7", True)


def _reader(option: str, unit: str, what: str, example: str, zero: bool) -> Callable[[str], float]:
    """Raises KindredError, which argparse passes on, for a text that is no such amount."""

    def read(text: str) -> float:
        value = number_of(text, unit)
        if value is None or not (value or zero):
            cure = f"write a number, such as `{option} {example}`"
            raise KindredError(f"'{text}' is not an amount in {what}", option, cure)
        return value

    return read
