"""Draws a body in its clothes and pose, in head units below the head it carries.

Local units: origin at the middle of the head; a chibi body, 2.6 heads tall for an adult.
"""

from __future__ import annotations

from dataclasses import dataclass

from kindred.world.pen import Pen, Point, curve, darker, lighter, mix, oval, smooth
from kindred.world.vocabulary import PAINT, Colour, adult

CREAM: Colour = (250, 243, 228)
WOOD: Colour = (168, 118, 80)
TROUSERS: tuple[Colour, ...] = ((84, 96, 136), (120, 98, 88), (92, 108, 112))


@dataclass(frozen=True)
class Build:
    """Proportions of a body: half-widths of shoulders and neck, heights of hip, knee and foot."""

    shoulder: float
    neck: float
    hip: float
    foot: float


BUILDS = {
    "man": Build(1.06, 0.34, 2.55, 3.50),
    "woman": Build(0.86, 0.24, 2.50, 3.45),
    "boy": Build(0.72, 0.22, 2.05, 2.72),
    "girl": Build(0.68, 0.20, 2.05, 2.72),
}


def draw_seat(pen: Pen, kind: str) -> None:
    """The back of the chair that a sitting person leans on."""
    b = BUILDS[kind]
    half, low = b.shoulder + 0.46, b.hip + 0.2
    back = [(-half, 0.92), (0, 0.80), (half, 0.92), (half + 0.05, low), (-half - 0.05, low)]
    pen.poly(smooth(back), WOOD, darker(WOOD, 0.4))
    for side in (-1, 1):
        x = side * (half - 0.1)
        pen.line([(x, b.hip), (x, b.foot + 0.1)], 0.16, darker(WOOD, 0.25))


def draw_body(pen: Pen, kind: str, clothes: str, colour: Colour, pose: str, skin: Colour) -> None:
    """Legs, neck, torso and clothes; arms are drawn apart, because they may reach over others."""
    b = BUILDS[kind]
    cloth = CREAM if clothes == "overalls" else colour
    if clothes == "hoodie":
        hood = oval(0, 1.06, b.neck + 0.50, 0.36)
        pen.poly(hood, darker(colour, 0.25), darker(colour, 0.5), solid=True)
    _legs(pen, b, clothes, colour, pose, skin)
    neck = [(-b.neck, 0.7), (b.neck, 0.7), (b.neck + 0.04, 1.3), (-b.neck - 0.04, 1.3)]
    pen.poly(neck, darker(skin, 0.22), solid=True)
    torso = smooth(_torso(b, clothes))
    pen.poly(torso, darker(cloth, 0.14), darker(cloth, 0.42), solid=True)
    pen.poly([(x * 0.95 - 0.03, 0.045 + y * 0.965) for x, y in torso], cloth)
    _DETAILS[clothes](pen, b, colour, skin)


def _torso(b: Build, clothes: str) -> list[Point]:
    waist, hem = b.shoulder * 0.92, b.hip
    bottom = b.shoulder * 0.95
    if clothes == "dress":
        waist, hem, bottom = b.shoulder * 0.72, b.hip + 0.38, b.shoulder * 1.25
    right = [(b.neck, 1.08), (b.shoulder * 0.8, 1.14), (b.shoulder, 1.38), (waist, 1.95)]
    right += [(bottom, hem), (bottom * 0.9, hem + 0.06)]
    return right + [(-x, y) for x, y in reversed(right)]


def _legs(pen: Pen, b: Build, clothes: str, colour: Colour, pose: str, skin: Colour) -> None:
    if clothes == "dress":
        cloth = skin
    elif clothes == "overalls":
        cloth = colour
    else:
        cloth = TROUSERS[sum(colour) % len(TROUSERS)]
    line = darker(cloth, 0.42)
    shoe = (112, 74, 62)
    x = b.shoulder * 0.44
    for side in (-1, 1):
        pen.poly(oval(side * (x + 0.06), b.foot, 0.27, 0.15), shoe, darker(shoe, 0.45), solid=True)
        pen.limb([(side * x, b.hip - 0.1), (side * x, b.foot - 0.16)], 0.40, cloth, line)
        if pose == "sitting":
            pen.poly(oval(side * (x + 0.05), b.hip + 0.12, 0.34, 0.28), cloth, line, solid=True)


