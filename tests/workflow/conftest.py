"""One built workspace for all workflow tests of all workers; each test works on a copy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fork_server
import pytest
import tiny_judge
import workspace as workspaces
from shared import common_folder, once
from workspace import EXPERIMENT_FILE, Workspace, copy, set_up

JUDGE_FILE = "config/judges/tiny.yaml"
QUESTIONS = """judge: tiny
hypotheses:
  counts:
    claim: More photos give the right number of people.
    variant: both
    against: only-J
    measure: count
    prompt_set: solo
prompt_sets:
"""


@pytest.fixture(scope="session", autouse=True)
def forking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Snakemake and its programs start without importing the same packages each time."""
    with fork_server.running(common_folder(tmp_path_factory, "fork")) as variables:
        workspaces.FORKING.update(variables)
        yield
        workspaces.FORKING.clear()


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace in which nothing has been built. Nobody may change it."""
    return Workspace(once(tmp_path_factory, "started", set_up))


@pytest.fixture(scope="session")
def built(started: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace in which everything has been built. Nobody may change it."""

    def build(root: Path) -> None:
        copy(started, root).run()

    return Workspace(once(tmp_path_factory, "built", build))


@pytest.fixture(scope="session")
def built_judged(built: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The built workspace with a judge and a hypothesis, built too. Nobody may change it."""

    def build(root: Path) -> None:
        workspace = copy(built, root)
        tiny_judge.build(workspace.root / "judge")
        judge = workspace.root / JUDGE_FILE
        judge.parent.mkdir(exist_ok=True)
        judge.write_text("kind: lab\nmodel: judge\n")
        workspace.replace(EXPERIMENT_FILE, "prompt_sets:\n", QUESTIONS)
        (root.parent / "judged.jobs").write_text("\n".join(workspace.jobs()))
        workspace.run()

    return Workspace(once(tmp_path_factory, "judged", build))


@pytest.fixture
def workspace(built: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the built workspace, to be changed at will."""
    return copy(built, tmp_path / "kindred")


@pytest.fixture
def judged(built_judged: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the judged workspace, to be changed at will."""
    return copy(built_judged, tmp_path / "kindred")


@pytest.fixture(scope="module")
def fresh(started: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy of the workspace in which nothing has been built, for one module's tests."""
    return copy(started, tmp_path_factory.mktemp("fresh") / "kindred")
