"""Pictures small enough to live inside a page: a thumbnail each, and a larger one to open.

Knows files, edges and bytes; knows nothing of what the pictures show. Pixels alone are copied:
whatever a file carries besides (recipe, camera, place) stays behind.
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from PIL import Image

from kindred.common.made_pictures import read_picture

THUMBNAIL = 256  # px, longest edge
LARGE_EDGES = (1024, 896, 768, 640, 512, 384)  # px, tried until all fit
QUALITY = 82
SMALL_QUALITY = 90  # of pictures that are small from the start and are shown enlarged
PROBES = 8
METHOD = 1  # of WebP: a third of the time of the usual 4 for a twentieth more bytes
SAFETY = 0.92  # of the budget is planned for, because the probes are only a sample


@dataclass(frozen=True)
class Thumbnail:
    """A picture as base64 WebP: `small` to show and `large` to open ('' when small is all there
    is); width and height of the original, px."""

    small: str
    large: str
    width: int
    height: int

    @property
    def uri(self) -> str:
        """The thumbnail as a data URI."""
        return as_uri(self.small)

    @property
    def size(self) -> int:
        """Characters it takes in a page."""
        return len(self.small) + len(self.large)


def as_uri(small: str) -> str:
    """A picture in base64 as a page names it."""
    return f"data:image/webp;base64,{small}"


def missing(paths: Iterable[Path]) -> list[Path]:
    """Those files that are not there or are empty."""
    return [path for path in paths if not (path.is_file() and path.stat().st_size)]


def make_thumbnails(
    files: Mapping[str, Path], budget: int, thumbnail: int = THUMBNAIL
) -> dict[str, Thumbnail]:
    """A thumbnail for each file by its key; all together take at most about `budget` characters.

    The larger versions shrink together until they fit; if even the smallest do not, there are
    none. Raises KindredError for a file that is no picture.
    """
    paths = list(files.values())
    for edge in chain(_fitting_edges(paths, budget, thumbnail), (thumbnail,)):
        make = partial(_thumbnail, thumbnail=thumbnail, edge=edge)
        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            made = list(pool.map(make, paths))
        if sum(one.size for one in made) <= budget:
            break
    return dict(zip(files, made, strict=True))


def small_thumbnails(files: Mapping[str, Path], edge: int) -> dict[str, str]:
    """Each picture by its key as base64 WebP of at most `edge` px, with no larger version. Raises
    KindredError for a file that is no picture."""
    make = partial(_thumbnail, thumbnail=edge, edge=edge)
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return {
            key: one.small for key, one in zip(files, pool.map(make, files.values()), strict=True)
        }


def _fitting_edges(paths: Sequence[Path], budget: int, thumbnail: int) -> Iterator[int]:
    """The edges at which a sample says that all fit, largest first. Each is tried when it is asked
    for: most often the first fits, and a sample takes as long as a page of a few pictures."""
    probes = paths[:: max(1, len(paths) // PROBES)][:PROBES]
    for edge in LARGE_EDGES if probes else ():
        mean = sum(_thumbnail(path, thumbnail, edge).size for path in probes) / len(probes)
        if mean * len(paths) <= budget * SAFETY:
            yield edge


def _thumbnail(path: Path, thumbnail: int, edge: int) -> Thumbnail:
    image = read_picture(path)
    longest = max(image.size)
    if longest <= thumbnail * 1.25:
        return Thumbnail(_webp(image, SMALL_QUALITY), "", *image.size)
    larger = _at_most(image, edge)
    large = _webp(larger, QUALITY) if edge > thumbnail else ""
    return Thumbnail(_webp(_at_most(larger, thumbnail), QUALITY), large, *image.size)


def _at_most(image: Image.Image, edge: int) -> Image.Image:
    """Made smaller, never larger, to a longest edge of `edge` px."""
    scale = edge / max(image.size)
    if scale >= 1:
        return image
    width, height = (max(1, round(side * scale)) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _webp(image: Image.Image, quality: int) -> str:
    buffer = io.BytesIO()
    image.save(buffer, format="WEBP", quality=quality, method=METHOD)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