def draw_arms(
    pen: Pen,
    kind: str,
    clothes: str,
    colour: Colour,
    pose: str,
    skin: Colour,
    reach: Point | None = None,
) -> None:
    """Both arms; `reach` is the local point where a hug's far hand lies."""
    b = BUILDS[kind]
    s = b.shoulder
    sleeve = {"overalls": CREAM, "dress": skin}.get(clothes, colour)
    down = [(s - 0.10, 1.42), (s + 0.10, 1.92), (s + 0.02, 2.28)]
    if not adult(kind):
        down = [(x, 1.36 + (y - 1.42) * 0.72) for x, y in down]
    shapes = {-1: down, 1: down}
    if pose == "waving":
        shapes[1] = [(s - 0.10, 1.42), (s + 0.26, 1.66), (s + 0.36, 1.10)]
    elif pose == "arms crossed":
        shapes = {1: [(s - 0.08, 1.42), (s + 0.04, 1.86), (-0.34, 1.78)]}
        shapes[-1] = [(s - 0.08, 1.42), (s + 0.04, 1.94), (-0.30, 1.98)]
    elif pose == "sitting":
        lap = b.hip - 0.32
        folded = [(s - 0.1, 1.42), (s + 0.06, lap - 0.2), (0.22, lap)]
        shapes = {-1: folded, 1: folded}
    elif pose == "hugging" and reach is not None:
        side = 1 if reach[0] > 0 else -1
        far = abs(reach[0])
        elbow = ((s - 0.1 + far) / 2, (1.44 + reach[1]) / 2 + 0.20)
        shapes[side] = curve((s - 0.10, 1.44), elbow, (far, reach[1]), 3)
    for side, path in shapes.items():
        points = [(side * x, y) for x, y in path]
        pen.poly(oval(*points[-1], 0.19, 0.19), skin, darker(skin, 0.42), solid=True)
        wrist = _towards(points[-1], points[-2], 0.2)
        if sleeve == skin:
            pen.limb([*points[:-1], points[-1]], 0.26, skin, darker(skin, 0.42))
            upper = _towards(points[0], points[1], 0.30)
            pen.limb([points[0], upper], 0.36, colour, darker(colour, 0.42))
        else:
            pen.limb([*points[:-1], wrist], 0.34, sleeve, darker(sleeve, 0.42))


