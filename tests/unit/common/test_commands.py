"""Commands that people are told work as they stand: they say which experiment they are about."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

from kindred.common import commands
from kindred.common.errors import KindredError, run_main

ROOT = Path(__file__).parents[3]
# Programs that work on all experiments at once.
OF_ALL = {"scripts/migrate_stores.py"}


@pytest.mark.parametrize(
    ("experiments", "target", "words"),
    [
        ("ours", "", ["snakemake", "--config", "experiments=ours"]),
        ("ours", "power", ["snakemake", "power", "--config", "experiments=ours"]),
        (["a", "b"], "", ["snakemake", "--config", "experiments=[a, b]"]),
        ({"a": 1}, "", ["snakemake", "--config", "experiments=[a]"]),
    ],
)
def test_a_command_is_complete(experiments, target, words):
    assert shlex.split(commands.snakemake(experiments, target)) == words


def test_messages_name_what_snakemake_was_told(monkeypatch):
    for name, value in commands.asked(["ours", "theirs"]).items():
        monkeypatch.setenv(name, value)
    said = "Run `snakemake` again, `snakemake power`, or `snakemake x --config experiments=b`."
    assert commands.complete(said) == (
        "Run `snakemake --config 'experiments=[ours, theirs]'` again, "
        "`snakemake power --config 'experiments=[ours, theirs]'`, "
        "or `snakemake x --config experiments=b`."
    )


def test_messages_name_the_experiment_whose_file_they_are_about(monkeypatch):
    monkeypatch.delenv(commands.VARIABLE, raising=False)
    said = "results/ours/a/run-1/lora.json: no such file. Run `snakemake`."
    assert "`snakemake --config experiments=ours`" in commands.complete(said)
    for unknown in ("/else/a.json: run `snakemake`", "results/families/a/b: run `snakemake`"):
        assert commands.complete(unknown) == unknown
    assert commands.complete("ask `make who`", photos="my photos") == (
        "ask `make who PHOTOS='my photos'`"
    )


def test_programs_print_complete_commands(monkeypatch, capsys):
    assert commands.asked("ours") == {commands.VARIABLE: "ours"} and commands.asked(None) == {}
    monkeypatch.setenv(commands.VARIABLE, "ours")

    def main():
        raise KindredError("is damaged", "a.json", "delete it and run `snakemake`")

    with pytest.raises(SystemExit):
        run_main(main)
    assert "run `snakemake --config experiments=ours`" in capsys.readouterr().err


def texts(path):
    """(line, text) of every string of a module that is no docstring, f-strings with `{}`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
             for part in node.values}  # fmt: skip
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in alone | parts:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            pieces = (one.value if isinstance(one, ast.Constant) else "{}" for one in node.values)
            yield node.lineno, "".join(map(str, pieces))


def modules():
    """Those that say such a command."""
    every = sorted(path for path in (ROOT / "scripts").rglob("*.py") if path.name != "commands.py")
    return [path for path in every if "`snakemake" in path.read_text(encoding="utf-8")]


def test_every_command_of_a_message_can_be_completed():
    """What `complete` can't see would be printed as it is."""
    wrong = []
    for path in modules():
        for line, text in texts(path):
            for command in re.findall(r"`snakemake[^`]*`", text):
                known = commands.BARE.fullmatch(command) or " -" in command
                if not known:
                    wrong.append(f"{path.relative_to(ROOT)}:{line}: {command}")
    assert wrong == []


def test_what_programs_print_by_themselves_is_complete():
    """Errors are completed where they are printed; other lines are printed as they are."""
    wrong = []
    for path in modules():
        name = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print":
                said = ast.unparse(node)
                if name not in OF_ALL and commands.BARE.search(said):
                    wrong.append(f"{name}:{node.lineno}")
    assert wrong == []


@pytest.mark.parametrize(
    "page",
    [
        *sorted((ROOT / "report").glob("*.html")),
        *sorted((ROOT / "report").glob("*.md")),
        *sorted((ROOT / "scripts/kindred/starting").glob("*.jinja")),
    ],
    ids=lambda path: path.name,
)
def test_pages_say_complete_commands(page):
    text = page.read_text(encoding="utf-8")
    said = re.findall(r"(?:<code>|`|^)\s*(?:\.venv/bin/)?(snakemake\b[^<`\n]*)", text, re.M)
    assert [one for one in said if "--config experiments=" not in one] == []
    make = re.findall(r"\bmake (?:who|new|look|run|rate)\b[^<`\n]*", text)
    assert [one for one in make if not re.search(r"(?:PHOTOS|EXPERIMENT)=", one)] == []
