"""Draws hair and hats, in the face's local units.

`back` goes behind the body, `front` over the face; the brows stay free in every style.
"""

from __future__ import annotations

from kindred.world.face import Features
from kindred.world.pen import CIRCLE, Pen, Point, curve, darker, lighter, mix, oval, smooth
from kindred.world.vocabulary import PAINT, Colour

WHITE: Colour = (252, 250, 246)


def back(pen: Pen, f: Features, style: str) -> None:
    """Hair that falls behind the shoulders."""
    w, tone, line = f.width, mix(f.hair, darker(f.hair), 0.5), darker(f.hair, 0.5)
    if style == "long":
        shape = [(0, -1.2), (w + 0.16, -1.05), (w + 0.20, 0.3), (w + 0.28, 1.75)]
        shape += [(w * 0.55, 1.95), (0, 1.8)]
        pen.poly(smooth(_mirrored(shape)), tone, line, solid=True)
    elif style == "bob":
        shape = [(0, -1.2), (w + 0.18, -1.1), (w + 0.22, 0.2), (w + 0.26, 1.05), (w * 0.6, 1.12)]
        pen.poly(smooth(_mirrored(shape)), tone, line, solid=True)
    elif style == "curly":
        _curls(pen, f, tone, line)
    elif style == "ponytail":
        tail = [(w * 0.5, -0.95), (w + 0.26, -0.95), (w + 0.42, -0.1), (w + 0.22, 1.2)]
        tail += [(w + 0.10, 1.0), (w + 0.02, 0.2), (w - 0.1, -0.5)]
        pen.poly(smooth(tail), tone, line, solid=True)
    elif style == "pigtails":
        for side in (-1, 1):
            bunch = [(w - 0.1, 0.0), (w + 0.2, -0.12), (w + 0.46, 0.4), (w + 0.3, 1.15)]
            bunch += [(w + 0.1, 0.9), (w - 0.05, 0.4)]
            pen.poly(smooth([(side * x, y) for x, y in bunch]), tone, line, solid=True)


def _mirrored(right: list[Point]) -> list[Point]:
    """A closed shape from its right half, top to bottom."""
    return right + [(-x, y) for x, y in reversed(right) if x > 0]


def _curls(pen: Pen, f: Features, tone: Colour, line: Colour) -> None:
    ring = [(c, s) for c, s in CIRCLE[::2] if s < 0.62]
    for grow, colour in ((0.05, line), (0.0, tone)):
        for c, s in ring:
            x, y = (f.width + 0.10) * c, 1.0 * s - 0.08
            pen.dot(x, y, 0.27 + grow, colour)
            if grow:
                pen._solid(pen._map(oval(x, y, 0.27, 0.27)[::4]))


def front(pen: Pen, f: Features, style: str, covered: bool) -> None:
    """Hair over the forehead; `covered` when a hat hides the crown."""
    if style == "bald":
        if not covered:
            pen.poly(oval(-0.3, -0.72, 0.2, 0.1, -0.4), lighter(f.skin, 0.45))
        return
    line, shine = darker(f.hair, 0.42), lighter(f.hair, 0.22)
    w = f.width
    if style == "bun" and not covered:
        pen.poly(oval(0, -1.28, 0.36, 0.32), f.hair, line, solid=True)
        pen.line(curve((-0.2, -1.36), (0, -1.5), (0.2, -1.36), 4), 0.06, shine)
    crown, hairline = _crown(style, w), _hairline(style, w)
    pen.poly(crown + hairline, f.hair, line, solid=True)
    if style == "curly":
        for x in (-0.62, -0.22, 0.2, 0.6):
            pen.dot(x * w, -0.70, 0.21, f.hair)
    if not covered:
        pen.line(curve((-w * 0.62, -0.82), (-w * 0.2, -1.12), (w * 0.28, -1.0), 6), 0.09, shine)
    if style == "pigtails":
        for side in (-1, 1):
            pen.poly(oval(side * (w + 0.1), 0.02, 0.12, 0.12), PAINT["red"], darker(PAINT["red"]))
    if style == "ponytail" and not covered:
        pen.poly(oval(w * 0.78, -0.86, 0.13, 0.16, 0.6), PAINT["red"], darker(PAINT["red"]))


def _crown(style: str, w: float) -> list[Point]:
    """Outer edge of the hair from the left ear over the top to the right ear."""
    arc = [(-c * (w + 0.07), -s * 1.13 - 0.02) for c, s in CIRCLE[:15]]
    if style == "spiky":
        arc = [
            (x * (1.10 if k % 2 else 0.99), y * (1.16 if k % 2 else 0.99)) if 1 < k < 13 else (x, y)
            for k, (x, y) in enumerate(arc)
        ]
    return [(-w - 0.05, 0.10), *arc, (w + 0.05, 0.10)]


