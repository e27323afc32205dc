"""Changes a text inside a PNG without touching anything else of it, pixels above all."""

from __future__ import annotations

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def replace_text(data: bytes, keyword: str, text: str) -> bytes:
    """The PNG with the international text chunk of this keyword changed, uncompressed.

    Raises ValueError when it is no PNG or has no such text.
    """
    if not data.startswith(SIGNATURE):
        raise ValueError("not a PNG")
    place, wanted = len(SIGNATURE), keyword.encode("latin-1") + b"\0"
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if kind == b"iTXt" and data.startswith(wanted, place + 8):
            content = wanted + b"\0\0\0\0" + text.encode("utf-8")
            chunk = struct.pack(">I4s", len(content), kind) + content
            chunk += struct.pack(">I", zlib.crc32(kind + content))
            return data[:place] + chunk + data[end:]
        place = end
    raise ValueError(f"no text '{keyword}'")
