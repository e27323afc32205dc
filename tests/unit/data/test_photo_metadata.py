"""Metadata never cost a photo: long, many or damaged texts, profiles and EXIF data."""

import io
import json
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from kindred.data.photo_decoding import PhotoError, crop_to_bucket, read_photo
from kindred.data.photo_metadata import png_chunk

RED, BLUE = (255, 0, 0), (0, 0, 255)
MB = 1_000_000


def halves():
    """Left half red, right half blue."""
    image = Image.new("RGB", (96, 64), BLUE)
    image.paste(RED, (0, 0, 48, 64))
    return image


def encoded(kind, **options):
    buffer = io.BytesIO()
    halves().save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind, data, right=True):
    check = zlib.crc32(kind + data) ^ (not right)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def png(*chunks):
    """A PNG with chunks behind its head."""
    data = encoded("PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def jpeg(*segments):
    """A JPEG with (marker, data) behind its first segment."""
    data, first = encoded("JPEG", quality=95), 20
    parts = (bytes([0xFF, marker]) + struct.pack(">H", len(d) + 2) + d for marker, d in segments)
    return data[:first] + b"".join(parts) + data[first:]


def webp(*chunks):
    """A WebP with (type, data) behind its pixels."""
    data = encoded("WEBP", lossless=True, exif=Image.Exif())
    body = data[8:] + b"".join(
        kind + struct.pack("<I", len(d)) + d + bytes(len(d) % 2) for kind, d in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def used(tmp_path, data):
    """The kinds of notes of a photo that must be used, with its pixels as they are."""
    (tmp_path / "a.bin").write_bytes(data)
    photo = read_photo(tmp_path / "a.bin", "a.bin")
    image = crop_to_bucket(photo, (0, 0, 96, 64), (96, 64), "#ffffff")
    for place, colour in (((10, 32), RED), ((86, 32), BLUE)):
        found = image.getpixel(place)
        assert all(abs(a - b) < 8 for a, b in zip(found, colour, strict=True))
    return [note["kind"] for note in photo.notes]


def text(size, **how):
    info = PngImagePlugin.PngInfo()
    add = info.add_itxt if how.pop("international", True) else info.add_text
    add("workflow", json.dumps({"nodes": "x" * size}), **how)
    return info


@pytest.mark.parametrize(
    "how", [{"zip": True}, {"zip": False}, {"international": False, "zip": True}], ids=str
)
def test_a_long_text_is_read_over_without_a_word(tmp_path, how):
    assert used(tmp_path, encoded("PNG", pnginfo=text(3 * MB, **how))) == []


@pytest.mark.parametrize("limit", ["MAX_TEXT_CHUNK", "MAX_TEXT_MEMORY"])
def test_texts_beyond_all_limits(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(PngImagePlugin, limit, MB)
    assert used(tmp_path, encoded("PNG", pnginfo=text(3 * MB, zip=True))) == ["metadata"]


@pytest.mark.parametrize(
    "bad",
    [
        chunk(b"tEXt", b"a\0b", right=False),
        chunk(b"zTXt", b"a\0\0no zlib"),
        chunk(b"iTXt", b"a\0\1\0\0\0no zlib"),
        chunk(b"tIME", b"", right=False),
        chunk(b"eXIf", b"no exif at all"),
        chunk(b"iCCP", b"profile\0\0no zlib"),
        chunk(b"eXIf", b"II*\0\xff\xff\xff\xff", right=False),
    ],
    ids=lambda data: data[4:8].decode(),
)
def test_damaged_chunks_of_a_png(tmp_path, bad):
    assert set(used(tmp_path, png(bad))) <= {"metadata", "exif", "profile"}


@pytest.mark.parametrize(
    "segments",
    [
        [(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b"<x" * 30_000)],
        [(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff")],
        [(0xE1, b"Exif\0\0" + b"\0" * 60_000)],
        [(0xE2, b"MPF\0II*\0\xff\xff\xff\xff")],
        [(0xE2, b"ICC_PROFILE\0\1\2" + b"x" * 60_000)],
        [(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\xff\xff\xff\xff")],
        [(0xFE, b"x" * 65_000)] * 40,
    ],
    ids=["xmp", "exif", "no-exif", "mpf", "icc", "photoshop", "comments"],
)
def test_long_and_damaged_segments_of_a_jpeg(tmp_path, segments):
    assert set(used(tmp_path, jpeg(*segments))) <= {"metadata", "exif", "profile"}


def test_a_profile_whose_parts_are_missing_is_told(tmp_path):
    assert "profile" in used(tmp_path, jpeg((0xE2, b"ICC_PROFILE\0\1\2" + b"x" * 60_000)))


@pytest.mark.parametrize("kind", [b"XMP ", b"EXIF", b"ABCD"])
def test_long_and_damaged_chunks_of_a_webp(tmp_path, kind):
    assert set(used(tmp_path, webp((kind, b"\xff" * 3 * MB)))) <= {"metadata", "exif"}


def test_what_is_said_of_colours_behind_a_long_text_is_found(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png(chunk(b"tEXt", b"a\0" + b"x" * 200_000), chunk(b"cICP", b"\x0c\x0d\0\1")))
    assert png_chunk(path, b"cICP") == b"\x0c\x0d\0\1" and png_chunk(path, b"eXIf") == b""
    assert read_photo(path, "a.png").profile is not None


def test_damaged_pixels_are_still_refused(tmp_path):
    path = tmp_path / "a.png"
    data = png(chunk(b"tEXt", b"a\0b", right=False))
    path.write_bytes(data[:-60])
    with pytest.raises(PhotoError):
        read_photo(path, "a.png")
