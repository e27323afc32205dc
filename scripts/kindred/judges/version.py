"""Which version of a judge is in use, without loading it: so that a new model scores anew.

Knows files, ids and packages; imports no deep-learning library.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from kindred.common.hashing import sha256_file
from kindred.models.identity import identity
from kindred.specs.judge import JUDGES, JudgeSpec


def version_of(spec: JudgeSpec) -> str:
    """A string that changes with the judge: its version, ids at revisions, hashes of local files,
    versions of the packages that bring weights; 'missing' for what is not there."""
    kind = JUDGES[spec.kind]
    parts = [f"{spec.kind} {kind.version}"]
    parts += [identity(spec.model, spec.revision, (".",))] if spec.model else []
    for part in (spec.person_detector, spec.adherence, spec.similarity):
        if part is not None:
            parts.append(identity(part.model, part.revision, (".",)))
    for name, file in sorted(spec.files.items()):
        path = Path(file).expanduser()
        parts.append(f"{name}:{sha256_file(path)[:12] if path.is_file() else 'missing'}")
    parts += [f"{name}@{installed(name) or 'missing'}" for name in kind.packages]
    return " ".join(parts)


def installed(package: str) -> str | None:
    """A package's version; None where it is missing."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
