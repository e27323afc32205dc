"""What a mistake in a file, an option or an environment is, and small files to make some of. What
meets it and what meets it after the cure both get one folder, in this order.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image

from kindred.common import safetensors_files as tensors
from kindred.common.hashing import caption_hash
from kindred.specs.character import Character

Action = Callable[[Path], object]


class Mistake(NamedTuple):
    """What a message says, what meets it, and the same when its cure was followed; None for a cure
    that is a person's alone."""

    said: str
    wrong: Action
    cured: Action | None


def write(path: Path, content: str | bytes | None) -> Path:
    """Write a file, or with None remove it; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        path.unlink(missing_ok=True)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content, encoding="utf-8")
    return path


def of_file(
    said: str, name: str, wrong: str | bytes | None, right: str | bytes | None, read: Action
) -> Mistake:
    """A file read with a wrong content (None: it is missing), then with the right one."""
    return Mistake(
        said,
        lambda root: read(write(root / name, wrong)),
        lambda root: read(write(root / name, right)),
    )


def of_value(said: str, call: Callable[[object], object], wrong: object, right: object) -> Mistake:
    """A call with a wrong value, then with the right one."""
    return Mistake(said, lambda _: call(wrong), lambda _: call(right))


def of_variable(said: str, name: str, wrong: str, call: Callable[[], object]) -> Mistake:
    """An environment with a wrong value, then without it."""

    def called(value: str | None) -> None:
        before = os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
        try:
            call()
        finally:
            os.environ.pop(name, None)
            if before is not None:
                os.environ[name] = before

    return Mistake(said, lambda _: called(wrong), lambda _: called(None))


def png(colour: tuple[int, int, int] = (1, 2, 3)) -> bytes:
    import io

    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), colour).save(buffer, "PNG")
    return buffer.getvalue()


def safetensors(path: Path, named: dict[str, torch.Tensor] | None = None, **about: str) -> Path:
    tensors.save(path, named or {"transformer.a.lora_A.weight": torch.ones(2)}, about)
    return path


def cut(path: Path) -> Path:
    """The same file, its end lost."""
    return write(path, path.read_bytes()[:-3])


PNG, LETTERS = png(), {"J": Character(name="JRussell", noun="man")}
LETTERS["A"] = Character(name="ARussell", noun="woman")
LOG = "step,loss,lr\n1,0.5,0.1\n"
PICTURES = {
    "prompt_set": "p",
    "settings": {},
    "adapters": [],
    "images": [
        {"name": "a", "prompt": "x", "seed": 1, "width": 16, "height": 16, "key": "k", "path": ""}
    ],
}


def picture_list(root: Path, **changed: object) -> Path:
    """A list of one picture, which lies beside it."""
    row = PICTURES["images"][0] | {"path": str(root / "k.png")}
    return write(root / "m.json", json.dumps(PICTURES | {"images": [row]} | changed))


IMAGE = {"image_id": "a", "photo": "a", "width": 16, "height": 16, "pixel_hash": "p", "source": "a"}
CAPTION = {"id": "a", "caption": "x", "caption_hash": caption_hash("x"), "characters": []}
