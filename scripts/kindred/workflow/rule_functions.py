"""What the functions of rules take, written down where Snakemake looks for it; and what a person
is told when one of them fails, or when a param has changed.

Snakemake asks each function which arguments it takes, for every job and twice, and Python works
that out anew each time unless the function says it: of many jobs a tenth of planning.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

from kindred.common.errors import KindredError
from kindred.config.plan import Plan
from kindred.evidence.design_changes import NOTHING, changes_between, one_line, rows_of
from kindred.workflow.asked_files import check_key, check_named


def write_signatures(rules: Iterable[Any]) -> None:
    """Let every function of input and params of these rules say what it takes."""
    for rule in rules:
        for item in (*rule.input, *rule.params):
            function = getattr(item, "callable", None) or item  # what `ancient` makes holds it
            if isinstance(function, FunctionType):
                function.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]


def end_in_a_sentence(rules: Any, complete: Callable[[str], str], plan: Plan) -> None:
    """Let a person's mistake that a function of a rule meets end Snakemake with its message, where
    it would print where in the code that was: also where what the rule is to make belongs to what
    the plan does not have.

    rules: the module `snakemake.rules`. complete: what makes a message's commands whole.
    """
    usual = rules.InputFunctionException

    class OfAFunction(usual):  # type: ignore[misc, valid-type]
        def __init__(self, error: object, *args: Any, **told: Any) -> None:
            if mistake := _mistake(error, told.get("rule"), told.get("wildcards"), plan):
                sys.exit(complete(f"error: {mistake}"))
            super().__init__(error, *args, **told)

    rules.InputFunctionException = OfAFunction


def _mistake(error: object, rule: Any, wildcards: Any, plan: Plan) -> KindredError | None:
    """A person's mistake that a function ended with, or that made it end; None for one of ours."""
    if isinstance(error, KindredError):
        return error
    if rule is None or not isinstance(error, Exception):
        return None
    made, _ = rule.expand_output(wildcards)
    named = dict(wildcards.items())
    try:
        for path in map(str, made):
            check_named(named, plan, path)
            check_key(error, named, plan, path)
    except KindredError as found:
        return found
    return None


def what_changed(change: Any) -> str:
    """Of Snakemake's ParamsChange, for `snakemake -n -q host`: 'recipe: rank 2 → 4' where a spec
    changed, and of other params the values."""
    sides = [[_value(one) for one in sorted(side)] for side in (change.only_old, change.only_new)]
    specs = [[one for one in side if isinstance(one, dict)] for side in sides]
    said = []
    if [len(side) for side in specs] == [1, 1]:
        rows = rows_of(changes_between({"": specs[0][0]}, {"": specs[1][0]}))  # it is no design
        said = [f"{one['what'].strip()} {one['before']} → {one['after']}" for one in rows]
        sides = [[one for one in side if one not in specs[n]] for n, side in enumerate(sides)]
    if any(sides):
        said.append(" → ".join(", ".join(map(one_line, side)) or NOTHING for side in sides))
    return "; ".join(said)


def _value(param: str) -> Any:
    try:
        value = ast.literal_eval(param)
        return json.loads(value) if value[:1] == "{" else value
    except (ValueError, SyntaxError, TypeError):
        return param
