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
# Two rows, in units of a head: above the back row's heads, below the front row's chins, and how far
# two of four people's rows are moved sideways, so that everybody is left or right of everybody.
_ABOVE, _SHOULDERS, _ASIDE = 0.25, 0.80, 0.60
_TALL = HEAD_TOP + HEAD_BOTTOM


def framings(size: Size, count: int) -> dict[str, tuple[float, float]]:
    """Framing -> head unit of an adult in pixels, and level of the heads over the frame's height.

    Sizes and counts that pretraining never shows have one framing, with heads as large as fit in
    one row or in two.
    """
    largest = max(_row_unit(size, count), _rows_unit(size, count))
    return _UNITS.get((size, count), {"bust": (largest, _BUST_LEVEL)})


def two_rows(size: Size, count: int) -> bool:
    """Whether so many people stand in two rows, because their heads are larger then."""
    return (size, count) not in _UNITS and _rows_unit(size, count) > _row_unit(size, count)


def _row_unit(size: Size, count: int) -> float:
    width, height = size
    return min(_BUST * height, _ROW * width / (2 * HEAD_X * count))


def _rows_unit(size: tuple[float, float], count: int) -> float:
    """The same in two rows, of two people each or of two and one; 0 for fewer people."""
    if count < 3:
        return 0.0
    width, height = size
    across = 2 * 2 * HEAD_X + (_ASIDE if count > 3 else 0.0)
    return min(_ROW * width / across, height / (_ABOVE + 2 * _TALL + _SHOULDERS))


def spots(
    rng: Random, size: Size, people: Sequence[Person], framing: str, place: str
) -> list[Spot]:
    """Position, unit, roll and turn of every head, from left to right."""
    inset = CARD_INSET * size[1] if place == "christmas card" else 0.0
    if two_rows(size, len(people)):
        return _in_two_rows(rng, size, people, inset)
    return _in_a_row(rng, size, people, framing, inset)


def _in_a_row(
    rng: Random, size: Size, people: Sequence[Person], framing: str, inset: float
) -> list[Spot]:
    """Slots across the frame, wider for adults; heads move only within their slot's slack."""
    width, height = size
    unit, level = framings(size, len(people))[framing]
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


def _in_two_rows(rng: Random, size: Size, people: Sequence[Person], inset: float) -> list[Spot]:
    """Every second person in front, with the head below the others' chins: the middle one of three
    or the outer two, the second and fourth of four or the first and third. Those with more
    children."""
    width, height = size[0] - 2 * inset, size[1] - 2 * inset
    unit = _rows_unit((width, height), len(people)) * (0.94 + 0.06 * rng.random())
    units = [unit * share for share in _shares(people)]
    front = _front(rng, people)
    spare = height - (_ABOVE + 2 * _TALL + _SHOULDERS) * unit
    chins = inset + spare * (0.2 + 0.3 * rng.random()) + (_ABOVE + _TALL) * unit
    found = []
    for k, (x, u) in enumerate(zip(_columns(rng, units, width), units, strict=True)):
        lower = (_TALL + _SHOULDERS) * (unit - u) * (0.4 + 0.5 * rng.random())
        y = chins + HEAD_TOP * u + lower if k % 2 == front else chins - HEAD_BOTTOM * u
        found.append(_spot(rng, inset + x, y, u))
    return found


def _front(rng: Random, people: Sequence[Person]) -> int:
    """Which places, from left to right, are the front row's: 0 the even ones, 1 the odd ones."""
    children = [sum(not adult(one.kind) for one in people[first::2]) for first in (0, 1)]
    if children[0] != children[1]:
        return int(children[1] > children[0])
    return rng.choice((0, 1))


def _columns(rng: Random, units: Sequence[float], width: float) -> list[float]:
    """Middles of the heads of two rows: x of the first and third person, of the second and fourth.
    Rows of two fill the width; with four people the first's to the left, the second's to the
    right."""
    most = max(HEAD_X * 2 * sum(units[first::2]) for first in (0, 1)) + 1.2 * max(units)
    used = min(width, most)
    start = (width - used) * (0.3 + 0.4 * rng.random())
    even = _pair(rng, units[0], units[2], used, len(units) > 3)
    if len(units) == 3:
        middle = (even[0] + even[1]) / 2 + 0.3 * units[1] * (rng.random() - 0.5)
        columns = [even[0], middle, even[1]]
    else:
        last, second = _pair(rng, units[3], units[1], used, True)
        columns = [even[0], used - second, even[1], used - last]
    return [start + x for x in columns]


def _pair(
    rng: Random, near: float, far: float, width: float, to_one_side: bool
) -> tuple[float, float]:
    """Middles of two heads beside each other, counted from the edge that the first is nearer to."""
    slack = width - 2 * HEAD_X * (near + far)
    before = slack * 0.15 * rng.random()
    between = slack * (0.25 * rng.random() if to_one_side else 0.7 + 0.15 * rng.random())
    first = before + HEAD_X * near
    return first, first + HEAD_X * (near + far) + between


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
