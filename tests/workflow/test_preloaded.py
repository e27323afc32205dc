"""Programs find the library imported, and it is that of their own workspace in every respect."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from workspace import Workspace, copy_repository, environment

from kindred.common.planned_code import code_hash

pytestmark = pytest.mark.workflow
PROGRAM = """
import sys
print("kindred" in sys.modules)
from kindred import judges
from kindred.common import planned_code, progress
from kindred.report import templates
print(judges.__file__, progress.__file__, templates.FOLDER, planned_code.ROOT)
print(planned_code.code_hash(), getattr(progress, "EDITED", "as it was"))
"""
FILES = ("scripts/kindred/judges/__init__.py", "scripts/kindred/common/progress.py", "report", "")


def told(place: Workspace) -> list[str]:
    """What the program prints there."""
    done = subprocess.run(
        [sys.executable, "scripts/told.py"],
        cwd=place.root,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_it_lies_in_the_workspace_and_is_imported_anew_where_it_was_edited(tmp_path: Path):
    place = copy_repository(tmp_path / "kindred")
    (place.root / "scripts/told.py").write_text(PROGRAM, encoding="utf-8")
    here = " ".join(str(place.root / file) for file in FILES)
    assert told(place) == ["True", here, f"{code_hash(place.root)} as it was"]
    with open(place.root / "scripts/kindred/common/progress.py", "a", encoding="utf-8") as file:
        file.write("\nEDITED = 'edited'\n")
    assert told(place) == ["False", here, f"{code_hash(place.root)} edited"]
