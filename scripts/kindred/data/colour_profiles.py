"""Colours that a picture declares elsewhere than in an ICC profile, as an ICC profile.

Cameras say Adobe RGB by two EXIF fields; PNG has cICP, gAMA and cHRM chunks; HEIF and AVIF an nclx
box. Each comes down to primaries, a white point and a curve, from which a matrix profile follows
(ICC.1:2001-04; white is adapted to D50 by Bradford's matrix). What can't be said so, as HDR
curves, is named and not guessed. Numbers of primaries and curves are those of ITU-T H.273.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

Pair = tuple[float, float]
D65: Pair = (0.3127, 0.3290)
D50 = np.array([0.9642, 1.0, 0.8249])
BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
SRGB_CURVE = "sRGB"  # in place of a gamma


@dataclass(frozen=True)
class ColourSpace:
    """xy of red, green, blue and white; gamma, or SRGB_CURVE."""

    name: str
    red: Pair
    green: Pair
    blue: Pair
    gamma: float | str
    white: Pair = D65


SRGB = ColourSpace("sRGB", (0.64, 0.33), (0.30, 0.60), (0.15, 0.06), SRGB_CURVE)
ADOBE_RGB = ColourSpace("Adobe RGB", (0.64, 0.33), (0.21, 0.71), (0.15, 0.06), 563 / 256)
PRIMARIES = {
    1: SRGB,
    5: ColourSpace("BT.601 625", (0.64, 0.33), (0.29, 0.60), (0.15, 0.06), SRGB_CURVE),
    6: ColourSpace("BT.601 525", (0.63, 0.34), (0.31, 0.595), (0.155, 0.07), SRGB_CURVE),
    9: ColourSpace("BT.2020", (0.708, 0.292), (0.17, 0.797), (0.131, 0.046), SRGB_CURVE),
    12: ColourSpace("Display P3", (0.68, 0.32), (0.265, 0.69), (0.15, 0.06), SRGB_CURVE),
}
# Video's own curves are taken as sRGB's, as browsers do.
CURVES: Mapping[int, float | str] = {
    1: SRGB_CURVE,
    4: 2.2,
    5: 2.8,
    6: SRGB_CURVE,
    8: 1.0,
    13: SRGB_CURVE,
    14: SRGB_CURVE,
    15: SRGB_CURVE,
}
UNSAID = 2
HDR = {16: "PQ", 18: "HLG"}


@dataclass(frozen=True)
class Declared:
    """What a file says of its colours: an ICC profile to read them by (None: they are sRGB), and a
    note for a person where they can't be had ('' for none)."""

    profile: bytes | None = None
    note: str = ""


def declared(image: Image.Image, cicp: bytes) -> Declared:
    """What the file says of colours where it has no ICC profile. `cicp`: a PNG's chunk of that
    type, which Pillow does not read; empty for none."""
    if image.format == "PNG":
        return _of_png(image, cicp)
    if nclx := image.info.get("nclx_profile"):
        return _coded(nclx["color_primaries"], nclx["transfer_characteristics"])
    return _of_exif(image)


def _of_exif(image: Image.Image) -> Declared:
    """EXIF's ColorSpace with the interoperability index R03 is Adobe RGB (DCF 2.0)."""
    try:
        exif = image.getexif()
        space = exif.get_ifd(0x8769).get(0xA001)
        index = str(exif.get_ifd(0xA005).get(1, "")).strip("\0 ")
    except Exception:  # damaged EXIF data raise nearly anything, and are told elsewhere
        return Declared()
    if index == "R03" or space == 2:
        return Declared(icc_profile(ADOBE_RGB))
    if space == 0xFFFF and index != "R98":
        return Declared(note="says that its colours are not sRGB, and not which; taken as sRGB")
    return Declared()


