"""Errors say what is wrong, where, and what to do about it; all of them, by the syntax tree."""

from __future__ import annotations

import ast
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from kindred.common.errors import KindredError, Problem, Problems, ProblemsError

SCRIPTS = Path(__file__).parents[3] / "scripts"
# function -> why what it notes has no cure of its own
WITHOUT = {
    "kindred/data/caption_pairing.py:check_pairs": "a fault of ours, which no setting can cure",
    "kindred/scoring/score_store.py:check_table": "the store says what is done: scoring again",
    "kindred/training/adapter_store.py:check": "the store says what is done: training again",
    "kindred/training/batched/jobs.py:raise_if_failed": "the reason is another error, cure and all",
}


def test_an_error_prints_like_a_problem():
    assert str(KindredError("no such file", "a.json", "run it")) == "a.json: no such file. Run it."
    assert str(KindredError("no such file", "a.json")) == "a.json: no such file"
    assert str(KindredError("nothing to do", cure="ask for more")) == "nothing to do. Ask for more."
    assert str(KindredError("one text. As before")) == "one text. As before"
    parts = ("what", "where", "cure")
    assert str(KindredError(*parts)) == str(Problem("where", "what", "cure"))


def test_an_error_met_elsewhere_keeps_place_and_cure():
    problems = Problems("h")
    problems.add_error("one.yaml:3", KindredError("no 'X'", "cell 'J+X'", "write J"))
    problems.add_error("a.csv", KindredError("no such file", "a.csv", "score again"))
    problems.add_error("b.csv", KindredError("b.csv: of one text"))
    assert [str(one) for one in problems.found] == [
        "one.yaml:3: cell 'J+X': no 'X'. Write J.",
        "a.csv: no such file. Score again.",
        "b.csv: of one text",
    ]


@pytest.mark.parametrize(
    "error",
    [KindredError("a", "b", "c"), ProblemsError([Problem("b", "a", "c"), Problem("d", "e")], "h")],
)
def test_an_error_comes_whole_out_of_another_process(error):
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) and type(again) is type(error)
    assert getattr(again, "problems", None) == getattr(error, "problems", None)


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the name of the function or class around it."""

    def visit(node: ast.AST, name: str) -> Iterator[tuple[str, ast.Call]]:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            name = node.name
        if isinstance(node, ast.Call):
            yield name, node
        for child in ast.iter_child_nodes(node):
            yield from visit(child, name)

    yield from visit(tree, "")


def says_an_error(call: ast.Call) -> bool:
    """Whether it is KindredError(...), Problem(...), problems.add or .warn(...)."""
    *owners, name = ast.unparse(call.func).split(".")
    return name in ("KindredError", "Problem") or (name in ("add", "warn") and "problems" in owners)


def has_cure(call: ast.Call) -> bool:
    """Whether a third argument or `cure` is given and not empty; of `*parts` it can't be seen."""
    if any(isinstance(one, ast.Starred) for one in call.args):
        return True
    given = [*call.args[2:3], *(key.value for key in call.keywords if key.arg == "cure")]
    return any(not (isinstance(one, ast.Constant) and one.value == "") for one in given)


def lacking(text: str) -> list[tuple[str, int]]:
    """Functions and lines of what is said without a cure."""
    return [
        (name, call.lineno)
        for name, call in calls(ast.parse(text))
        if says_an_error(call) and not has_cure(call)
    ]


def test_every_error_has_a_cure_or_a_reason():
    found = set()
    for path in sorted(SCRIPTS.rglob("*.py")):
        name = path.relative_to(SCRIPTS).as_posix()
        for function, line in lacking(path.read_text(encoding="utf-8")):
            key = f"{name}:{function}"
            assert key in WITHOUT, f"scripts/{name}:{line}: says no cure: what can a person do?"
            found.add(key)
    assert found == set(WITHOUT), "these have a cure now: take them out of the list"


@pytest.mark.parametrize(
    "text",
    [
        "raise KindredError('what')",
        "raise KindredError(f'{path}: what. Cure')",
        "raise KindredError('what', where)",
        "raise KindredError('what', where, '')",
        "problems.add(where, 'what')",
        "library.problems.warn(where, 'what')",
        "found = Problem(where, 'what', cure='')",
    ],
)
def test_what_lacks_a_cure_is_found(text):
    assert lacking(f"def f():\n    {text}\n") == [("f", 2)]
