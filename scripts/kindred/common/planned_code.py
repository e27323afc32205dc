"""Whether the code is still what it was when Snakemake planned a job.

A job may wait for hours, and reads its program when it starts: what the code does then must be what
was planned. Without Snakemake nothing is compared. Imports nothing of the library.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

# Set by Snakemake's main process for all that it starts.
VARIABLE = "KINDRED_PLANNED_CODE"
ROOT = Path(__file__).parents[3]
CHANGED = "the code has changed since this job was planned, so the job did nothing"
CURE = "run `snakemake` again"


def code_files(root: Path = ROOT) -> Iterator[str]:
    """Snakefile, rules and programs with their library, sorted; without hidden files, which editors
    and systems leave beside them."""
    yield str(root / "Snakefile")
    for folder, ending in (("rules", ".smk"), ("scripts", ".py")):
        for place, inner, names in os.walk(root / folder):
            inner[:] = sorted(name for name in inner if name != "__pycache__" and name[0] != ".")
            own = (name for name in sorted(names) if name.endswith(ending) and name[0] != ".")
            yield from (f"{place}/{name}" for name in own)


def code_hash(root: Path = ROOT) -> str:
    """Hex SHA-256 of the code's files, names and contents."""
    digest = hashlib.sha256()
    for path in code_files(root):
        with open(path, "rb") as file:
            content = file.read()
        digest.update(f"{path[len(str(root)) :]}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def was_changed(root: Path = ROOT) -> bool:
    """Whether Snakemake planned this job with other code."""
    planned = os.environ.get(VARIABLE)
    try:
        return planned is not None and planned != code_hash(root)
    except FileNotFoundError:  # it is being changed at this moment
        return True
