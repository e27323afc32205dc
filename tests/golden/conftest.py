"""The option that writes golden files anew, and the folder in which each step is made once."""

from __future__ import annotations

import os

import pytest
from golden_steps import StandInJudge, Steps


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write tests/golden/*.json anew for steps whose version was raised",
    )


@pytest.fixture(scope="session")
def update(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden", default=False))


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
