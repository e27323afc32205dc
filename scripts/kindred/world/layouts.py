"""Where heads go in a picture, and how large they are, by its size and by who is in it.

Knows frames and grown-ups from children; nothing of what people wear or of how they are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from kindred.world.people import Person
from kindred.world.vocabulary import LANDSCAPE, PORTRAIT, WIDE, adult

Size = tuple[int, int]
Spot = dict[str, float]

HEAD_X, HEAD_TOP, HEAD_BOTTOM = 1.20, 1.18, 1.10
CHILD_SCALE, CHILDREN_SCALE = 0.80, 0.92  # heads of children beside adults, and among themselves
CARD_INSET = 0.075  # of the frame's height: the border of a Christmas card

# Head unit of an adult by size, count and framing, and height of the head's middle over the
# frame's height. Chosen so that heads fill their slots and never overlap.
_UNITS = {
    (PORTRAIT, 1): {"headshot": (45.0, 0.545), "bust": (35.0, 0.45), "full": (24.5, 0.33)},
    (PORTRAIT, 2): {"bust": (26.0, 0.46), "full": (23.0, 0.37)},
    (LANDSCAPE, 1): {"headshot": (42.0, 0.55), "bust": (32.0, 0.46), "full": (21.5, 0.34)},
    (LANDSCAPE, 2): {"bust": (29.0, 0.45), "full": (21.0, 0.34)},
    (LANDSCAPE, 3): {"bust": (19.5, 0.47), "full": (18.5, 0.36)},
    (WIDE, 1): {"headshot": (33.0, 0.56), "bust": (26.0, 0.47)},
    (WIDE, 2): {"bust": (25.0, 0.47)},
    (WIDE, 3): {"bust": (23.5, 0.47)},
    (WIDE, 4): {"bust": (19.0, 0.46)},
}
# Of any other size or count, by what those have: as large as the height and the width allow.
_BUST, _BUST_LEVEL, _ROW = 0.25, 0.47, 0.97


def framings(size: Size, count: int) -> dict[str, tuple[float, float]]:
    """Framing -> head unit of an adult in pixels, and level of the heads over the frame's height.
    Sizes and counts that pretraining never shows have one framing, with the largest heads."""
    width, height = size
    unit = min(_BUST * height, _ROW * width / (2 * HEAD_X * count))
    return _UNITS.get((size, count), {"bust": (unit, _BUST_LEVEL)})


def spots(
    rng: Random, size: Size, people: Sequence[Person], framing: str, place: str
) -> list[Spot]:
    """Position, unit, roll and turn of every head, from left to right.

    Slots across the frame, wider for adults; heads move only within their slot's slack.
    """
    width, height = size
    unit, level = framings(size, len(people))[framing]
    inset = CARD_INSET * height if place == "christmas card" else 0.0
    width -= 2 * inset
    with_adults = any(adult(person.kind) for person in people)
    shares = _shares(people)
    unit *= (0.95 + 0.10 * rng.random()) * (1.0 - 1.3 * inset / height)
    unit = min(unit, width / (2 * HEAD_X * sum(shares)))
    units = [unit * share for share in shares]
    slots = [2 * HEAD_X * u for u in units]
    slack = max(0.0, width - sum(slots))
    gaps = [0.55 + rng.random() * 0.9 for _ in range(len(people) + 1)]
    if len(people) <= 2:
        gaps[0], gaps[-1] = gaps[0] + 0.8, gaps[-1] + 0.8
    total = sum(gaps)
    found, edge = [], inset
    foot = height * level + 3.5 * unit
    for k, (person, u) in enumerate(zip(people, units, strict=True)):
        edge += slack * gaps[k] / total
        lower = 0.0 if adult(person.kind) else (0.42 if with_adults else 0.12) * unit
        if framing == "full" and not adult(person.kind):
            lower = foot - 2.72 * u - height * level
        elif framing == "headshot":
            lower = 0.0
        y = height * level + lower + unit * 0.16 * (rng.random() - 0.5)
        found.append(_spot(rng, edge + slots[k] / 2, y, u))
        edge += slots[k]
    return found


def _shares(people: Sequence[Person]) -> list[float]:
    """Everybody's head over an adult's in the same picture."""
    with_adults = any(adult(person.kind) for person in people)
    small = CHILD_SCALE if with_adults else CHILDREN_SCALE
    return [1.0 if adult(person.kind) else small for person in people]


def _spot(rng: Random, x: float, y: float, unit: float) -> Spot:
    return {
        "x": round(x, 2),
        "y": round(y, 2),
        "unit": round(unit, 2),
        "roll": round(0.20 * (rng.random() - 0.5), 3),
        "turn": round(0.10 * (rng.random() - 0.5), 3),
    }
