"""Programs are thin and code is cut small: lines of programs, modules and functions."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
PROGRAM, MODULE, FUNCTION = 60, 400, 60
REASON = "Long because"  # begins a sentence of the docstring of a function that is longer
PROGRAMS = sorted(SCRIPTS.glob("*.py"))


def too_long(source: str, most: int) -> list[str]:
    """What is too long in a file of at most `most` lines."""
    found = []
    lines = len(source.splitlines())
    if lines > most:
        found.append(f"{lines} lines, at most {most}")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION and REASON not in (ast.get_docstring(node) or ""):
                found.append(f"{node.name}: {length} lines, at most {FUNCTION}")
    return found


def test_programs_modules_and_functions_are_short():
    files = [(path, PROGRAM) for path in PROGRAMS]
    files += [(path, MODULE) for path in sorted((SCRIPTS / "kindred").rglob("*.py"))]
    wrong = {
        str(path.relative_to(SCRIPTS)): what
        for path, most in files
        if (what := too_long(path.read_text(encoding="utf-8"), most))
    }
    assert not wrong
    assert len(PROGRAMS) > 30 and len(files) > 200


@pytest.mark.parametrize(
    ("lines", "docstring", "found"),
    [
        (FUNCTION - 2, "Does much.", []),
        (FUNCTION - 1, "Does much.", ["work: 61 lines, at most 60"]),
        (FUNCTION - 1, f"Does much. {REASON} it is a table.", []),
    ],
)
def test_a_long_function_needs_a_reason(lines, docstring, found):
    body = "\n".join(["    pass"] * lines)
    assert too_long(f'def work():\n    """{docstring}"""\n{body}\n', MODULE) == found


def test_a_long_file_is_found():
    assert too_long("pass\n" * 61, PROGRAM) == ["61 lines, at most 60"]


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_says_what_it_is_and_runs_main_alone(path):
    """It can be imported without doing anything, and a test can call `main(argv)`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    main = next(node for node in tree.body if getattr(node, "name", "") == "main")
    assert [argument.arg for argument in main.args.args] == ["argv"]
    passive = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.Assign, ast.If, ast.Expr)
    assert all(isinstance(node, passive) for node in tree.body)
    assert isinstance(tree.body[-1], ast.If) and "run_main(main)" in ast.unparse(tree.body[-1])
    calls = [node for node in tree.body[1:] if isinstance(node, ast.Expr)]
    assert not calls
