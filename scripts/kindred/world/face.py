"""Draws a face: every identity trait lives here, and the expression and gaze on top of it.

Local units: origin at the middle of the head, 1 = half the height of a skull; y points down.
Hair and hats are not drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from kindred.world.pen import (
    CIRCLE,
    INK,
    Pen,
    Point,
    curve,
    darker,
    lighter,
    mix,
    oval,
    ramp,
    turned,
)
from kindred.world.people import Person
from kindred.world.vocabulary import HAIR_PAINT, IRIS_PAINT, SKIN_PAINT, TRAIT_INDEX, Colour, adult

WHITE: Colour = (255, 253, 250)
PUPIL: Colour = (30, 22, 30)
BLUSH: Colour = (240, 96, 90)


@dataclass(frozen=True)
class Features:
    """Measures of one head, in head units, worked out once from traits and kind."""

    width: float
    jaw: float
    chin: float
    skin: Colour
    line: Colour
    hair: Colour
    grown: bool
    lashes: bool
    eye_x: float
    eye_y: float
    eye_w: float
    nose_y: float
    mouth_y: float


@lru_cache(maxsize=4096)
def features(person: Person) -> Features:
    """Features of a person; children have rounder heads, bigger and lower eyes, small chins."""
    t = {name: person.traits[index] for name, index in TRAIT_INDEX.items()}
    grown = adult(person.kind)
    skin = ramp(SKIN_PAINT, t["skin_tone"])
    return Features(
        width=(0.89 if grown else 0.95) + 0.11 * t["face_width"],
        jaw=t["jaw_shape"] if grown else 0.75 * t["jaw_shape"],
        chin=(1.03 if grown else 0.93) - 0.08 * t["jaw_shape"],
        skin=skin,
        line=darker(skin, 0.42),
        hair=HAIR_PAINT[person.hair_colour],
        grown=grown,
        lashes=person.kind in ("woman", "girl"),
        eye_x=0.405 + 0.10 * t["eye_spacing"],
        eye_y=0.0 if grown else 0.10,
        eye_w=(0.185 + 0.045 * t["eye_size"]) * (1.0 if grown else 1.13),
        nose_y=0.27 if grown else 0.31,
        mouth_y=0.585 if grown else 0.59,
    )


@lru_cache(maxsize=4096)
def outline(width: float, jaw: float, chin: float) -> tuple[Point, ...]:
    """Contour of a face. `jaw` in [-1, 1]: pointed .. square, a superellipse below the ears."""
    px = 1.0 - 0.46 * jaw if jaw > 0 else 1.0 - 0.50 * jaw
    py = 1.0 - 0.22 * jaw if jaw > 0 else 1.0 + 0.05 * jaw
    points = []
    for c, s in CIRCLE:
        if s <= 0:
            points.append((width * c, s))
        else:
            side = width if c >= 0 else -width
            points.append((side * round(abs(c) ** px, 6), chin * round(s**py, 6)))
    return tuple(points)


def draw_face(pen: Pen, person: Person, expression: str, gaze: str, turn: float) -> None:
    """Ears, skin, cheeks, beard, nose, mouth, mole, eyes and brows; `turn` shifts them sideways."""
    f = features(person)
    t = {name: person.traits[index] for name, index in TRAIT_INDEX.items()}
    _ears(pen, f, t["ear_size"], turn)
    contour = outline(f.width, f.jaw, f.chin)
    pen.poly(contour, mix(f.skin, darker(f.skin), 0.45), f.line, solid=True)
    pen.poly([(x * 0.955 - 0.025, y * 0.955 - 0.025) for x, y in contour], f.skin)
    _cheeks(pen, f, t["freckles"], turn)
    if person.beard:
        _beard(pen, f, contour)
    _mouth(pen, f, t, expression, person.beard, turn)
    _nose(pen, f, t, turn)
    _mole(pen, f, t["mole_position"], person.beard, turn)
    for side in (-1, 1):
        _eye(pen, f, t, side, expression, gaze, turn)
        _brow(pen, f, t, side, expression, turn)
    if person.glasses:
        _glasses(pen, f, turn)


def _ears(pen: Pen, f: Features, size: float, turn: float) -> None:
    r = 0.19 + 0.08 * size
    for side in (-1, 1):
        x = side * (f.width - 0.02) - turn * 0.5
        pen.poly(oval(x, 0.12, r * 0.85, r * 1.15), f.skin, f.line, solid=True)
        pen.poly(oval(x, 0.13, r * 0.42, r * 0.62), mix(f.skin, f.line, 0.45))


_FRECKLES = ((0.60, 0.26), (0.74, 0.30), (0.48, 0.33), (0.62, 0.39), (0.77, 0.44), (0.5, 0.47))


def _cheeks(pen: Pen, f: Features, freckles: float, turn: float) -> None:
    blush = mix(f.skin, BLUSH, 0.24 if f.grown else 0.34)
    for side in (-1, 1):
        pen.poly(oval(side * f.width * 0.66 + turn, f.eye_y + 0.36, 0.17, 0.12), blush)
    if freckles < -0.6:
        return
    colour = mix(f.skin, darker((150, 78, 44), 0.15), 0.16 + 0.40 * (freckles + 0.6))
    r = 0.026 + 0.014 * (freckles + 1) / 2
    for side in (-1, 1):
        for x, y in _FRECKLES:
            pen.dot(side * f.width * x + turn, f.eye_y + y, r, colour)


def _beard(pen: Pen, f: Features, contour: tuple[Point, ...]) -> None:
    outer = [(x * 1.03, y * 1.05) for x, y in contour if y > 0.12]
    inner = [(-f.width * 0.80, 0.20), (-f.width * 0.66, 0.46), (-0.40, 0.44), (0.0, 0.40)]
    inner += [(-x, y) for x, y in reversed(inner[:-1])]
    outer.sort(key=lambda p: -p[0])
    left = [p for p in outer if p[0] < 0]
    right = [p for p in outer if p[0] >= 0]
    ring = sorted(right, key=lambda p: p[1]) + sorted(left, key=lambda p: -p[1])
    pen.poly(ring + inner, f.hair, darker(f.hair), solid=True)


def _nose(pen: Pen, f: Features, t: dict[str, float], turn: float) -> None:
    size = (1.0 + 0.36 * t["nose_size"]) * (1.0 if f.grown else 0.85)
    shape = t["nose_shape"]
    rx, ry = size * (0.130 - 0.035 * shape), size * (0.150 + 0.085 * shape)
    x, y = turn * 1.5, f.nose_y - 0.6 * (ry - 0.13)
    tone = mix(f.skin, (226, 92, 72), 0.30)
    pen.poly(oval(x + 0.015, y + 0.02, rx + 0.03, ry + 0.02), darker(tone, 0.38))
    pen.poly(oval(x, y, rx, ry), tone)
    pen.poly(oval(x - rx * 0.3, y - ry * 0.3 + 0.02, rx * 0.36, ry * 0.36), lighter(tone, 0.5))


def _mole(pen: Pen, f: Features, position: float, beard: bool, turn: float) -> None:
    """A beauty spot on an arc from the left cheek over the chin to the right cheek."""
    x = position * (0.92 - 0.18 * position * position) * f.width + turn
    y = f.eye_y + 0.18 + (f.chin - 0.28 - f.eye_y) * (1 - position * position)
    x *= 0.86
    if beard:
        pen.dot(x, y, 0.105, f.skin)
    pen.dot(x, y, 0.066, mix((64, 30, 26), f.skin, 0.06))


_MOUTHS = {
    # corner lift, opening, width factor
    "smiling": (0.16, 0.0, 1.12),
    "laughing": (0.11, 0.15, 1.15),
    "serious": (0.0, 0.0, 0.92),
    "surprised": (0.0, 0.14, 0.62),
    "sad": (-0.13, 0.0, 0.92),
}


def _mouth(
    pen: Pen, f: Features, t: dict[str, float], expression: str, beard: bool, turn: float
) -> None:
    lift, opening, factor = _MOUTHS[expression]
    w = (0.255 + 0.085 * t["mouth_width"]) * factor
    lip = (0.050 + 0.034 * t["lip_fullness"]) * (1.0 if f.grown else 0.9)
    rosy = (208, 60, 78) if f.lashes else (186, 74, 66)
    colour = mix(f.skin, rosy, 0.74 if f.lashes else 0.62)
    x, y = turn * 1.2, f.mouth_y
    if beard:
        gap = opening + 0.09
        pen.poly(oval(x, y + 0.02 + opening * 0.4, w + 0.10, lip + gap * 0.9), f.skin)
    if expression == "surprised":
        pen.poly(oval(x, y + 0.02, w * 0.8 + lip, opening + lip * 0.8), darker(colour, 0.35))
        pen.poly(oval(x, y + 0.02, w * 0.8 + lip - 0.03, opening + lip * 0.8 - 0.03), colour)
        pen.poly(oval(x, y + 0.02, w * 0.8 - 0.03, opening - 0.04), (104, 36, 44))
        return
    corner, middle = y - lift * 0.75, y + lift * 0.5
    left, right = (x - w, corner), (x + w, corner)
    if opening:
        top = curve(left, (x, corner + 0.10), right)
        bottom = curve(right, (x, corner + 0.22 + 2 * opening), left)
        grown = [(px + (0.05 if px > x else -0.05), py) for px, py in top]
        pen.poly(
            [(px, py - lip * 0.9) for px, py in grown] + [(px, py + lip) for px, py in bottom],
            colour,
            darker(colour, 0.3),
            0.03,
        )
        pen.poly(top + bottom, (112, 38, 46))
        teeth = curve(right, (x, corner + 0.29), left)
        pen.poly(top + teeth, WHITE)
        return
    line = curve(left, (x, middle + (middle - corner)), right)
    share = [1 - abs(2 * k / 8 - 1) ** 2 for k in range(9)]
    upper = [(px, py - 0.02 - lip * s) for (px, py), s in zip(line, share, strict=True)]
    lower = [(px, py + 0.02 + 1.5 * lip * s) for (px, py), s in zip(line, share, strict=True)]
    pen.poly(upper + lower[::-1], colour)
    pen.line(line, 0.052, darker(colour, 0.55))


_EYES = {
    # opening, brow lift, brow turn (positive: inner end up)
    "smiling": (1.0, 0.02, 0.0),
    "laughing": (0.84, 0.08, 0.06),
    "serious": (0.86, -0.06, -0.12),
    "surprised": (1.22, 0.15, 0.0),
    "sad": (0.92, 0.04, 0.30),
}


def _eye(
    pen: Pen, f: Features, t: dict[str, float], side: int, expression: str, gaze: str, turn: float
) -> None:
    w = f.eye_w
    h = w * 0.84 * _EYES[expression][0]
    x, y = side * f.eye_x + turn, f.eye_y
    angle = -side * 0.34 * t["eye_tilt"]
    pen.poly(oval(x, y - 0.018, w + 0.035, h + 0.036, angle), (70, 46, 52))
    pen.poly(oval(x, y + 0.012, w, h * 0.97, angle), WHITE)
    r = min(h * 0.80, w * 0.72)
    shift = {"left": -1, "ahead": 0, "right": 1}[gaze] * (w - r * 0.62)
    iris = ramp(IRIS_PAINT, t["eye_colour"])
    ix, iy = x + shift, y + 0.01
    pen.dot(ix, iy, r, darker(iris, 0.45))
    pen.dot(ix, iy, r * 0.84, iris)
    pen.dot(ix, iy, r * 0.42, PUPIL)
    pen.dot(ix - r * 0.34, iy - r * 0.38, r * 0.27, WHITE)
    lid = turned(curve((-w - 0.03, 0.0), (0, -2 * h - 0.06), (w + 0.03, 0.0), 6), angle, x, y)
    pen.line(lid, 0.055, (54, 36, 44))
    if f.lashes:
        for reach, rise in ((0.13, 0.07), (0.07, 0.13)):
            pen.line(
                turned(
                    [(side * w * 0.8, -h * 0.45), (side * (w + reach), -h * 0.4 - rise)],
                    angle,
                    x,
                    y,
                ),
                0.05,
                (54, 36, 44),
            )


def _brow(
    pen: Pen, f: Features, t: dict[str, float], side: int, expression: str, turn: float
) -> None:
    _, lift, inner = _EYES[expression]
    thick = 0.062 + 0.040 * t["brow_thickness"]
    angle = side * (0.30 * t["brow_angle"] + inner)
    x, y = side * (f.eye_x + 0.02) + turn, f.eye_y - 0.345 - lift
    half = 0.215
    top = curve((-half, 0.02 - thick), (0, -0.06 - thick), (half, 0.02 - thick), 4)
    bottom = curve((half, 0.02 + thick * 0.8), (0, -0.05 + thick), (-half, 0.02 + thick * 0.8), 4)
    colour = mix(darker(f.hair, 0.42), INK, 0.15)
    pen.poly(turned(top + bottom, angle, x, y), colour)


def _glasses(pen: Pen, f: Features, turn: float) -> None:
    frame = (74, 58, 92)
    r = max(0.29, f.eye_w + 0.07)
    for side in (-1, 1):
        ring = oval(side * f.eye_x + turn, f.eye_y + 0.02, min(r, f.eye_x - 0.03 + 0.03), r)
        pen.line(ring + ring[:1], 0.05, frame, caps=False)
        edge = side * (f.eye_x + min(r, f.eye_x)) + turn
        pen.line([(edge, f.eye_y - 0.02), (side * f.width, f.eye_y - 0.06)], 0.05, frame)
    gap = f.eye_x - min(r, f.eye_x)
    pen.line([(-gap + turn - 0.02, f.eye_y), (gap + turn + 0.02, f.eye_y)], 0.05, frame)
