"""The content-addressed store of rendered pictures.

A picture lies under the hash of everything it was made from, so what is there is right and is
never made twice. Knows files and PNG text; knows nothing of prompts sets or of how to draw.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image, PngImagePlugin

from kindred.common.errors import KindredError
from kindred.common.files import atomic_write
from kindred.common.hashing import canonical_json
from kindred.common.versions import UNRECORDED

CHUNK = "kindred"


class ImageStore:
    """Pictures as `<root>/<first two hex digits>/<key>.png`."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def path(self, key: str) -> Path:
        """Where the picture of this key lies, or would lie."""
        return self.root / key[:2] / f"{key}.png"

    def has(self, key: str) -> bool:
        """Whether it is there. A file that a full disk or a crash left empty is not."""
        try:
            return self.path(key).stat().st_size > 0
        except FileNotFoundError:
            return False

    def put(self, key: str, image: Image.Image, recipe: dict[str, Any]) -> Path:
        """Write a picture with its recipe inside, atomically; return its path."""
        info = PngImagePlugin.PngInfo()
        info.add_itxt("Description", str(recipe.get("prompt", "")))
        info.add_text("Software", "Kindred")
        info.add_itxt(CHUNK, canonical_json({**recipe, "key": key}))
        with atomic_write(self.path(key)) as temporary:
            image.save(temporary, format="PNG", pnginfo=info)
        return self.path(key)

    def __iter__(self) -> Iterator[str]:
        """Keys of all pictures, sorted."""
        yield from sorted(path.stem for path in self.root.glob("??/[!.]*.png"))


def code_revisions(paths: Iterable[Path]) -> list[str]:
    """Which revisions of the code drew stored pictures, sorted, as their own files say; UNRECORDED
    for a picture that says nothing. Pictures that are not there are passed over."""
    found = set()
    for path in paths:
        try:
            with Image.open(path) as image:  # reads what stands before the pixels, and no pixels
                told = json.loads(image.info.get(CHUNK, "{}")).get("made_with", {})
        except (OSError, json.JSONDecodeError):
            continue
        found.add(told.get("code_revision", UNRECORDED))
    return sorted(found)


def recipe_of(path: Path | str) -> dict[str, Any]:
    """What a picture was made from, out of its own file.

    Raises KindredError when the file is no picture of ours.
    """
    try:
        with Image.open(path) as image:
            return json.loads(image.text[CHUNK])
    except FileNotFoundError:
        raise KindredError(f"{path}: no such file") from None
    except (OSError, AttributeError, KeyError, json.JSONDecodeError):
        raise KindredError(f"{path}: not a picture rendered here (no '{CHUNK}' text)") from None
