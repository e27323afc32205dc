"""A pen that draws flat shapes in a figure's own coordinates, on the picture and on the mask.

Knows shapes and colours; not people. Everything is plain arithmetic on rounded tables, so the
same call gives the same bytes on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from PIL import ImageDraw

from kindred.world.vocabulary import Colour

Point = tuple[float, float]

CIRCLE: tuple[Point, ...] = tuple(
    (round(math.cos(math.tau * k / 28), 9), round(math.sin(math.tau * k / 28), 9))
    for k in range(28)
)
INK: Colour = (58, 40, 52)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """`a` moved towards `b` by `share` in [0, 1]."""
    return tuple(int(x + (y - x) * share + 0.5) for x, y in zip(a, b, strict=True))


def darker(colour: Colour, share: float = 0.3) -> Colour:
    """A deeper, slightly warmer tone: outlines and shadows."""
    return mix(colour, INK, share)


def lighter(colour: Colour, share: float = 0.35) -> Colour:
    """A tone towards white: highlights."""
    return mix(colour, (255, 252, 246), share)


def ramp(colours: Sequence[Colour], value: float) -> Colour:
    """Colour at `value` in [-1, 1] along evenly spaced anchors."""
    position = (value + 1) / 2 * (len(colours) - 1)
    index = min(int(position), len(colours) - 2)
    return mix(colours[index], colours[index + 1], position - index)


def turned(points: Sequence[Point], angle: float, x: float = 0.0, y: float = 0.0) -> list[Point]:
    """Points rotated by a small `angle` (radians, |angle| < 0.8) about the origin, then moved.

    Sine and cosine by their series: the platform's maths library has no say in the bytes.
    """
    square = angle * angle
    sin = angle * (1 - square / 6 * (1 - square / 20))
    cos = 1 - square / 2 * (1 - square / 12 * (1 - square / 30))
    return [(x + cos * px - sin * py, y + sin * px + cos * py) for px, py in points]


def oval(x: float, y: float, rx: float, ry: float, angle: float = 0.0) -> list[Point]:
    """The outline of an ellipse."""
    if angle:
        return turned([(rx * c, ry * s) for c, s in CIRCLE], angle, x, y)
    return [(x + rx * c, y + ry * s) for c, s in CIRCLE]


def curve(a: Point, control: Point, b: Point, steps: int = 8) -> list[Point]:
    """Quadratic Bezier from `a` to `b`."""
    points = []
    for k in range(steps + 1):
        t = k / steps
        p, q, r = (1 - t) * (1 - t), 2 * t * (1 - t), t * t
        points.append((p * a[0] + q * control[0] + r * b[0], p * a[1] + q * control[1] + r * b[1]))
    return points


def smooth(points: Sequence[Point], steps: int = 4) -> list[Point]:
    """A closed soft shape: quadratic curves between edge midpoints, corners as controls."""
    result = []
    count = len(points)
    for k in range(count):
        (ax, ay), b, (cx, cy) = points[k - 1], points[k], points[(k + 1) % count]
        start = ((ax + b[0]) / 2, (ay + b[1]) / 2)
        end = ((b[0] + cx) / 2, (b[1] + cy) / 2)
        result += curve(start, b, end, steps)[:-1]
    return result


class Pen:
    """Draws in local units: origin and unit of a figure, mapped to supersampled pixels."""

    def __init__(self, draw: ImageDraw.ImageDraw, mask: ImageDraw.ImageDraw | None, zoom: int):
        self.draw, self.mask, self.zoom = draw, mask, zoom
        self.mask_zoom = zoom
        self.begin(0)
        self.at(0.0, 0.0, 1.0)

    def at(self, x: float, y: float, unit: float, roll: float = 0.0) -> Pen:
        """Set origin (native pixels), unit (native pixels) and roll (radians)."""
        self.scale = unit * self.zoom
        ((self.a, self.b),) = turned([(self.scale, 0.0)], roll)
        self.ox, self.oy = x * self.zoom + 0.5, y * self.zoom + 0.5
        return self

    def begin(self, value: int) -> None:
        """Start a figure: its mask value, and empty bounds."""
        self.value = value
        self.bounds = [1e9, 1e9, -1e9, -1e9]

    def _map(self, points: Sequence[Point]) -> list[Point]:
        ox, oy, a, b = self.ox, self.oy, self.a, self.b
        if b == 0.0:
            return [(ox + a * x, oy + a * y) for x, y in points]
        return [(ox + a * x - b * y, oy + b * x + a * y) for x, y in points]

    def _solid(self, points: list[Point]) -> None:
        zoom, bounds = self.mask_zoom, self.bounds
        small = [(x / zoom, y / zoom) for x, y in points]
        xs, ys = [p[0] for p in small], [p[1] for p in small]
        bounds[0], bounds[1] = min(bounds[0], *xs), min(bounds[1], *ys)
        bounds[2], bounds[3] = max(bounds[2], *xs), max(bounds[3], *ys)
        if self.mask is not None:
            self.mask.polygon(small, fill=self.value)

    def poly(
        self,
        points: Sequence[Point],
        fill: Colour,
        outline: Colour | None = None,
        width: float = 0.045,
        solid: bool = False,
    ) -> None:
        """A filled shape; `solid` shapes belong to the figure's mask and box."""
        mapped = self._map(points)
        self.draw.polygon(mapped, fill=fill)
        if outline is not None:
            self.draw.line(mapped + mapped[:2], fill=outline, width=self._width(width))
        if solid:
            self._solid(mapped)

    def dot(self, x: float, y: float, r: float, fill: Colour) -> None:
        """A filled circle."""
        cx, cy = self._map([(x, y)])[0]
        r *= self.scale
        self.draw.ellipse((int(cx - r), int(cy - r), int(cx + r), int(cy + r)), fill=fill)

    def line(self, points: Sequence[Point], width: float, fill: Colour, caps: bool = True) -> None:
        """An open stroke with round joints and ends."""
        mapped = self._map(points)
        pixels = self._width(width)
        self.draw.line(mapped, fill=fill, width=pixels)
        if caps and pixels > 3:
            r = (pixels - 1) / 2
            ends = mapped if len(mapped) < 6 else (mapped[0], mapped[-1])
            for x, y in ends:
                self.draw.ellipse((int(x - r), int(y - r), int(x + r), int(y + r)), fill=fill)

    def limb(self, points: Sequence[Point], width: float, fill: Colour, outline: Colour) -> None:
        """A thick soft stroke with an outline: an arm or a leg; part of the mask."""
        self.line(points, width + 0.09, outline)
        self.line(points, width, fill)
        for (ax, ay), (bx, by) in pairwise(points):
            self._solid(self._map(capsule(ax, ay, bx, by, width / 2)))

    def _width(self, width: float) -> int:
        return max(1, int(width * self.scale + 0.5))


def capsule(ax: float, ay: float, bx: float, by: float, r: float) -> list[Point]:
    """Outline of a thick segment, ends squared off by its own radius."""
    length = math.sqrt((bx - ax) ** 2 + (by - ay) ** 2) or 1.0
    dx, dy = (bx - ax) / length * r, (by - ay) / length * r
    return [
        (ax - dx - dy, ay - dy + dx),
        (ax - dx + dy, ay - dy - dx),
        (bx + dx + dy, by + dy - dx),
        (bx + dx - dy, by + dy + dx),
    ]


def gradient(
    draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], top: Colour, bottom: Colour
) -> None:
    """Fill a box (canvas pixels, right and bottom exclusive) from `top` to `bottom` in bands."""
    x0, y0, x1, y1 = box
    spread = max(abs(a - b) for a, b in zip(top, bottom, strict=True))
    bands = max(1, min(spread, (y1 - y0) // 2))
    for k in range(bands):
        a, b = y0 + (y1 - y0) * k // bands, y0 + (y1 - y0) * (k + 1) // bands - 1
        if b >= a:
            draw.rectangle((x0, a, x1, b), fill=mix(top, bottom, (k + 0.5) / bands))
