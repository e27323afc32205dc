"""What is wrong with a photo's file that its decoder does not say, or goes on after.

Knows checksums and sizes that formats write into files, and libjpeg's warnings; knows nothing of
what becomes of the photo.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import simplejpeg

from kindred.common.errors import first_line_of
from kindred.data.photo_metadata import without_metadata

SPARE = 64  # bytes that a camera may leave between pixels and a marker
PIXELS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"tRNS"})  # chunks of a PNG that pixels come from


@dataclass(frozen=True)
class Damage:
    """What a file says of damage, and whether a part of the photo is missing or wrong."""

    what: str
    visible: bool


def damage_of(data: bytes, form: str) -> Damage | None:
    """Of a file's content, by the format's own means; None where it says nothing."""
    if form in ("JPEG", "MPO"):
        return _of_jpeg(without_metadata(data, True) or data)  # only pixels are asked
    if form == "PNG":
        return _of_png(data)
    return None


def _of_jpeg(data: bytes) -> Damage | None:
    """What libjpeg says of a file while it goes on: Pillow does not pass that on."""
    try:
        simplejpeg.decode_jpeg(data, colorspace="GRAY", fastdct=True, strict=True)
    except ValueError as error:
        said = first_line_of(error)
        spare = re.search(r"(\d+) extraneous bytes", said)
        if spare and int(spare[1]) <= SPARE:
            return Damage(said, False)
        if "orrupt" in said or "remature" in said:
            return Damage(said, True)
    return None


def _of_png(data: bytes) -> Damage | None:
    """By the checksum of each chunk, which Pillow does not look at where the pixels are."""
    for kind, content, check in _chunks(data):
        if kind in PIXELS and zlib.crc32(kind + content) != check:
            return Damage(f"the checksum of its {kind.decode()} is wrong", True)
    return None


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """(kind, content, checksum) of a PNG's chunks, as far as they are whole."""
    at = 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            return
        yield data[at + 4 : at + 8], data[at + 8 : end], struct.unpack_from(">I", data, end)[0]
        at = end + 4
