"""The folder in which each step is made once."""

from __future__ import annotations

import os

import pytest
from golden_steps import StandInJudge, Steps


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """All steps in one folder; with the stand-in in place of a judge."""
    patch = pytest.MonkeyPatch()
    before = os.getcwd()
    root = tmp_path_factory.mktemp("golden")
    os.chdir(root)  # what a program puts beside the working folder stays here
    patch.setattr("kindred.judges.open_judge", lambda *_, **__: StandInJudge())
    yield Steps(root)
    os.chdir(before)
    patch.undo()
