"""The tour runs: every command of docs/guide/tour.md, in its order, prints what the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from workspace import environment

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/guide/tour.md"
SET_UP = ("make env", ". .venv/bin/activate")  # the tests have it already
ANY = "..."


def blocks(page: str, kind: str) -> list[str]:
    """The page's blocks of code of a kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", page, re.M | re.S)


def commands(page: str) -> list[tuple[str, list[str]]]:
    """Each command with the lines that the page says it prints."""
    found: list[tuple[str, list[str]]] = []
    for line in "".join(blocks(page, "console")).splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line and line != ANY:
            found[-1][1].append(line)
    return [one for one in found if one[0] not in SET_UP]


def alike(line: str) -> str:
    """A line without what differs from run to run: numbers and the width of columns."""
    return re.sub(r"\s+", " ", re.sub(r"[−-]?\d+(\.\d+)?", "0", line)).strip()


def test_lines_are_held_against_what_is_printed():
    page = "```console\n$ a b\nx 1.5\n...\n$ make env\n```\n```console\n$ c\n```\n"
    assert commands(page) == [("a b", ["x 1.5"]), ("c", [])]
    assert alike("train      1") == alike("train 2") and alike("a") != alike("b")


@pytest.mark.long
@pytest.mark.minutes
def test_every_command_prints_what_the_page_says(tmp_path):
    page = PAGE.read_text(encoding="utf-8")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    for name in listed.stdout.splitlines():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    [experiment] = blocks(page, "yaml")
    (tmp_path / "config/experiments/tour.yaml").write_text(experiment, encoding="utf-8")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    for command, said in commands(page):
        done = subprocess.run(
            command,
            shell=True,
            cwd=tmp_path,
            env=environment() | {"PATH": path},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, done.stdout[-3000:]
        printed = {alike(line) for line in re.split(r"[\r\n]", done.stdout)}
        assert [line for line in said if not any(alike(line) in one for one in printed)] == []
