"""A copy of the workflow in which all is made, of empty files: for what planning itself costs.

No job runs: Snakemake plans them, and what each would leave is written instead, with the notes that
Snakemake keeps of a job.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

PARTS = ("Snakefile", "rules", "scripts", "profiles", "envs", "report", "config")
# Lists of files name none: what names files that are not there would be made again.
LISTS = {
    "masks.json": "{}",
    "made.json": "{}",
    "images.json": "[]",
    "class.json": '{"images": []}',
}
OF_PICTURES = '{"images": []}'
MADE = """
include: "Snakefile"


onstart:
    from kindred.benchmarking.empty_jobs import note_all_made

    note_all_made(workflow)
"""


def copy_workflow(repository: Path, root: Path) -> None:
    """Copy the workflow with its configuration into the folder `root`; all dates are kept."""
    unwanted = shutil.ignore_patterns("__pycache__", "*.pyc")
    for part in PARTS:
        source = repository / part
        if source.is_dir():
            shutil.copytree(source, root / part, ignore=unwanted)
        else:
            shutil.copy2(source, root / part)


def make_all(root: Path) -> None:
    """Make everything that the configuration in `root` asks for. Raises AssertionError with what
    Snakemake said, where it can't."""
    own = root / "made.smk"
    own.write_text(MADE, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "all", "-s", own.name, "--nolock"],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    own.unlink()


def note_all_made(workflow: Any) -> None:
    """In a Snakemake that is about to start its jobs: write the files of each, what it reads first,
    and note it as done; then end the process."""
    for level in workflow.dag.toposorted():
        for job in level:
            for path in job.output:
                _write(Path(path))
            workflow.async_run(workflow.persistence.finished(job))
    sys.exit(0)


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = OF_PICTURES if path.parent.name == "images" else ""
    path.write_text(LISTS.get(path.name, listed), encoding="utf-8")
