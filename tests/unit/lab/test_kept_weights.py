"""Weights that the history keeps: what config/lab/looks.yaml prints gets back those that
study 2 is declared on."""

import os
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from kindred.common.chained_log import read_log
from kindred.common.experiment_log import log_path
from kindred.models.identity import identity_of

ROOT = Path(__file__).parents[3]


def test_weights_come_back_from_the_history(tmp_path, monkeypatch):
    text = (ROOT / "config/lab/looks.yaml").read_text()
    commands = re.findall(r"^#   (.*)$", text, re.MULTILINE)[:2]
    (commit,) = re.findall(r"git archive ([0-9a-f]{12}) ", text)
    git = ["git", "-C", str(ROOT)]
    if subprocess.run([*git, "cat-file", "-e", commit], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("needs a clone with the whole history")
    folder = subprocess.check_output([*git, "rev-parse", "--absolute-git-dir"], text=True).strip()
    os.symlink(ROOT / "lab", tmp_path / "lab")
    for command in commands:
        subprocess.run(
            ["bash", "-o", "pipefail", "-ec", command],
            cwd=tmp_path,
            env={**os.environ, "GIT_DIR": folder},
            check=True,
        )
    monkeypatch.chdir(tmp_path)
    base = (ROOT / "config/bases/lab-looks.yaml").read_text()
    model = re.search(r"^model: (.*)$", base, re.MULTILINE)[1]
    found = identity_of(SimpleNamespace(model=model, revision=None, architecture="flux1"))
    assert found in str(read_log(log_path("study2", ROOT)))
