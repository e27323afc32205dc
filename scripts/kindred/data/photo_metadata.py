"""Photos' files without their metadata, for those whose metadata can't be read.

Texts, workflows, thumbnails and makers' notes say nothing of pixels, so they may not cost a photo.
Knows the parts that PNG, JPEG and WebP files are made of; decodes nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

PNG, RIFF = b"\x89PNG\r\n\x1a\n", b"RIFF"
# Parts that pixels and their colours follow from, beside those that a PNG says are critical.
OF_PIXELS = frozenset({b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"cICP", b"sBIT"})
TURNED_OR_COLOURED = frozenset({b"eXIf", b"iCCP", b"EXIF", b"ICCP"})
OF_WEBP = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"})
WEBP_FLAGS = {b"ICCP": 0x20, b"EXIF": 0x08, b"XMP ": 0x04}
JFIF, EXIF, ICC, ADOBE, COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
# Markers that a length follows, up to the scan that pixels begin with.
SEGMENTS = frozenset(range(0xC0, 0xFF)) - frozenset(range(0xD0, 0xDB))


def without_metadata(data: bytes, all_of_it: bool) -> bytes | None:
    """The same picture's file without texts and makers' notes; `all_of_it`: also without what says
    how it is turned and its colour profile. None where it is no PNG, JPEG or WebP."""
    if data.startswith(PNG):
        return _png(data, all_of_it)
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data, all_of_it)
    if data.startswith(RIFF) and data[8:12] == b"WEBP":
        return _webp(data, all_of_it)
    return None


def png_chunk(path: Path, wanted: bytes) -> bytes:
    """A chunk's data by its type, from before the pixels of a PNG; empty where it has none."""
    with open(path, "rb") as file:
        if file.read(len(PNG)) != PNG:
            return b""
        while len(start := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", start)
            if kind == wanted:
                return file.read(length)
            if kind == b"IDAT":
                break
            file.seek(length + 4, 1)
    return b""


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(type, where it begins, where it ends or should end) of every chunk of a PNG, which are
    length, type, content and checksum."""
    place = len(PNG)
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        yield kind, place, place + 12 + length
        place += 12 + length


def _png(data: bytes, all_of_it: bool) -> bytes:
    kept = [PNG]
    for kind, start, end in png_chunks(data):
        critical = kind[:1].isupper()
        if critical or kind in OF_PIXELS or (kind in TURNED_OR_COLOURED and not all_of_it):
            kept.append(data[start:end])
    return b"".join(kept)


def _jpeg(data: bytes, all_of_it: bool) -> bytes:
    kept, place = [data[:2]], 2
    while place + 4 <= len(data) and data[place] == 0xFF and data[place + 1] in SEGMENTS:
        marker, length = struct.unpack_from(">BH", data, place + 1)
        end = place + 2 + length
        if _jpeg_keeps(marker, data[place + 4 : place + 16], all_of_it):
            kept.append(data[place:end])
        place = end
    return b"".join([*kept, data[place:]])


def _jpeg_keeps(marker: int, start: bytes, all_of_it: bool) -> bool:
    if marker in (JFIF, ADOBE):
        return True
    turned_or_coloured = (marker == EXIF and start.startswith(b"Exif\0")) or (
        marker == ICC and start.startswith(b"ICC_PROFILE\0")
    )
    if turned_or_coloured:
        return not all_of_it
    return not (JFIF <= marker <= 0xEF or marker == COMMENT)


def _webp(data: bytes, all_of_it: bool) -> bytes:
    kept, dropped = [], set()
    for kind, part in _riff(data):
        if kind in OF_WEBP or (kind in TURNED_OR_COLOURED and not all_of_it):
            kept.append((kind, bytearray(part)))
        else:
            dropped.add(kind)
    for kind, part in kept:
        if kind == b"VP8X":
            for gone in dropped & WEBP_FLAGS.keys():
                part[8] &= ~WEBP_FLAGS[gone]
    body = b"WEBP" + b"".join(bytes(part) for _, part in kept)
    return RIFF + struct.pack("<I", len(body)) + body


def _riff(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(type, whole chunk with its head and padding) of every chunk."""
    place = 12
    while place + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, place)
        end = place + 8 + length + length % 2
        yield kind, data[place:end]
        place = end
