"""Reads the pictures that steps made, and says in one way that one is gone or damaged.

Knows files alone. Photos that people bring are decoded by data/photo_decoding.py.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from kindred.common.errors import KindredError, first_line_of

AGAIN = "delete it if it exists, then run `snakemake`, which makes it again"
# What Pillow raises for files that are gone, no pictures, cut short or changed.
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError)


def read_picture(path: Path | str, mode: str = "RGB") -> Image.Image:
    """A picture in a Pillow mode. Raises KindredError naming the file where it can't be read."""
    try:
        with Image.open(path) as image:
            return image.convert(mode)
    except UNREADABLE as error:
        what = "is missing" if not Path(path).exists() else "is damaged"
        raise KindredError(f"{what} ({first_line_of(error)})", str(path), AGAIN) from None
