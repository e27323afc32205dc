"""What the functions of rules take, written down where Snakemake looks for it; and what a person
is told when one of them fails.

Snakemake asks each function which arguments it takes, for every job and twice, and Python works
that out anew each time unless the function says it: of many jobs a tenth of planning.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

from kindred.common.errors import KindredError


def write_signatures(rules: Iterable[Any]) -> None:
    """Let every function of input and params of these rules say what it takes."""
    for rule in rules:
        for item in (*rule.input, *rule.params):
            function = getattr(item, "callable", None) or item  # what `ancient` makes holds it
            if isinstance(function, FunctionType):
                function.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]


def end_in_a_sentence(rules: Any, complete: Callable[[str], str]) -> None:
    """Let a person's mistake that a function of a rule meets end Snakemake with its message, where
    it would print where in the code that was.

    rules: the module `snakemake.rules`. complete: what makes a message's commands whole.
    """
    usual = rules.InputFunctionException

    class OfAFunction(usual):  # type: ignore[misc, valid-type]
        def __init__(self, error: object, *args: Any, **told: Any) -> None:
            if isinstance(error, KindredError):
                sys.exit(complete(f"error: {error}"))
            super().__init__(error, *args, **told)

    rules.InputFunctionException = OfAFunction
