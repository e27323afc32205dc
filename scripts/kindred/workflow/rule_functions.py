"""What the functions of rules take, written down where Snakemake looks for it.

Snakemake asks each function which arguments it takes, for every job and twice, and Python works
that out anew each time unless the function says it: of many jobs a tenth of planning.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from types import FunctionType
from typing import Any


def write_signatures(rules: Iterable[Any]) -> None:
    """Let every function of input and params of these rules say what it takes."""
    for rule in rules:
        for item in (*rule.input, *rule.params):
            function = getattr(item, "callable", None) or item  # what `ancient` makes holds it
            if isinstance(function, FunctionType):
                function.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
