"""docs/reference/workflow.md and commands.md: the steps and programs, from their own first lines.

Knows the heads of rule files and the text of programs; runs neither.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HELPERS = ("common.smk", "lost_files.smk")
COMMANDS_HEAD = """# Every command

Written by `python scripts/config_schema.py` from the programs themselves: edit it there. Each
program says the same, and what it reads and writes, by `--help` and in its first lines.

## make

| command | what it does |
|---|---|
"""
PROGRAMS_HEAD = """
## Programs

Steps of the workflow are programs, too: Snakemake calls them, and you can. After
`. .venv/bin/activate`:
`python scripts/<program> --help`.
"""


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
    parts = [COMMANDS_HEAD, made, PROGRAMS_HEAD]
    for path in sorted((root / "scripts").glob("*.py")):
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
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    added = [
        one
        for one in calls
        if isinstance(one.func, ast.Attribute) and one.func.attr == "add_argument"
    ]
    return says, [row for one in sorted(added, key=lambda x: x.lineno) if (row := _option(one))]


def _option(call: ast.Call) -> tuple[str, str, str] | None:
    """Of one add_argument; None where it is not to be shown."""
    named = {one.arg: one.value for one in call.keywords}
    said = _text(named.get("help"))
    if said == "argparse.SUPPRESS" or not call.args:
        return None
    default = _text(named.get("default"))
    if "required" in named:
        default = "must be given"
    return f"`{_text(call.args[0])}`", default, said


def _text(node: ast.expr | None) -> str:
    """What an argument says: a text as it is, another constant or a call as it is written."""
    if node is None:
        return ""
    if isinstance(node, ast.Constant):
        return "" if node.value is None else str(node.value)
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "Path":
        return _text(node.args[0]) if node.args else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(one.value) if isinstance(one, ast.Constant) else f"<{ast.unparse(one.value)}>"
            for one in node.values
            if isinstance(one, ast.Constant | ast.FormattedValue)
        )
    return ast.unparse(node)


def _line(text: str) -> str:
    return _cell(text)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|").replace("<", "&lt;")
