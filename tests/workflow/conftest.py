"""One built workspace for all workflow tests; each test works on a copy."""

from __future__ import annotations

from pathlib import Path

import pytest
from workspace import Workspace, copy, set_up


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace in which everything has been built."""
    workspace = set_up(tmp_path_factory.mktemp("built") / "kindred")
    workspace.run()
    return workspace


@pytest.fixture
def workspace(built: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the built workspace, to be changed at will."""
    return copy(built, tmp_path / "kindred")