def _towards(a: Point, b: Point, distance: float) -> Point:
    length = max(0.001, ((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) ** 0.5)
    return (a[0] + (b[0] - a[0]) * distance / length, a[1] + (b[1] - a[1]) * distance / length)


def _accent(colour: Colour) -> Colour:
    """A tone that shows on `colour`: light on deep cloth, deep on light cloth."""
    return lighter(colour, 0.62) if sum(colour) < 520 else darker(colour, 0.30)


def _shirt(pen: Pen, b: Build, colour: Colour, skin: Colour) -> None:
    accent, n = _accent(colour), b.neck
    pen.poly([(-n, 1.06), (n, 1.06), (0, 1.42)], skin)
    for side in (-1, 1):
        collar = [(side * 0.02, 1.40), (side * (n + 0.05), 1.02), (side * (n + 0.26), 1.22)]
        collar += [(side * 0.26, 1.56)]
        pen.poly(collar, accent, darker(colour, 0.45), 0.035)
    pen.line([(0, 1.46), (0, b.hip)], 0.045, darker(colour, 0.35))
    for y in (1.66, 1.94, 2.22):
        pen.dot(0.0, y, 0.07, accent)


def _sweater(pen: Pen, b: Build, colour: Colour, skin: Colour) -> None:
    accent = _accent(colour)
    for y in (1.62, 1.92):
        half = b.shoulder * 0.90
        band = [(-half, y), (half, y), (half, y + 0.15), (-half, y + 0.15)]
        pen.poly(band, accent)
    roll = oval(0, 1.10, b.neck + 0.16, 0.17)
    pen.poly(roll, lighter(colour, 0.15), darker(colour, 0.42), solid=True)


def _jacket(pen: Pen, b: Build, colour: Colour, skin: Colour) -> None:
    n = b.neck
    inside = [(n + 0.04, 1.06), (0.20, 1.9), (0.24, b.hip)]
    pen.poly(inside + [(-x, y) for x, y in reversed(inside)], CREAM)
    pen.poly([(-n, 1.04), (n, 1.04), (0, 1.24)], skin)
    for side in (-1, 1):
        lapel = [(side * (n + 0.02), 1.04), (side * (n + 0.32), 1.26), (side * 0.40, 1.52)]
        lapel += [(side * 0.18, 1.86)]
        pen.poly(lapel, darker(colour, 0.18), darker(colour, 0.5), 0.035)


def _dress(pen: Pen, b: Build, colour: Colour, skin: Colour) -> None:
    collar = CREAM if sum(colour) < 690 else PAINT["pink"]
    pen.poly(curve((-b.neck - 0.1, 1.08), (0, 1.62), (b.neck + 0.1, 1.08)), skin)
    for side in (-1, 1):
        leaf = oval(side * (b.neck + 0.06), 1.24, 0.30, 0.16, side * 0.5)
        pen.poly(leaf, collar, darker(colour, 0.3), 0.03)
    half = b.shoulder * 0.76
    pen.poly([(-half, 1.86), (half, 1.86), (half, 2.02), (-half, 2.02)], darker(colour, 0.35))


def _overalls(pen: Pen, b: Build, colour: Colour, skin: Colour) -> None:
    line = darker(colour, 0.42)
    half, low = b.shoulder * 0.62, b.shoulder * 0.93
    pen.poly(curve((-b.neck, 1.08), (0, 1.34), (b.neck, 1.08)), skin)
    for side in (-1, 1):
        strap = [(half - 0.2, 1.1), (half, 1.1), (half, 1.6), (half - 0.2, 1.6)]
        pen.poly([(side * x, y) for x, y in strap], colour, line, 0.03)
    bib = [(-half, 1.54), (half, 1.54), (half, 1.90), (low, 2.0), (low, b.hip + 0.04)]
    bib += [(-low, b.hip + 0.04), (-low, 2.0), (-half, 1.90)]
    pen.poly(bib, colour, line, 0.035)
    for side in (-1, 1):
        pen.dot(side * (half - 0.1), 1.62, 0.075, PAINT["yellow"])
    pocket = [(-0.26, 1.76), (0.26, 1.76), (0.22, 2.02), (-0.22, 2.02)]
    pen.poly(pocket, darker(colour, 0.16), line, 0.03)


def _hoodie(pen: Pen, b: Build, colour: Colour, skin: Colour) -> None:
    accent, line = _accent(colour), darker(colour, 0.42)
    pen.poly(curve((-b.neck - 0.06, 1.08), (0, 1.50), (b.neck + 0.06, 1.08)), darker(colour, 0.35))
    pen.poly(curve((-b.neck + 0.02, 1.08), (0, 1.34), (b.neck - 0.02, 1.08)), skin)
    for side in (-1, 1):
        pen.line([(side * 0.16, 1.30), (side * 0.19, 1.72)], 0.07, accent)
    half = b.shoulder * 0.55
    pouch = [(-half * 0.7, 1.98), (half * 0.7, 1.98), (half, b.hip - 0.08), (-half, b.hip - 0.08)]
    pen.poly(pouch, mix(colour, darker(colour), 0.3), line, 0.035)


_DETAILS = {
    "shirt": _shirt,
    "sweater": _sweater,
    "jacket": _jacket,
    "dress": _dress,
    "overalls": _overalls,
    "hoodie": _hoodie,
}
