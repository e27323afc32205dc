"""Photos without their people, as backgrounds of composites.

Knows photos and canvases; knows nothing of who is put there.
"""

from __future__ import annotations

from functools import lru_cache
from threading import Lock

from PIL import Image

from kindred.data.aspect_buckets import Size
from kindred.data.composites.compositing import extended
from kindred.data.composites.cutouts import without
from kindred.data.composites.people import SourcePhoto

KEPT = 4


class Places:
    """The last few places that were asked for are kept: who draws those of one photo one after the
    other paints its people over once, and never holds many photos."""

    def __init__(self) -> None:
        self._lock = Lock()  # so that threads don't make one place at the same time
        self._empty = lru_cache(KEPT)(lambda photo: without(photo.image, photo.indices > 0))
        self._place = lru_cache(KEPT)(lambda photo, canvas: extended(self._empty(photo), canvas))

    def of(self, photo: SourcePhoto, canvas: Size) -> Image.Image:
        """The photo without its people, in the canvas' size."""
        with self._lock:
            return self._place(photo, canvas)
