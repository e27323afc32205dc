"""Where a base lies and which version it is: its name in every header and key."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

from kindred.common.errors import KindredError
from kindred.common.file_hashes import remembered
from kindred.common.files import read_json
from kindred.common.hashing import sha256_file
from kindred.models import architectures, hub
from kindred.models.architectures.interface import Architecture

INDEX = "model_index.json"
WHOLE_HASH_BYTES = 256 * 2**20
SAMPLES, SAMPLE_BYTES = 64, 2**16


class Slice(Protocol):
    """A base, or what encoders are told of it."""

    @property
    def model(self) -> str: ...
    @property
    def revision(self) -> str | None: ...
    @property
    def architecture(self) -> str | None: ...


def place_of(base: Slice, folder: str) -> str:
    """A folder of a base, as tokenizers are asked for: 'model/folder', of a commit with
    '@revision' behind."""
    return f"{base.model}/{folder}" + (f"@{base.revision}" if base.revision else "")


def architecture_of(base: Slice, root: Path | str = ".") -> Architecture:
    """The architecture of a base: what its `architecture` says, or else the model_index.json of its
    folder (a relative one counts from `root`).

    Raises KindredError where neither tells, or for one that is not known.
    """
    where = f"base {base.model}"
    if base.architecture is not None:
        return architectures.by_name(base.architecture, where)
    file = Path(root) / Path(base.model).expanduser() / INDEX
    if not file.is_file():
        if is_local(base.model):
            raise KindredError(
                f"has no {INDEX}", where, "save or download the base again, with all its files"
            )
        if base.model.startswith((".", "/", "~")) or base.model.count("/") != 1:
            raise KindredError(
                "no such folder",
                where,
                "correct `model:`; a path starts from the folder in which you run the command",
            )
        known = ", ".join(one.name for one in architectures.every())
        raise KindredError(
            f"is no folder with a {INDEX}, which would tell its architecture",
            where,
            "correct `model:`, or put the folder back; for a model of the Hub add `architecture:` "
            f"to the base's YAML (known: {known})",
        )
    return _by_file(file, file.stat().st_mtime_ns)


@cache
def _by_file(file: Path, changed: int) -> Architecture:
    return architectures.by_index(read_json(file), str(file.parent))


def identity_of(base: Slice, role: str = "all") -> str:
    """'id@revision' of a base's parts for 'image', 'text' or 'picture', or of 'all'; of a
    repository without a revision the commit that is in use here, asking the hub if need be."""
    return identity(base.model, commit_of(base), architecture_of(base).parts.folders(role))


def known_identity(base: Slice) -> str | None:
    """'id@revision' of all of a base's parts, without asking the hub; None for a repository without
    a revision of which nothing is here yet."""
    commit = base.revision
    if commit is None and not is_local(base.model):
        commit = hub.known_commit(base.model, None)
        if commit is None:
            return None
    return identity(base.model, commit, architecture_of(base).parts.folders("all"))


def commit_of(base: Slice) -> str | None:
    """The revision that a base's files are loaded from; None for a folder. Raises KindredError
    where only the hub knows and can't be asked."""
    if base.revision or is_local(base.model):
        return base.revision
    return hub.commit_of(base.model, None, INDEX, architecture_of(base).licence)


def is_local(model: str) -> bool:
    """Whether `model` is a folder on this machine."""
    return Path(model).expanduser().is_dir()


def identity(model: str, revision: str | None, parts: Sequence[str]) -> str:
    """'id@revision' of a base, or of some of its parts; goes into every header and cache key.

    A local directory's revision is a hash of the parts' files, so that new weights under an old
    name are never taken for the old ones. A repository without a revision stands as '@main'.
    """
    if not is_local(model):
        return f"{model}@{revision or 'main'}"
    digest = hashlib.sha256()
    root = Path(model).expanduser()
    _require(model, parts)
    for part in sorted(parts):
        for file in sorted(path for path in (root / part).rglob("*") if path.is_file()):
            content = remembered(file, _file_hash)
            digest.update(f"{file.relative_to(root).as_posix()}\0{content}\n".encode())
    return f"{model}@{digest.hexdigest()[:12]}"


def _require(model: str, parts: Sequence[str]) -> None:
    """Raise KindredError when a local folder lacks parts, all named at once."""
    root = Path(model).expanduser()
    lost = [part for part in parts if not (root / part).is_dir()]
    if lost:
        card = root.parent / "README.md"
        made = f"; {card} says how it is made" if card.exists() else ""
        raise KindredError(
            f"has no folder {' or '.join(map(repr, lost))}",
            f"base {model}",
            "give a folder that a pipeline of diffusers was saved to, with "
            f"{', '.join(parts)}{made}",
        )


def _file_hash(path: Path) -> str:
    """SHA-256 of a file, or of its size and evenly spread samples when it is very large."""
    size = path.stat().st_size
    if size <= WHOLE_HASH_BYTES:
        return sha256_file(path)
    digest = hashlib.sha256(str(size).encode())
    with open(path, "rb") as file:
        for index in range(SAMPLES):
            file.seek((size - SAMPLE_BYTES) * index // (SAMPLES - 1))
            digest.update(file.read(SAMPLE_BYTES))
    return digest.hexdigest()
