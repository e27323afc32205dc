"""Awkward photo files for tests: colour profiles that show, and files that are no usable photo."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

from PIL import Image, ImageCms


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def red_green_swapped_profile() -> bytes:
    """sRGB whose red and green primaries have changed places: a profile nobody can overlook."""
    data = bytearray(srgb_profile())
    (count,) = struct.unpack_from(">I", data, 128)
    for entry in range(132, 132 + 12 * count, 12):
        name = bytes(data[entry : entry + 4])
        data[entry : entry + 4] = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}.get(name, name)
    return bytes(data)


def linear_grey_profile() -> bytes:
    """The smallest ICC 2.1 grey profile, with gamma 1."""
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 2) + b"g\0" + bytes(78),
        b"wtpt": b"XYZ " + bytes(4) + struct.pack(">III", 0xF6D6, 0x10000, 0xD32D),
        b"kTRC": b"curv" + bytes(4) + struct.pack(">I", 1) + struct.pack(">H", 256) + bytes(2),
        b"cprt": b"text" + bytes(4) + b"none",
    }
    table, body, offset = b"", b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        table += name + struct.pack(">II", offset + len(body), len(content))
        body += content
    header = struct.pack(
        ">I4sI4s4s4s", offset + len(body), b"lcms", 0x02100000, b"mntr", b"GRAY", b"XYZ "
    )
    header += bytes(12) + b"acsp" + bytes(28)
    header += struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def broken_files(folder: Path) -> dict[str, str]:
    """Write unusable photos; file name -> words of the message it must lead to."""
    buffer = io.BytesIO()
    Image.effect_noise((300, 300), 80).save(buffer, "JPEG")
    (folder / "cut.jpg").write_bytes(buffer.getvalue()[:9000])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("my holiday in words\n")
    (folder / "page.jpg").write_text("<!doctype html><p>404")
    (folder / "noise.webp").write_bytes(bytes(range(256)) * 9)
    Image.new("RGB", (1, 1)).save(folder / "dot.png")
    (folder / "bomb.png").write_bytes(_png_that_claims(60000, 60000))
    (folder / "nowhere.jpg").symlink_to(folder / "gone.jpg")
    return {
        "cut.jpg": "damaged",
        "empty.png": "empty",
        "text.jpg": "text file",
        "page.jpg": "web page",
        "noise.webp": "is not in a known picture format, or its beginning is",
        "dot.png": "1x1 px",
        "bomb.png": "178 million",
        "nowhere.jpg": "does not exist",
    }


def _png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(999)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels
