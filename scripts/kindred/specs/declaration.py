"""What an experiment declares, for its log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Declaration:
    """What is to be written down. design: all that verdicts depend on (config/declaration.py);
    runs: run numbers by variant; files: path -> SHA-256 of what the design was read from; why: a
    person's reason for what is changed."""

    design: dict[str, Any]
    runs: Mapping[str, Sequence[int]]
    files: Mapping[str, str]
    why: str = ""
