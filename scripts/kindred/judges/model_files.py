"""The files that a judge's models lie in: where they are, and whether they are the right ones.

Knows paths and hashes; knows nothing of what the files hold.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kindred.common.errors import KindredError, Problems, did_you_mean
from kindred.common.hashing import sha256_file

PHOTO_REQUIREMENTS = "run `make photo`, or `pip install -r envs/requirements-photo.txt`"


@dataclass(frozen=True)
class Part:
    """One file that a judge needs: its name, and its SHA-256 where only one version is meant."""

    file: str
    sha256: str | None = None
    source: str = ""


def package_folder(package: str, cure: str = PHOTO_REQUIREMENTS) -> Path:
    """Folder of an installed package, found without importing it.

    Raises KindredError when it is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise KindredError(f"the package '{package}' is not installed", cure=cure)
    return Path(next(iter(spec.submodule_search_locations)))


def locate(
    parts: Mapping[str, Part],
    folders: Mapping[str, Path],
    files: Mapping[str, str],
    hashes: Mapping[str, str],
) -> dict[str, Path]:
    """Part -> its file, checked. `folders`: part -> where it lies, of those that a package brings;
    `files` names other files, `hashes` what they must be.

    A file that the user names is checked only against a hash that the user gives: it may be
    another version. Raises ProblemsError naming every part that is unknown, missing or wrong.
    """
    problems, found = Problems("there are problems with the judge's model files"), {}
    for part in [*files, *hashes]:
        if part not in parts:
            problems.add(f"judge: {part}", "this judge has no such part", did_you_mean(part, parts))
    for name, part in parts.items():
        if name not in files and name not in folders:
            problems.add(
                f"judge: files.{name}", "no file is named", f"download {part.file}{part.source}"
            )
            continue
        path = Path(files[name]).expanduser() if name in files else folders[name] / part.file
        own = None if name in files else part.sha256
        _check(name, path, hashes.get(name, own), part, problems)
        found[name] = path
    problems.raise_if_any()
    return found


def _check(name: str, path: Path, expected: str | None, part: Part, problems: Problems) -> None:
    if not path.is_file():
        problems.add(
            f"{path}", f"the judge's {name} is missing", f"download {part.file}{part.source}"
        )
    elif expected and (actual := sha256_file(path)) != expected.lower():
        problems.add(
            f"{path}",
            f"the judge's {name} has SHA-256 {actual[:12]}..., expected {expected[:12].lower()}...",
            f"download the file again{part.source}, or correct sha256.{name}",
        )


def short_hash(paths: Mapping[str, Path]) -> str:
    """Twelve hex digits that change with any of the files; for a judge's identity."""
    from kindred.common.hashing import spec_hash

    return spec_hash({name: sha256_file(path) for name, path in paths.items()})[:12]
