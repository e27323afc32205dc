"""A copy of the workflow whose jobs make empty files: for what Snakemake itself costs and does."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

PARTS = ("Snakefile", "rules", "scripts", "profiles", "envs", "report", "config")
# Lists of files name none: what names files that are not there would be made again.
EMPTY = (
    "touch {output:q}; for f in {output:q}; do case $f in "
    + " ".join(
        f"{files}) echo '{text}' >$f;;"
        for files, text in (
            ("*/masks.json|*/made.json", "{{}}"),
            ("*/images.json", "[]"),
            ("*/images/*.json|*/class.json", '{{\\"images\\": []}}'),
        )
    )
    + " esac; done"
)
SHELL = re.compile(r"""(?m)^( +)shell:\n(?: +["'][^\n]*["']\n)+""")


def copy_with_empty_jobs(repository: Path, root: Path) -> None:
    """Copy the workflow with its configuration into the folder `root`; each command becomes
    `touch` of its outputs, and an empty list where these are one of files."""
    unwanted = shutil.ignore_patterns("__pycache__", "*.pyc")
    for part in PARTS:
        source = repository / part
        if source.is_dir():
            shutil.copytree(source, root / part, ignore=unwanted)
        else:
            shutil.copyfile(source, root / part)
    for path in (root / "rules").glob("*.smk"):
        text = path.read_text(encoding="utf-8")
        path.write_text(SHELL.sub(_emptied, text), encoding="utf-8")


def _emptied(shell: re.Match[str]) -> str:
    """A rule's command in the place of its own."""
    return f'{shell[1]}shell:\n{shell[1]}    "{EMPTY}"\n'
