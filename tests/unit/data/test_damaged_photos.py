"""Damaged photos of every format that is read: cut short, with changed bytes, and put together from
two files. Never a stack trace, and never a half picture without a word.

What a format can't tell: only PNG has checksums over all its pixels. A changed byte in the data of
the others mostly gives another picture that is as valid as the first; SILENT holds how many of the
damaged files decode to other pixels without a sign, as measured with these seeds. A file that is
cut short is told in every format, and one that another's end was put behind in all but few: BMP,
WebP, HEIF and AVIF by their sizes, uncompressed TIFF only where its directory is lost.
"""

from __future__ import annotations

import io
import random
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from kindred.data.photo_decoding import PhotoError, crop_to_bucket, read_photo

pytestmark = pytest.mark.long

pillow_heif.register_heif_opener()
TIMES = 500
SIZE = (64, 48)
WRITTEN = {
    "jpeg": ("JPEG", {"quality": 90}),
    "progressive": ("JPEG", {"quality": 90, "progressive": True}),
    "png": ("PNG", {}),
    "webp": ("WEBP", {"quality": 80}),
    "lossless webp": ("WEBP", {"lossless": True}),
    "tiff": ("TIFF", {}),
    "lzw tiff": ("TIFF", {"compression": "tiff_lzw"}),
    "deflate tiff": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "gif": ("GIF", {}),
    "bmp": ("BMP", {}),
    "heif": ("HEIF", {"quality": 80}),
    "avif": ("AVIF", {"quality": 80}),
}
# Of 500 files, those that decode to other pixels and say nothing.
SILENT = {
    ("jpeg", "changed"): 211,
    ("jpeg", "spliced"): 17,
    ("progressive", "changed"): 163,
    ("progressive", "spliced"): 7,
    ("webp", "changed"): 433,
    ("lossless webp", "changed"): 419,
    ("tiff", "changed"): 483,
    ("tiff", "spliced"): 241,
    ("lzw tiff", "changed"): 461,
    ("deflate tiff", "changed"): 43,
    ("gif", "changed"): 340,
    ("gif", "spliced"): 1,
    ("bmp", "changed"): 496,
    ("heif", "changed"): 272,
    ("heif", "spliced"): 2,
    ("avif", "changed"): 234,
    ("avif", "spliced"): 4,
}
MORE = 15  # that other versions of decoders may let pass
ENDINGS = {"JPEG": "jpg", "HEIF": "heic"}


@cache
def photo(kind: str, seed: int) -> bytes:
    """A small photo without metadata."""
    form, options = WRITTEN[kind]
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8))
    buffer = io.BytesIO()
    coarse.resize(SIZE, Image.Resampling.BICUBIC).save(buffer, form, **options)
    return buffer.getvalue()


def cut(kind: str, rng: random.Random) -> bytes:
    data = photo(kind, 1)
    return data[: rng.randrange(1, len(data))]


def changed(kind: str, rng: random.Random) -> bytes:
    data = bytearray(photo(kind, 1))
    for _ in range(rng.choice([1, 1, 2, 8])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def spliced(kind: str, rng: random.Random) -> bytes:
    one, other = photo(kind, 1), photo(kind, 2)
    return one[: rng.randrange(1, len(one))] + other[rng.randrange(len(other)) :]


DAMAGE = {"cut": cut, "changed": changed, "spliced": spliced}


def decoded(path: Path) -> tuple[bytes, list[dict[str, str]]]:
    """Pixels and notes as preprocessing gets them. Raises PhotoError."""
    found = read_photo(path, path.name)
    size = found.size
    image = crop_to_bucket(found, (0, 0, *size), size, "white")
    return image.tobytes(), found.notes


def outcomes(kind: str, damage: str, folder: Path) -> Iterator[str]:
    """What becomes of each damaged file: 'problem', 'note', 'same' or 'silent'."""
    ending = ENDINGS.get(WRITTEN[kind][0], WRITTEN[kind][0].lower())
    path = folder / f"photo.{ending}"
    path.write_bytes(photo(kind, 1))
    right, usual = decoded(path)
    rng = random.Random(f"{kind} {damage}")
    for _ in range(TIMES):
        path.write_bytes(DAMAGE[damage](kind, rng))
        try:
            pixels, notes = decoded(path)
        except PhotoError as error:
            assert error.problem.what and error.problem.cure and error.problem.where == path.name
            yield "problem"
            continue
        yield "same" if pixels == right else "note" if notes != usual else "silent"


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("kind", WRITTEN)
def test_damage_is_told_as_far_as_the_format_can_tell_it(kind, damage, tmp_path):
    found = Counter(outcomes(kind, damage, tmp_path))
    allowed = SILENT.get((kind, damage), 0)
    assert found["silent"] <= (allowed + MORE if allowed else 0), found
