"""Content hashes and the canonical JSON that everything cached is looked up by.

Knows how bytes, pixels, captions and settings become keys; knows nothing of where things lie.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image


def canonical_json(value: Any) -> str:
    """One string per value: sorted keys, no spaces, no NaN. Equal values give equal strings."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def sha256_text(text: str) -> str:
    """Hex SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_bytes(data: bytes) -> str:
    """Hex SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path | str) -> str:
    """Hex SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def spec_hash(spec: Any) -> str:
    """Hex SHA-256 of a specification's canonical JSON."""
    return sha256_text(canonical_json(spec))


def pixel_hash(image: Image.Image) -> str:
    """Hex SHA-256 of an image's RGB pixels with its size; file format and metadata do not count."""
    rgb = image.convert("RGB")
    return hashlib.sha256(f"{rgb.width}x{rgb.height}:".encode() + rgb.tobytes()).hexdigest()


def caption_hash(caption: str) -> str:
    """Hex SHA-256 of a caption, outer white space stripped."""
    return sha256_text(caption.strip())
