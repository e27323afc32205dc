"""Where a base lies and which version it is: its name in every header and key."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from kindred.common.errors import KindredError
from kindred.common.file_hashes import remembered
from kindred.common.hashing import sha256_file

IMAGE_PARTS = ("vae",)


TEXT_PARTS = ("tokenizer", "text_encoder", "tokenizer_2", "text_encoder_2")


PICTURE_PARTS = ("transformer", "scheduler")


ALL_PARTS = (*IMAGE_PARTS, *TEXT_PARTS, *PICTURE_PARTS)


WHOLE_HASH_BYTES = 256 * 2**20
SAMPLES, SAMPLE_BYTES = 64, 2**16


def architecture(model: str) -> str:
    """Name of the architecture of a base: whose version counts in the keys of what it makes."""
    return "flux1"


def is_local(model: str) -> bool:
    """Whether `model` is a folder on this machine."""
    return Path(model).expanduser().is_dir()


def identity(model: str, revision: str | None, parts: Sequence[str] = ALL_PARTS) -> str:
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
        where = f"; {card} says how it is made" if card.exists() else ""
        raise KindredError(
            f"base {model}: has no folder {' or '.join(map(repr, lost))}; a base is a FluxPipeline "
            f"folder with {', '.join(ALL_PARTS)}{where}"
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
