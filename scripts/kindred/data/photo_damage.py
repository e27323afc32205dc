"""What is wrong with a photo's file that its decoder does not say, or goes on after.

Knows checksums and sizes that formats write into files, and libjpeg's warnings; knows nothing of
what becomes of the photo.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass

import simplejpeg

from kindred.common.errors import first_line_of
from kindred.common.sentences import counted
from kindred.data.photo_metadata import png_chunks, without_metadata

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
    said = SIZES[form](data) if form in SIZES else None
    if said is None or said >= len(data):  # decoders themselves tell when something is missing
        return None
    return Damage(f"{counted(len(data) - said, 'byte')} more than its own sizes add up to", False)


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
    for kind, start, end in png_chunks(data):
        if end > len(data):
            break
        (check,) = struct.unpack_from(">I", data, end - 4)
        if kind in PIXELS and zlib.crc32(data[start + 4 : end - 4]) != check:
            return Damage(f"the checksum of its {kind.decode()} is wrong", True)
    return None


def _of_webp(data: bytes) -> int:
    """By the size of its RIFF container, which ends on an even byte."""
    (size,) = struct.unpack_from("<I", data, 4)
    return 8 + size + size % 2


def _of_bmp(data: bytes) -> int | None:
    """By width, height and bits; None for compressed pixels, and where a colour profile may stand
    behind them."""
    if len(data) < 34 or not 40 <= struct.unpack_from("<I", data, 14)[0] < 124:
        return None
    (begin,) = struct.unpack_from("<I", data, 10)
    width, height, _, bits, packed = struct.unpack_from("<iiHHI", data, 18)
    row = (width * bits + 31) // 32 * 4
    # Writers round the whole up to a multiple of four.
    return None if packed in (1, 2) else (begin + row * abs(height) + 3) // 4 * 4


def _of_boxes(data: bytes) -> int:
    """By the boxes that HEIF and AVIF are made of, as far as they follow each other."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size == 1 and at + 16 <= len(data):
            (size,) = struct.unpack_from(">Q", data, at + 8)
        if size == 0:
            return len(data)
        if size < 8 or at + size > len(data) or not kind.isascii():
            return at
        at += size
    return at


SIZES = {"WEBP": _of_webp, "BMP": _of_bmp, "HEIF": _of_boxes, "AVIF": _of_boxes}
