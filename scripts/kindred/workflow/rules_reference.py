"""docs/reference/workflow.md and commands.md: the steps and programs, from their own first lines.

Knows the heads of rule files and the text of programs; runs neither.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

HELPERS = ("start.smk", "common.smk", "lost_files.smk")
COMMANDS_HEAD = """# Every command

`make` has the everyday commands. The programs behind them can be run by hand, after
`. .venv/bin/activate`. `python scripts/<program> --help` prints what is listed here, and the files
that the program reads and writes.

<!-- Written by `python scripts/config_schema.py` from the programs; don't edit this page. -->

## make

| command | what it does |
|---|---|
"""
# Heading -> whether a program belongs below it: its name, and the text of all rules.
PARTS: dict[str, Callable[[str, str], bool]] = {
    "Programs to run by hand": lambda name, rules: f"{name}.py" not in rules,
    "Steps that Snakemake runs": lambda name, rules: not name.startswith("lab_"),
    "Steps that make the lab's models": lambda name, rules: True,
}
# A constant of the library that is an option's default.
CONSTANT = re.compile(r"(?:(?P<module>\w+)\.)?(?P<name>[A-Z]\w+)")


@dataclass(frozen=True)
class Step:
    """A rule file: its name, what it is for, needs and gives as words."""

    name: str
    says: str
    needs: str
    gives: str


def steps_table(rules: Path) -> str:
    """A row a rule file, as Markdown. rules: the folder."""
    rows = [
        f"| `{one.name}` | {one.says} | {one.needs} | {one.gives} |" for one in read_steps(rules)
    ]
    return "\n".join(["| rules | what | needs | gives |", "|---|---|---|---|", *rows])


def read_steps(rules: Path) -> list[Step]:
    """Of every rule file that makes something. Raises ValueError for one without a head."""
    found = []
    for path in sorted(rules.glob("*.smk")):
        if path.name in HELPERS:
            continue
        match = re.match(r'"""(.*?)"""', path.read_text(encoding="utf-8"), re.S)
        parts = match and re.match(
            r"(.*?)\nneeds: (.*?)\ngives: (.*?)(?:\n\S.*|\n +snakemake .*)?$", match[1], re.S
        )
        if not parts:
            raise ValueError(f"{path}: no head with needs and gives")
        found.append(Step(path.stem, *(_line(text) for text in parts.groups())))
    return found


def commands_page(root: Path) -> str:
    """The text of docs/reference/commands.md. root: holds Makefile and scripts/."""
    made = "".join(f"| `{command}` | {says} |\n" for command, says in make_targets(root))
    parts = [COMMANDS_HEAD, made]
    rules = "".join(path.read_text(encoding="utf-8") for path in (root / "rules").glob("*.smk"))
    left = sorted((root / "scripts").glob("*.py"))
    for heading, belongs in PARTS.items():
        own = [path for path in left if belongs(path.stem, rules)]
        left = [path for path in left if path not in own]
        parts.append(f"\n## {heading}\n")
        for path in own:
            says, options = read_program(path)
            parts.append(f"\n### {path.name}\n\n{says}\n")
            if options:
                parts.append("\n| option | default | what it is |\n|---|---|---|\n")
                parts += [f"| {' | '.join(map(_cell, one))} |\n" for one in options]
    return "".join(parts)


def make_targets(root: Path) -> Iterator[tuple[str, str]]:
    """Commands of `make help` with what they do."""
    text = (root / "Makefile").read_text(encoding="utf-8")
    for line in re.findall(r'^\t@echo "(make.*)"$', text, re.M):
        command, _, says = re.sub(r"\s{2,}", "\0", line, count=1).partition("\0")
        yield command, says


def read_program(path: Path) -> tuple[str, list[tuple[str, str, str]]]:
    """A program's first line, and (option, default, what it is) of each that it takes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    says = _line((ast.get_docstring(tree) or "").partition("\n")[0])
    added = [
        one
        for one in _calls(tree)
        if isinstance(one.func, ast.Attribute) and one.func.attr == "add_argument"
    ]
    library = path.parent / "kindred"
    rows = [_option(one, library) for one in sorted(added, key=lambda one: one.lineno)]
    return says, [row for row in rows if row]


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Every call; in a loop over texts, the call for each of them."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.For) and isinstance(node.iter, ast.Tuple):
            for value in node.iter.elts:
                yield from _calls(
                    _Filled(node.target, value).visit(deepcopy(ast.Module(node.body)))
                )
            continue
        if isinstance(node, ast.Call):
            yield node
        yield from _calls(node)


class _Filled(ast.NodeTransformer):
    """Puts a loop's value, or the parts of it, in the place of the loop's names."""

    def __init__(self, target: ast.expr, value: ast.expr) -> None:
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        values = value.elts if isinstance(target, ast.Tuple) else [value]  # type: ignore[attr-defined]
        self._values = {ast.unparse(name): one for name, one in zip(names, values, strict=True)}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._values.get(node.id, node)


def _option(call: ast.Call, library: Path) -> tuple[str, str, str] | None:
    """Of one add_argument; None where it is not to be shown."""
    named = {one.arg: one.value for one in call.keywords}
    said = _text(named.get("help"))
    if said == "argparse.SUPPRESS" or not call.args:
        return None
    name = _text(call.args[0])
    asked = "required" in named or not (name.startswith("-") or "nargs" in named)
    default = "must be given" if asked else _default(named.get("default"), library)
    return f"`{name}`", default, said


def _default(node: ast.expr | None, library: Path) -> str:
    """A default as a person reads it: a constant of the library by its value, and words for what is
    known only where it runs."""
    text = _text(node)
    if text == "[]":
        return ""
    if isinstance(node, ast.Call) and ast.unparse(node.func) != "Path":
        return "by the environment" if "environ" in text else "by the number of CPU cores"
    if isinstance(node, ast.Name | ast.Attribute) and (found := CONSTANT.fullmatch(text)):
        for path in sorted(library.rglob(f"{found['module'] or '*'}.py")):
            for line in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == found["name"]:
                    return _text(line.value)
    return text


def _text(node: ast.expr | None) -> str:
    """What an argument says: a text as it is, another constant or a call as it is written."""
    if node is None:
        return ""
    if isinstance(node, ast.Constant):
        return "" if node.value is None else str(node.value)
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "Path":
        return _text(node.args[0]) if node.args else ""
    if isinstance(node, ast.JoinedStr):
        parts = (one.value if isinstance(one, ast.FormattedValue) else one for one in node.values)
        return "".join(
            str(one.value) if isinstance(one, ast.Constant) else f"<{ast.unparse(one)}>"
            for one in parts
        )
    return ast.unparse(node)


def _line(text: str) -> str:
    return _cell(text)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|").replace("<", "&lt;")
