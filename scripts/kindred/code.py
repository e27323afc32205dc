"""Which source files a program is made of, and a hash of what they do.

Snakemake gets the files as inputs and reruns a job when one of their bytes changes. The stores of
finished work use `code_hash`, which ignores comments, docstrings and layout, so that such a rerun
finds its result again instead of computing it.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

LIBRARY = Path(__file__).parent
# Modules that word messages and show progress: no result depends on them.
WITHOUT_EFFECT = frozenset({"errors", "progress"})


def closure(program: Path | str) -> list[Path]:
    """The program and every `kindred` module it reaches by import, sorted; without those whose
    code can't change a result."""
    todo, seen = [Path(program).resolve()], set()
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo.extend(_imports(path))
    return sorted(path for path in seen if path.stem not in WITHOUT_EFFECT)


def code_hash(paths: Iterable[Path | str]) -> str:
    """Hex SHA-256 over what the files do: equal when only comments, docstrings or layout differ."""
    digest = hashlib.sha256()
    for path in sorted(Path(p) for p in paths):
        digest.update(path.name.encode() + b"\0" + _meaning(path, path.stat().st_mtime_ns) + b"\0")
    return digest.hexdigest()


@cache
def _meaning(path: Path, mtime_ns: int) -> bytes:
    """What a file does, as text in one layout; kept because most programs share most modules."""
    tree = _tree(path, mtime_ns)
    for node in ast.walk(tree):
        _drop_docstring(node)
    return ast.unparse(tree).encode()


@cache
def _tree(path: Path, mtime_ns: int) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _imports(path: Path) -> tuple[Path, ...]:
    names: set[str] = set()
    for node in ast.walk(_tree(path, path.stat().st_mtime_ns)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, path)
            names.add(module)
            names.update(f"{module}.{alias.name}" for alias in node.names)
    found = (_module_file(name) for name in sorted(names) if name.split(".")[0] == "kindred")
    return tuple(file for files in found for file in files)


def _absolute(node: ast.ImportFrom, path: Path) -> str:
    """The module an import names, relative ones (`from .pen import`) made absolute."""
    if not node.level:
        return node.module or ""
    package = path.resolve().relative_to(LIBRARY.parent.resolve()).parent.parts
    parents = package[: len(package) - node.level + 1]
    return ".".join([*parents, *([node.module] if node.module else [])])


def _module_file(name: str) -> list[Path]:
    """The files that importing `name` runs: its packages' __init__ and the module itself."""
    files, folder = [], LIBRARY.parent
    for part in name.split("."):
        package, module = folder / part / "__init__.py", folder / f"{part}.py"
        if package.exists():
            files.append(package)
        elif module.exists():
            files.append(module)
        folder = folder / part
    return files


def _drop_docstring(node: ast.AST) -> None:
    body = getattr(node, "body", None)
    holder = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    if holder and body and isinstance(body[0], ast.Expr):
        value = body[0].value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            body[0] = ast.Pass()
