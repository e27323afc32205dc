"""Amounts that a person writes on a command line: a number, with or without its unit."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Sequence

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


def with_units(option: str, words: Sequence[str] | None) -> list[str]:
    """A command line (None: this program's) in which the option's amount is one word, as in `--gpu
    12 GiB` without quotes: argparse would take the unit for a word of its own."""
    found: list[str] = []
    amount = re.compile(rf"(?:^|.* ){option}[= ][\d.]+", re.DOTALL)
    for word in sys.argv[1:] if words is None else words:
        if re.fullmatch(OF_SIZE, word, re.I) and amount.fullmatch(" ".join(found[-2:])):
            found[-1] += f" {word}"
        else:
            found.append(word)
    return found


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
