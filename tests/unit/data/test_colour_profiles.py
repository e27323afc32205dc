"""Colours declared by EXIF, PNG chunks and codes come out as a colour-managed reader shows them."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from kindred.data import colour_profiles
from kindred.data.colour_profiles import ADOBE_RGB, PRIMARIES, SRGB, icc_profile, to_d50
from kindred.data.photo_decoding import crop_to_bucket, read_photo


def converted(space, colour):
    """A colour of the space in sRGB, by Little CMS."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile(space)))
    image = Image.new("RGB", (4, 4), colour)
    done = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"))
    return done.getpixel((1, 1))


def test_matrices_are_those_that_are_published():
    # Bruce Lindbloom's table, "RGB/XYZ Matrices", D50 adapted.
    adobe = [[0.6097559, 0.2052401, 0.1492240], [0.3111242, 0.6256560, 0.0632197],
             [0.0194811, 0.0608902, 0.7448387]]  # fmt: skip
    srgb = [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169],
            [0.0139322, 0.0971045, 0.7141733]]  # fmt: skip
    assert np.abs(to_d50(ADOBE_RGB) - adobe).max() < 4e-4
    assert np.abs(to_d50(SRGB) - srgb).max() < 4e-4


@pytest.mark.parametrize("colour", [(255, 255, 255), (128, 128, 128), (200, 30, 40), (10, 90, 200)])
def test_srgb_stays_what_it_is(colour):
    assert np.abs(np.subtract(converted(SRGB, colour), colour)).max() <= 1


@pytest.mark.parametrize(
    ("space", "colour", "expected"),
    [
        # By hand: to linear, through both matrices, sRGB's curve.
        (ADOBE_RGB, (128, 128, 128), (127, 127, 127)),
        (ADOBE_RGB, (200, 100, 100), (227, 100, 100)),
        (PRIMARIES[12], (200, 100, 100), (216, 94, 96)),
    ],
)
def test_wider_spaces_look_more_colourful_in_srgb(space, colour, expected):
    assert np.abs(np.subtract(converted(space, colour), expected)).max() <= 3


def photo(path):
    found = read_photo(path, path.name)
    return crop_to_bucket(found, (0, 0, *found.size), (32, 32), "#000000"), found


def exif(space, index):
    """Exif IFD with ColorSpace and, inside it, the interoperability IFD, as cameras write it."""
    text = (index + "\0").encode()
    entry = struct.Struct("<HHI4s").pack
    head = b"Exif\0\0II*\0" + struct.pack("<I", 8)
    first = struct.pack("<H", 1) + entry(0x8769, 4, 1, struct.pack("<I", 26)) + bytes(4)
    inner = struct.pack("<H", 2) + entry(0xA001, 3, 1, struct.pack("<HH", space, 0))
    inner += entry(0xA005, 4, 1, struct.pack("<I", 56)) + bytes(4)
    last = struct.pack("<H", 1) + entry(1, 2, len(text), text.ljust(4, b"\0")) + bytes(4)
    return head + first + inner + last


def test_adobe_rgb_by_exif_is_converted(tmp_path):
    image = Image.new("RGB", (64, 64), (200, 100, 100))
    image.save(tmp_path / "plain.jpg", quality=100)
    image.save(tmp_path / "adobe.jpg", quality=100, exif=exif(0xFFFF, "R03"))
    plain, adobe = photo(tmp_path / "plain.jpg"), photo(tmp_path / "adobe.jpg")
    assert np.abs(np.subtract(plain[0].getpixel((9, 9)), (200, 100, 100))).max() <= 2
    assert np.abs(np.subtract(adobe[0].getpixel((9, 9)), (227, 100, 100))).max() <= 4
    assert adobe[1].notes == []


def test_colours_that_are_not_said_are_named(tmp_path):
    image = Image.new("RGB", (64, 64), (200, 100, 100))
    image.save(tmp_path / "a.jpg", exif=exif(0xFFFF, ""))
    assert "not which" in photo(tmp_path / "a.jpg")[1].notes[0]["what"]


def with_chunk(path, kind, data):
    """The PNG with a chunk behind its header."""
    old = path.read_bytes()
    chunk = struct.pack(">I", len(data)) + kind + data
    chunk += struct.pack(">I", zlib.crc32(kind + data))
    path.write_bytes(old[:33] + chunk + old[33:])


@pytest.mark.parametrize(
    ("kind", "data", "expected", "noted"),
    [
        (b"cICP", bytes([12, 13, 0, 1]), (216, 94, 96), False),
        (b"cICP", bytes([1, 13, 0, 1]), (200, 100, 100), False),
        (b"cICP", bytes([9, 16, 0, 1]), (200, 100, 100), True),
        (b"cICP", bytes([77, 13, 0, 1]), (200, 100, 100), True),
        (b"gAMA", struct.pack(">I", 45455), (200, 100, 100), False),
        (b"gAMA", struct.pack(">I", 100000), (228, 169, 169), False),
    ],
)
def test_png_says_colours_in_chunks(tmp_path, kind, data, expected, noted):
    path = tmp_path / "a.png"
    Image.new("RGB", (64, 64), (200, 100, 100)).save(path)
    with_chunk(path, kind, data)
    result, found = photo(path)
    assert np.abs(np.subtract(result.getpixel((9, 9)), expected)).max() <= 3
    assert bool(found.notes) == noted


def test_an_icc_profile_is_believed_before_anything_else(tmp_path):
    path = tmp_path / "a.png"
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (64, 64), (200, 100, 100)).save(path, icc_profile=icc)
    with_chunk(path, b"gAMA", struct.pack(">I", 100000))
    assert np.abs(np.subtract(photo(path)[0].getpixel((9, 9)), (200, 100, 100))).max() <= 1


def test_impossible_colours_are_named():
    space = colour_profiles.ColourSpace("x", (0.64, 0.0), (0.3, 0.6), (0.15, 0.06), 2.2)
    assert colour_profiles._as_profile(space).note == "says impossible colours; taken as sRGB"
