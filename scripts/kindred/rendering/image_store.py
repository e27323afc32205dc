"""The content-addressed store of rendered pictures.

A picture lies under the hash of everything it was made from, so what is there is right and is
never made twice. Knows files and PNG text; knows nothing of prompts sets or of how to draw.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image, PngImagePlugin

from kindred.common import png_files
from kindred.common.content_store import ContentStore
from kindred.common.errors import KindredError
from kindred.common.files import missing
from kindred.common.hashing import canonical_json
from kindred.common.versions import UNRECORDED

CHUNK = "kindred"


class ImageStore(ContentStore):
    """Pictures as `<root>/<first two hex digits>/<key>.png`."""

    def __init__(self, root: Path | str) -> None:
        super().__init__(root, png_files.check, "drawing it again", ".png", fan_out=2)

    @contextmanager
    def writing_images(self) -> Iterator[Callable[[str, Image.Image, dict[str, Any]], None]]:
        """Yield a `put_image` for many pictures; all are on the disk when this ends."""
        with self.writing() as put:
            yield lambda key, image, settings: put(key, image_writer(key, image, settings))

    def put_image(self, key: str, image: Image.Image, settings: dict[str, Any]) -> Path:
        """Write a picture with its settings inside, atomically; return its path."""
        return self.put(key, image_writer(key, image, settings))


def image_writer(key: str, image: Image.Image, settings: dict[str, Any]) -> Callable[[Path], None]:
    """What writes a picture as PNG, with its key and settings inside, to the path it is given."""
    info = PngImagePlugin.PngInfo()
    info.add_itxt("Description", str(settings.get("prompt", "")))
    info.add_text("Software", "Kindred")
    info.add_itxt(CHUNK, canonical_json({**settings, "key": key}))
    return partial(image.save, format="PNG", pnginfo=info)


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


def settings_of(path: Path | str) -> dict[str, Any]:
    """What a picture was made from, out of its own file.

    Raises KindredError when the file is no picture of ours.
    """
    try:
        with Image.open(path) as image:
            return json.loads(image.text[CHUNK])
    except FileNotFoundError:
        raise missing(path) from None
    except (OSError, AttributeError, KeyError, json.JSONDecodeError):
        what = f"is not a picture drawn by Kindred (it has no '{CHUNK}' text)"
        raise KindredError(what, str(path), "name a picture that a manifest lists") from None
