"""The Dockerfile's steps, as scripts: nothing is pinned twice; both variants install the pins."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINES = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
STEPS = re.findall(r"^RUN (.*)$", LINES, re.M)
INDEX = "https://download.pytorch.org/whl/cpu"
# Makes the environment, whose Python then notes what it is asked.
PYTHON = """#!/bin/sh
if [ "$2" = venv ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; else echo "$@" >> asked; fi
"""


def test_pins_stand_in_one_place_and_what_is_copied_reaches_the_builder():
    assert "==" not in LINES.replace("'^torch=='", "")
    copied = re.findall(r"^COPY (\S+)", LINES, re.M)
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert kept == ["*", *(f"!{path}" for path in copied)] and copied
    assert all((ROOT / path).exists() for path in copied)


@pytest.mark.parametrize("step", STEPS)
def test_each_step_is_a_script(step):
    done = subprocess.run(["bash", "-n", "-c", step], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("index", "option"), [("", ""), (INDEX, f" --index-url {INDEX}")])
def test_what_is_installed(tmp_path, index, option):
    (tmp_path / "envs").mkdir()
    pins = (ROOT / "envs/requirements.txt").read_text(encoding="utf-8")
    (tmp_path / "envs/requirements.txt").write_text(pins, encoding="utf-8")
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    step = next(step for step in STEPS if "pip" in step)
    subprocess.run(
        ["sh", "-ec", step.replace("/opt/venv", str(tmp_path / "venv"))],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TORCH_INDEX": index},
        check=True,
    )
    torch = re.search(r"^torch==\S+", pins, re.M)[0]
    assert (tmp_path / "asked").read_text().splitlines() == [
        f"-m pip install {torch}{option}",
        "-m pip install -r envs/requirements.txt",
    ]