def _of_png(image: Image.Image, cicp: bytes) -> Declared:
    """cICP comes before sRGB, and that before gAMA and cHRM (PNG, third edition, 13.13)."""
    if len(cicp) >= 2:
        return _coded(cicp[0], cicp[1])
    if "srgb" in image.info:
        return Declared()
    gamma, primaries = image.info.get("gamma"), image.info.get("chromaticity")
    if gamma is None and primaries is None:
        return Declared()
    curve: float | str = 1 / gamma if gamma else SRGB_CURVE
    if isinstance(curve, float) and abs(curve - 2.2) < 0.01:
        curve = SRGB_CURVE  # how sRGB is written for readers that know gAMA alone
    white, red, green, blue = SRGB.white, SRGB.red, SRGB.green, SRGB.blue
    if primaries:
        white, red, green, blue = (
            (primaries[n], primaries[n + 1]) for n in range(0, len(primaries), 2)
        )
    return _as_profile(ColourSpace("PNG", red, green, blue, curve, white))


def _coded(primaries: int, curve: int) -> Declared:
    """By the code points of ITU-T H.273."""
    if curve in HDR:
        return Declared(note=f"has {HDR[curve]} (HDR) colours; taken as sRGB they look pale")
    known = PRIMARIES.get(1 if primaries == UNSAID else primaries)
    gamma = CURVES.get(13 if curve == UNSAID else curve)
    if known is None or gamma is None:
        what = f"says colours by codes {primaries} and {curve}, which are not known"
        return Declared(note=f"{what}; taken as sRGB")
    return _as_profile(
        ColourSpace(known.name, known.red, known.green, known.blue, gamma, known.white)
    )


def _as_profile(space: ColourSpace) -> Declared:
    same = all(
        np.allclose(getattr(space, part), getattr(SRGB, part), atol=0.002)
        for part in ("red", "green", "blue", "white")
    )
    if same and space.gamma == SRGB_CURVE:
        return Declared()
    values: Any = [space.red, space.green, space.blue, space.white]
    if not np.isfinite(values).all() or min(y for _, y in values) <= 0:
        return Declared(note="says impossible colours; taken as sRGB")
    return Declared(icc_profile(space))


def to_d50(space: ColourSpace) -> np.ndarray:
    """Columns [3, 3] of red, green and blue in XYZ, adapted to D50 (Lindbloom, "RGB/XYZ Matrices"
    and "Chromatic Adaptation")."""

    def xyz(point: Pair) -> np.ndarray:
        x, y = point
        return np.array([x / y, 1.0, (1 - x - y) / y])

    columns = np.stack([xyz(space.red), xyz(space.green), xyz(space.blue)], axis=1)
    white = xyz(space.white)
    columns = columns * np.linalg.solve(columns, white)
    scale = np.diag((BRADFORD @ D50) / (BRADFORD @ white))
    return np.linalg.inv(BRADFORD) @ scale @ BRADFORD @ columns


def icc_profile(space: ColourSpace) -> bytes:
    """A matrix profile of version 2.1 for a display with these primaries and this curve."""
    columns = to_d50(space)
    name = space.name.encode("ascii")
    text = b"desc" + struct.pack(">II", 0, len(name) + 1) + name + b"\0" + bytes(78)
    tags = {
        b"desc": text,
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": _xyz(D50),
        b"rXYZ": _xyz(columns[:, 0]),
        b"gXYZ": _xyz(columns[:, 1]),
        b"bXYZ": _xyz(columns[:, 2]),
        b"rTRC": _curve(space.gamma),
        b"gTRC": _curve(space.gamma),
        b"bTRC": _curve(space.gamma),
    }
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for tag, data in tags.items():
        table += tag + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    size = start + len(body)
    header = struct.pack(">I4xI4s4s4s", size, 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    header += _xyz(D50)[8:] + bytes(48)
    return header + struct.pack(">I", len(tags)) + table + body


def _xyz(values: np.ndarray) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(float(v) * 65536) for v in values))


def _curve(gamma: float | str) -> bytes:
    if isinstance(gamma, float | int):
        return b"curv" + struct.pack(">IIH", 0, 1, round(gamma * 256))
    x = np.linspace(0, 1, 1024)
    y = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    values = np.rint(y * 65535).astype(int).tolist()
    return b"curv" + struct.pack(f">II{len(values)}H", 0, len(values), *values)
