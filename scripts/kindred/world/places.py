"""Draws the places: a calm gradient and a few large shapes each, nothing finer.

`variation` moves the large shapes and picks among a few palettes; it is not part of the truth.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from kindred.world.pen import Pen, Point, curve, darker, gradient, lighter, mix, oval
from kindred.world.vocabulary import Colour

SKY: tuple[Colour, Colour] = ((142, 202, 238), (222, 240, 246))
SUN: Colour = (255, 224, 130)


class Stage:
    """A place being drawn: the pen in frame coordinates (1 = frame height), and its dice."""

    def __init__(self, pen: Pen, width: int, height: int, variation: int):
        self.pen, self.rng = pen.at(0.0, 0.0, height), Random(variation)
        self.aspect = width / height
        self.canvas = (width * pen.zoom, height * pen.zoom)

    def fill(self, top: Colour, bottom: Colour, y0: float = 0.0, y1: float = 1.0) -> None:
        width, height = self.canvas
        gradient(self.pen.draw, (0, int(y0 * height), width, int(y1 * height)), top, bottom)

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: Colour) -> None:
        """A rectangle; x in [0, 1] of the frame's width."""
        width, height = self.canvas
        self.pen.draw.rectangle(
            (int(x0 * width), int(y0 * height), int(x1 * width) - 1, int(y1 * height) - 1),
            fill=fill,
        )

    def blob(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        """An ellipse; x in [0, 1] of the frame's width, radii in frame heights."""
        width, height = self.canvas
        cx, cy, rx, ry = x * width, y * height, rx * height, ry * height
        self.pen.draw.ellipse((int(cx - rx), int(cy - ry), int(cx + rx), int(cy + ry)), fill=fill)

    def shape(self, points: list[Point], fill: Colour) -> None:
        """A polygon; x in [0, 1] of the frame's width."""
        self.pen.poly([(x * self.aspect, y) for x, y in points], fill)

    def cloud(self, x: float, y: float, size: float, fill: Colour) -> None:
        for dx, dy, r in ((-0.09, 0.02, 0.6), (0.0, -0.02, 0.85), (0.09, 0.02, 0.6)):
            self.blob(x + dx * size * 8 / self.aspect, y + dy, size * r * 1.3, size * r, fill)

    def hill(self, y: float, left: float, peak: float, right: float, fill: Colour) -> None:
        """Ground below a soft curve."""
        line = curve((-0.02, y + left), (0.5, y + peak), (1.02, y + right), 10)
        self.shape([*line, (1.02, 1.05), (-0.02, 1.05)], fill)


def draw_backdrop(pen: Pen, place: str, width: int, height: int, variation: int) -> None:
    """Paint the whole frame."""
    _PLACES[place](Stage(pen, width, height, variation))


def draw_foreground(pen: Pen, place: str, width: int, height: int, variation: int) -> None:
    """What lies over the people: snowflakes at the edges, the border of a Christmas card."""
    if place == "christmas card":
        _card_border(Stage(pen, width, height, variation))


def _sky(stage: Stage, clouds: int = 2) -> None:
    stage.fill(*SKY)
    for _ in range(clouds):
        x, y = stage.rng.random(), 0.08 + 0.2 * stage.rng.random()
        stage.cloud(x, y, 0.07 + 0.03 * stage.rng.random(), (248, 252, 253))


def _beach(stage: Stage) -> None:
    stage.fill((128, 204, 240), (226, 244, 246), 0, 0.5)
    stage.blob(0.1 + 0.8 * stage.rng.random(), 0.16, 0.11, 0.11, SUN)
    stage.fill((56, 166, 200), (124, 208, 214), 0.46, 0.70)
    line = curve((0, 0.68), (0.5, 0.62 + 0.1 * stage.rng.random()), (1, 0.68), 8)
    stage.shape([*[(x, y - 0.025) for x, y in line], (1, 1.02), (0, 1.02)], (244, 250, 248))
    stage.shape([*line, (1, 1.02), (0, 1.02)], (246, 222, 164))
    dune = curve((0, 0.88), (0.5, 0.82), (1, 0.92), 6)
    stage.shape([*dune, (1, 1.02), (0, 1.02)], (238, 208, 146))


def _tree(stage: Stage, x: float, y: float, size: float, leaf: Colour) -> None:
    trunk = (146, 102, 72)
    half = 0.035 * size / stage.aspect
    stage.shape(
        [(x - half, y), (x + half, y), (x + half * 1.5, y + size), (x - half * 1.5, y + size)],
        trunk,
    )
    stage.blob(x, y - 0.12 * size, 0.30 * size, 0.34 * size, darker(leaf, 0.10))
    stage.blob(x - 0.03, y - 0.16 * size, 0.24 * size, 0.27 * size, leaf)


def _park(stage: Stage) -> None:
    _sky(stage)
    stage.hill(0.58, 0.02, -0.08, 0.0, (150, 206, 128))
    x = 0.06 + 0.14 * stage.rng.random()
    _tree(stage, x, 0.36, 0.62, (94, 172, 98))
    _tree(stage, x + 0.68 + 0.12 * stage.rng.random(), 0.40, 0.5, (118, 188, 100))
    stage.hill(0.70, 0.02, -0.04, 0.0, (126, 192, 108))


def _forest(stage: Stage) -> None:
    stage.fill((176, 214, 168), (104, 160, 112))
    offset = stage.rng.random() * 0.1
    for row, (y, colour) in enumerate((((0.62), (112, 166, 120)), ((0.78), (62, 122, 88)))):
        for k in range(5):
            x = offset + (k + 0.5 * row) / 4.2 - 0.1
            w = 0.17 / stage.aspect
            top = y - 0.62 - 0.08 * ((k + row) % 2)
            stage.shape([(x - w, y - 0.12), (x, top), (x + w, y - 0.12)], colour)
            stage.shape([(x - w * 1.2, y + 0.06), (x, top + 0.22), (x + w * 1.2, y + 0.06)], colour)
    stage.hill(0.78, 0.0, -0.03, 0.02, (88, 138, 84))


_PEAKS = (
    (0.16, 0.16, 0.50, (128, 140, 186)),
    (0.82, 0.10, 0.55, (112, 126, 176)),
    (0.50, 0.28, 0.50, (146, 156, 198)),
)


def _mountains(stage: Stage) -> None:
    stage.fill((150, 196, 236), (244, 232, 222))
    shift = 0.2 * stage.rng.random() - 0.1
    for x, top, w, colour in _PEAKS:
        x, w, foot = x + shift, w / stage.aspect, 0.85
        stage.shape([(x - w, foot), (x, top), (x + w, foot)], colour)
        dx, low = 0.24 * w, top + 0.24 * (foot - top)
        stage.shape([(x - dx, low), (x, top), (x + dx, low), (x, top + 0.24)], (248, 250, 253))
    stage.hill(0.74, 0.0, -0.05, 0.02, (136, 180, 132))


def _fir(stage: Stage, x: float, top: float, step: float, w: float, colour: Colour) -> None:
    """Three tiers, each wider than the one above; w in parts of the frame's width."""
    for k in range(3):
        y, spread = top + step * k, w * (0.6 + 0.26 * k)
        foot = y + 1.45 * step
        stage.shape([(x - spread, foot), (x, y), (x + spread, foot)], colour)


def _snow(stage: Stage) -> None:
    stage.fill((150, 178, 214), (220, 232, 244))
    stage.hill(0.58, 0.0, -0.10, 0.04, (232, 240, 248))
    for x in (0.10, 0.88):
        x += 0.08 * (stage.rng.random() - 0.5)
        w = 0.15 / stage.aspect
        _fir(stage, x, 0.20, 0.15, w, (76, 122, 122))
        stage.shape([(x - w * 0.28, 0.31), (x, 0.19), (x + w * 0.28, 0.31)], (246, 250, 254))
    stage.hill(0.70, 0.03, -0.03, 0.0, (248, 251, 254))
    for _ in range(8):
        stage.blob(stage.rng.random(), 0.6 * stage.rng.random(), 0.02, 0.02, (250, 252, 255))


def _desert(stage: Stage) -> None:
    stage.fill((250, 186, 120), (255, 232, 184))
    stage.blob(0.2 + 0.6 * stage.rng.random(), 0.22, 0.13, 0.13, (255, 244, 204))
    stage.hill(0.58, 0.06, -0.12, 0.02, (232, 170, 104))
    x = 0.08 + 0.06 * stage.rng.random()
    green = (92, 150, 98)
    for cx, s in ((x, 1.0), (x + 0.80, 0.8)):
        w = 0.035 * s / stage.aspect
        stage.shape(oval(cx, 0.55, w, 0.26 * s), green)
        stage.shape(oval(cx - 2.3 * w, 0.48, w * 0.75, 0.11 * s), green)
        stage.shape(oval(cx + 2.3 * w, 0.42, w * 0.75, 0.11 * s), green)
        stage.shape(
            [
                (cx - 2.3 * w, 0.53),
                (cx + 2.3 * w, 0.47),
                (cx + 2.3 * w, 0.53),
                (cx - 2.3 * w, 0.59),
            ],
            green,
        )
    stage.hill(0.72, 0.0, -0.02, 0.06, (242, 190, 122))


def _lake(stage: Stage) -> None:
    stage.fill((250, 206, 190), (196, 214, 238), 0, 0.5)
    stage.shape(
        [
            (0, 0.5),
            (0, 0.32),
            *curve((0, 0.32), (0.3, 0.14 + 0.1 * stage.rng.random()), (0.62, 0.46), 6),
            (1, 0.30),
            (1, 0.5),
        ],
        (126, 150, 170),
    )
    stage.fill((140, 176, 214), (74, 126, 178), 0.48, 1.0)
    for y, x, w in ((0.56, 0.2, 0.16), (0.64, 0.66, 0.2), (0.76, 0.3, 0.18)):
        stage.blob(x, y, w, 0.012, (196, 216, 236))
    stage.hill(0.86, 0.02, 0.04, -0.02, (140, 168, 110))
    w = 0.012 / stage.aspect
    for x in (0.04, 0.09, 0.95):
        stage.shape([(x - w, 0.95), (x + w, 0.95), (x + w, 0.56), (x - w, 0.56)], (104, 136, 84))
        stage.shape(oval(x, 0.55, w * 2, 0.06), (134, 88, 62))


def _kitchen(stage: Stage) -> None:
    stage.fill((250, 236, 206), (244, 222, 184))
    wood = (206, 152, 104)
    for x in (0.0, 0.72):
        stage.box(x, 0.0, x + 0.28, 0.26, wood)
        stage.box(x + 0.015, 0.0, x + 0.132, 0.235, lighter(wood, 0.25))
        stage.box(x + 0.148, 0.0, x + 0.265, 0.235, lighter(wood, 0.25))
    x = 0.34 + 0.04 * stage.rng.random()
    stage.box(x, 0.04, x + 0.30, 0.44, (255, 252, 244))
    stage.box(x + 0.015, 0.065, x + 0.285, 0.415, (176, 218, 238))
    stage.box(0, 0.58, 1, 0.66, (250, 247, 240))
    stage.box(0, 0.66, 1, 1, (118, 178, 172))
    for k in range(4):
        stage.box(0.02 + 0.245 * k, 0.70, 0.245 * (k + 1), 1, (138, 194, 188))
    pot = (218, 92, 76)
    stage.box(0.05, 0.46, 0.17, 0.58, pot)
    stage.box(0.04, 0.44, 0.18, 0.48, darker(pot, 0.2))


def _living_room(stage: Stage) -> None:
    wall = stage.rng.choice(((226, 206, 222), (214, 220, 230), (236, 212, 204)))
    stage.fill(lighter(wall, 0.3), wall)
    stage.box(0.36, 0.07, 0.64, 0.36, (150, 110, 84))
    stage.box(0.38, 0.10, 0.62, 0.33, (156, 202, 206))
    stage.shape(
        [(0.38, 0.33), (0.46, 0.20), (0.52, 0.27), (0.56, 0.23), (0.62, 0.33)], (98, 150, 120)
    )
    stage.blob(0.90, 0.24, 0.16, 0.13, (255, 238, 190))
    stage.box(0.892, 0.34, 0.908, 0.8, (140, 104, 84))
    stage.shape([(0.82, 0.36), (0.86, 0.16), (0.94, 0.16), (0.98, 0.36)], (250, 214, 128))
    stage.box(0, 0.84, 1, 1, (190, 148, 116))
    sofa = stage.rng.choice(((92, 132, 148), (152, 98, 112), (112, 138, 104)))
    stage.blob(0.08, 0.72, 0.18, 0.20, darker(sofa, 0.15))
    stage.blob(0.92, 0.72, 0.18, 0.20, darker(sofa, 0.15))
    stage.box(0.06, 0.50, 0.94, 0.92, sofa)
    stage.box(0.06, 0.72, 0.94, 0.76, darker(sofa, 0.2))


def _library(stage: Stage) -> None:
    stage.fill((112, 78, 62), (92, 62, 52))
    books = ((190, 78, 70), (222, 168, 84), (86, 128, 136), (120, 142, 96), (150, 108, 146))
    first = stage.rng.randrange(5)
    for row in range(3):
        y = 0.03 + 0.33 * row
        for k in range(7):
            colour = books[(first + k * 2 + row * 3) % 5]
            x = 0.01 + k * 0.142
            top = y + 0.03 * ((k * 5 + row) % 3)
            stage.box(x, top, x + 0.125, y + 0.26, mix(colour, (112, 78, 62), 0.38))
        stage.box(0, y + 0.26, 1, y + 0.30, (168, 122, 90))


def _street(stage: Stage) -> None:
    stage.fill((176, 206, 228), (240, 232, 220))
    walls = [(222, 138, 112), (236, 200, 140), (150, 178, 186), (204, 164, 170)]
    first = stage.rng.randrange(4)
    for k in range(4):
        colour = walls[(first + k) % 4]
        x, top = k * 0.25, 0.06 + 0.07 * ((k * 3 + first) % 3)
        stage.box(x, top, x + 0.25, 0.84, colour)
        for wx in (0.045, 0.145):
            for wy in (0.08, 0.30):
                stage.box(x + wx, top + wy, x + wx + 0.06, top + wy + 0.13, (252, 240, 200))
    stage.box(0, 0.80, 1, 1, (150, 150, 160))
    stage.box(0, 0.78, 1, 0.82, (200, 198, 200))


def _house(stage: Stage) -> None:
    _sky(stage, 1)
    wall = stage.rng.choice(((250, 240, 222), (244, 222, 200), (226, 236, 238)))
    stage.box(0.10, 0.36, 0.90, 0.86, wall)
    stage.shape([(0.03, 0.38), (0.24, 0.06), (0.76, 0.06), (0.97, 0.38)], (200, 86, 72))
    stage.shape([(0.03, 0.38), (0.05, 0.34), (0.95, 0.34), (0.97, 0.38)], (166, 64, 60))
    for x in (0.15, 0.71):
        stage.box(x, 0.45, x + 0.14, 0.66, (255, 255, 252))
        stage.box(x + 0.015, 0.47, x + 0.125, 0.64, (146, 196, 222))
        stage.box(x + 0.063, 0.47, x + 0.077, 0.64, (255, 255, 252))
    stage.box(0.43, 0.48, 0.57, 0.86, (86, 136, 150))
    stage.hill(0.82, 0.0, -0.02, 0.0, (138, 196, 116))


def _night(stage: Stage) -> None:
    stage.fill((30, 36, 84), (96, 84, 150))
    x = 0.12 + 0.72 * stage.rng.random()
    stage.blob(x, 0.18, 0.10, 0.10, (252, 240, 200))
    stage.blob(x + 0.045, 0.15, 0.085, 0.085, (36, 42, 92))
    for k in range(8):
        x, y = (k * 0.125 + 0.06 * stage.rng.random()) % 1, 0.05 + 0.5 * stage.rng.random()
        stage.blob(x, y, 0.013, 0.013, (250, 244, 214))
    stage.hill(0.68, 0.0, -0.10, 0.04, (52, 58, 104))
    stage.hill(0.80, 0.02, -0.02, 0.0, (40, 46, 86))


def _studio(stage: Stage) -> None:
    tone = stage.rng.choice(((206, 214, 224), (232, 214, 196), (204, 222, 208), (226, 208, 222)))
    stage.fill(lighter(tone, 0.25), darker(tone, 0.12))
    stage.blob(0.5, 0.46, 0.52, 0.52, lighter(tone, 0.45))


_BAUBLES = (
    (-0.4, 0.38, (224, 72, 68)),
    (0.4, 0.52, (252, 214, 96)),
    (-0.5, 0.66, (236, 244, 246)),
    (0.3, 0.74, (224, 72, 68)),
)


def _christmas_card(stage: Stage) -> None:
    stage.fill((44, 110, 92), (30, 84, 76))
    stage.blob(0.5, 0.62, 0.62 * stage.aspect, 0.6, (62, 132, 108))
    for x in (0.13, 0.87):
        w = 0.17 / stage.aspect
        _fir(stage, x, 0.14, 0.20, w, (36, 92, 70))
        stage.shape(_star(x, 0.14, 0.06, stage.aspect), (252, 214, 96))
        for dx, y, colour in _BAUBLES:
            stage.blob(x + dx * w, y, 0.024, 0.024, colour)
    stage.hill(0.80, 0.02, -0.05, 0.02, (240, 246, 248))


def _star(x: float, y: float, r: float, aspect: float) -> list[Point]:
    spokes = ((0, -1), (0.24, -0.32), (0.95, -0.31), (0.38, 0.12), (0.59, 0.81), (0, 0.4))
    right = [(x + px * r / aspect, y + py * r) for px, py in spokes]
    return right + [(2 * x - px, py) for px, py in reversed(right[1:-1])]


def _card_border(stage: Stage) -> None:
    width, height = stage.canvas
    edge = int(0.055 * height)
    draw, red, gold = stage.pen.draw, (204, 58, 58), (250, 216, 128)
    draw.rectangle((0, 0, width - 1, height - 1), outline=red, width=edge)
    inner = (edge, edge, width - 1 - edge, height - 1 - edge)
    draw.rectangle(inner, outline=gold, width=max(1, int(0.018 * height)))


_PLACES: dict[str, Callable[[Stage], None]] = {
    "beach": _beach,
    "park": _park,
    "forest": _forest,
    "mountains": _mountains,
    "snow": _snow,
    "desert": _desert,
    "lake": _lake,
    "kitchen": _kitchen,
    "living room": _living_room,
    "library": _library,
    "street": _street,
    "house": _house,
    "night sky": _night,
    "studio": _studio,
    "christmas card": _christmas_card,
}
