"""Remembers what a captioner wrote, so that each image is described once.

A line of JSON an image, looked up by prepared pixels, captioner and settings; written after every
image, so that stopped work is taken up again. Loads the model only when something is missing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from kindred.common.files import write_jsonl
from kindred.common.hashing import sha256_file, sha256_text, spec_hash
from kindred.common.made_pictures import read_picture
from kindred.common.progress import track
from kindred.common.versions import step_version
from kindred.specs.dataset import Captioner

PARTS = frozenset({".safetensors", ".bin", ".json", ".txt", ".model"})


def author_of(spec: Captioner) -> str:
    """'id@revision'; for a local directory the revision is a hash of its files."""
    folder = Path(spec.model).expanduser()
    if not folder.is_dir():
        return f"{spec.model}@{spec.revision or 'newest'}"
    files = sorted(path for path in folder.iterdir() if path.suffix in PARTS)
    listing = "\n".join(f"{path.name} {sha256_file(path)}" for path in files)
    return f"{spec.model}@{sha256_text(listing)[:12]}"


def describe_all(
    images: Mapping[str, tuple[str, Path]], spec: Captioner, store: Path
) -> dict[str, str]:
    """Texts by id for images given as id -> (pixel hash, path of the prepared PNG).

    Raises KindredError when the captioner can't be loaded.
    """
    author = author_of(spec)
    keys = {name: _key(author, pixels, spec) for name, (pixels, _) in images.items()}
    known = {row["key"]: row for row in _read(store)} if store.exists() else {}
    missing = [name for name in images if keys[name] not in known]
    if missing:
        from kindred.data import blip_captioner

        model = str(Path(spec.model).expanduser()) if spec.model.startswith("~") else spec.model
        writer = blip_captioner.load(spec.model_copy(update={"model": model}))
        for name in track(missing, "captions", len(missing), "image"):
            text = blip_captioner.describe(writer, read_picture(images[name][1]))
            known[keys[name]] = {"key": keys[name], "author": author, "text": text}
            write_jsonl(store, known.values(), durable=True)
    return {name: known[key]["text"] for name, key in keys.items()}


def _read(store: Path) -> list[dict[str, str]]:
    """Rows of the store; lines that are cut or broken are left out, with a word about it."""
    rows, broken = [], 0
    for line in store.read_text(encoding="utf-8", errors="replace").split("\n"):
        if not line:
            continue
        try:
            row = json.loads(line)
            rows.append({name: row[name] for name in ("key", "author", "text")})
        except (json.JSONDecodeError, KeyError, TypeError):
            broken += 1
    if broken:
        print(f"warning: {store}: {broken} cut or broken; captioning again", file=sys.stderr)
    return rows


def _key(author: str, pixels: str, spec: Captioner) -> str:
    return spec_hash(
        {
            "author": author,
            "pixels": pixels,
            "max_tokens": spec.max_tokens,
            "version": step_version("caption", "blip"),
        }
    )
