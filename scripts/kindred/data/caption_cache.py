"""Remembers what a captioner wrote, so that each image is described once.

A line of JSON an image, looked up by prepared pixels, captioner and settings; written after every
image, so that stopped work is taken up again. Loads the model only when something is missing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from PIL import Image

from kindred.common.files import write_jsonl
from kindred.common.hashing import sha256_file, sha256_text, spec_hash
from kindred.common.made_pictures import read_picture
from kindred.common.progress import track
from kindred.common.versions import step_version
from kindred.specs.dataset import Captioner

Name = TypeVar("Name", bound=Hashable)
PARTS = frozenset({".safetensors", ".bin", ".json", ".txt", ".model"})


def author_of(spec: Captioner) -> str:
    """'id@revision'; for a local directory the revision is a hash of its files."""
    folder = Path(spec.model).expanduser()
    if not folder.is_dir():
        return f"{spec.model}@{spec.revision or 'newest'}"
    files = sorted(path for path in folder.iterdir() if path.suffix in PARTS)
    listing = "\n".join(f"{path.name} {sha256_file(path)}" for path in files)
    return f"{spec.model}@{sha256_text(listing)[:12]}"


@dataclass(frozen=True)
class Asked:
    """What is to be described: a prepared PNG with its pixel hash, or one person in it, who stands
    between two shares of its width."""

    pixels: str
    path: Path
    part: tuple[float, float] | None = None

    def image(self) -> Image.Image:
        """The picture or its part."""
        whole = read_picture(self.path)
        if self.part is None:
            return whole
        left, right = (round(share * whole.width) for share in self.part)
        return whole.crop((left, 0, max(right, left + 1), whole.height))


def describe_all(images: Mapping[Name, Asked], spec: Captioner, store: Path) -> dict[Name, str]:
    """Texts by name. Raises KindredError when the captioner can't be loaded."""
    author = author_of(spec)
    keys = {name: _key(author, asked, spec) for name, asked in images.items()}
    known = {row["key"]: row for row in _read(store)} if store.exists() else {}
    missing = [name for name in images if keys[name] not in known]
    if missing:
        model = str(Path(spec.model).expanduser()) if spec.model.startswith("~") else spec.model
        describe = _describer(spec.model_copy(update={"model": model}))
        for name in track(missing, "captions", len(missing), "image"):
            text = describe(images[name])
            known[keys[name]] = {"key": keys[name], "author": author, "text": text}
            write_jsonl(store, known.values(), durable=True)
    return {name: known[key]["text"] for name, key in keys.items()}


def _describer(spec: Captioner) -> Callable[[Asked], str]:
    """A loaded captioner, of the kind that its configuration says. Raises KindredError for one that
    can't be loaded, or whose kind is not known."""
    from kindred.data import blip_captioner, instructed_captioner

    kind = instructed_captioner.kind_of(spec)
    if kind in instructed_captioner.KINDS:
        told = instructed_captioner.load(spec, kind)
        whole, part = instructed_captioner.WHOLE, instructed_captioner.PART
        return lambda asked: instructed_captioner.describe(
            told, asked.image(), whole if asked.part is None else part
        )
    writer = blip_captioner.load(spec)
    return lambda asked: blip_captioner.describe(writer, asked.image())


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


def _key(author: str, asked: Asked, spec: Captioner) -> str:
    return spec_hash(
        {
            "author": author,
            "pixels": asked.pixels,
            "max_tokens": spec.max_tokens,
            "version": step_version("caption", "blip"),  # the number of all kinds of captioners
        }
        | ({"part": list(asked.part)} if asked.part else {})
    )