def _hairline(style: str, w: float) -> list[Point]:
    """Inner edge from the right temple back to the left one, always above the brows."""
    temple = [(w * 0.95, -0.10), (w * 0.88, -0.42)]
    left = [(-x, y) for x, y in reversed(temple)]
    if style in ("bob", "pigtails"):
        middle = [(w * 0.80, -0.58), (0.0, -0.62), (-w * 0.80, -0.58)]
    elif style == "long":
        middle = [(w * 0.66, -0.58), (w * 0.24, -0.80), (0.0, -0.97), (-w * 0.24, -0.80)]
        middle += [(-w * 0.66, -0.58)]
    elif style == "spiky":
        middle = [(w * 0.70, -0.60), (w * 0.5, -0.76), (w * 0.28, -0.58), (0.0, -0.78)]
        middle += [(-w * 0.28, -0.58), (-w * 0.5, -0.76), (-w * 0.70, -0.60)]
    elif style in ("ponytail", "bun"):
        middle = [(w * 0.70, -0.64), (w * 0.3, -0.80), (0.0, -0.84), (-w * 0.3, -0.80)]
        middle += [(-w * 0.70, -0.64)]
    else:
        middle = [(w * 0.66, -0.60), (w * 0.2, -0.60), (-w * 0.30, -0.86), (-w * 0.62, -0.62)]
    return temple + middle + left


def draw_hat(pen: Pen, f: Features, hat: str, colour: Colour) -> None:
    """A hat whose lower edge stays above the brows."""
    {
        "cap": _cap,
        "woolly hat": _woolly_hat,
        "sun hat": _sun_hat,
        "party hat": _party_hat,
        "santa hat": _santa_hat,
    }[hat](pen, f.width, colour)


def _dome(w: float, top: float, bottom: float, grow: float = 0.10) -> list[Point]:
    return [(-c * (w + grow), bottom - s * (bottom - top)) for c, s in CIRCLE[:15]]


def _cap(pen: Pen, w: float, colour: Colour) -> None:
    line = darker(colour, 0.42)
    pen.poly(_dome(w, -1.36, -0.58), colour, line, solid=True)
    pen.line(curve((-0.05, -1.34), (0.1, -1.0), (0.05, -0.62), 5), 0.04, darker(colour, 0.2))
    peak = smooth([(-w, -0.66), (0, -0.90), (w, -0.66), (w, -0.50), (0, -0.62), (-w * 1.0, -0.50)])
    pen.poly(peak, darker(colour, 0.16), line, solid=True)
    pen.dot(0, -1.36, 0.09, line)


def _woolly_hat(pen: Pen, w: float, colour: Colour) -> None:
    line = darker(colour, 0.42)
    pen.dot(0, -1.58, 0.30, line)
    pen._solid(pen._map(oval(0, -1.58, 0.28, 0.28)[::4]))
    pen.dot(0, -1.58, 0.255, lighter(colour, 0.6))
    pen.poly(_dome(w, -1.42, -0.66), colour, line, solid=True)
    band = lighter(colour, 0.38)
    brim = smooth(
        [
            (-w - 0.14, -0.92),
            (0, -1.0),
            (w + 0.14, -0.92),
            (w + 0.14, -0.52),
            (0, -0.60),
            (-w - 0.14, -0.52),
        ]
    )
    pen.poly(brim, band, line, solid=True)


def _sun_hat(pen: Pen, w: float, colour: Colour) -> None:
    line = darker(colour, 0.42)
    pen.poly(oval(0, -0.72, w + 0.34, 0.22), darker(colour, 0.12), line, solid=True)
    pen.poly(_dome(w, -1.42, -0.74, -0.14), colour, line, solid=True)
    ribbon = [(-w + 0.14, -0.92), (w - 0.14, -0.92), (w - 0.14, -0.72), (-w + 0.14, -0.72)]
    pen.poly(ribbon, darker(colour, 0.5))


def _party_hat(pen: Pen, w: float, colour: Colour) -> None:
    line = darker(colour, 0.42)
    cone = [(-0.52, -0.86), (0.0, -1.86), (0.52, -0.86), (0.0, -0.76)]
    pen.poly(cone, colour, line, solid=True)
    for x, y in ((-0.2, -1.05), (0.16, -1.0), (0.0, -1.36), (0.26, -1.2)):
        pen.dot(x * 0.9, y, 0.075, lighter(colour, 0.75))
    pen.dot(0, -1.86, 0.15, line)
    pen.dot(0, -1.86, 0.12, PAINT["yellow"])


def _santa_hat(pen: Pen, w: float, colour: Colour) -> None:
    line = darker(colour, 0.42)
    shape = [(-w - 0.06, -0.66), (-w * 0.85, -1.25), (-0.1, -1.62), (w * 0.75, -1.40)]
    shape += [(w + 0.34, -0.80), (w + 0.16, -0.72), (w * 0.8, -0.95), (w + 0.02, -0.66)]
    pen.poly(smooth(shape), colour, line, solid=True)
    brim = smooth(
        [
            (-w - 0.16, -0.90),
            (0, -1.0),
            (w + 0.16, -0.90),
            (w + 0.16, -0.50),
            (0, -0.58),
            (-w - 0.16, -0.50),
        ]
    )
    pen.poly(brim, WHITE, darker(WHITE, 0.25), solid=True)
    pen.dot(w + 0.30, -0.66, 0.20, darker(WHITE, 0.25))
    pen._solid(pen._map(oval(w + 0.30, -0.66, 0.19, 0.19)[::4]))
    pen.dot(w + 0.30, -0.66, 0.165, WHITE)
