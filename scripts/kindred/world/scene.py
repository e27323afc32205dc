"""What a picture is to show: figures, their attributes and where they stand.

Knows sampling and layout; nothing about how things are drawn or worded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from kindred.world.people import Person, named_strangers, random_person, surname
from kindred.world.vocabulary import (
    CLOTHES_OF_KIND,
    COLOURS,
    EXPRESSIONS,
    GAZES,
    HATS,
    LANDSCAPE,
    PLACES,
    PORTRAIT,
    WIDE,
    adult,
)

HEAD_X, HEAD_TOP, HEAD_BOTTOM = 1.20, 1.18, 1.10
CHILD_SCALE, CHILDREN_SCALE = 0.80, 0.92  # heads of children beside adults, and among themselves
CARD_INSET = 0.075  # of the frame's height: the border of a Christmas card


@dataclass(frozen=True)
class Figure:
    """One person in one picture. x, y: middle of the head; unit: half a skull; native pixels."""

    person: Person
    clothes: str
    clothes_colour: str
    hat: str | None
    hat_colour: str | None
    expression: str
    gaze: str
    pose: str
    x: float
    y: float
    unit: float
    roll: float = 0.0
    turn: float = 0.0

    @property
    def head(self) -> tuple[float, float, float, float]:
        """Head box x0, y0, x1, y1; its size depends on `unit` alone, never on identity."""
        u = self.unit
        return (
            self.x - HEAD_X * u,
            self.y - HEAD_TOP * u,
            self.x + HEAD_X * u,
            self.y + HEAD_BOTTOM * u,
        )


@dataclass(frozen=True)
class Scene:
    """A picture to draw: native size, place, framing, figures from left to right."""

    width: int
    height: int
    place: str
    framing: str
    figures: tuple[Figure, ...]
    variation: int = 0


def hugged(scene: Scene, index: int) -> int:
    """Index of the neighbour whom a hugging figure reaches for: the nearest one."""
    x = scene.figures[index].x
    others = [k for k in (index - 1, index + 1) if 0 <= k < len(scene.figures)]
    return min(others, key=lambda k: abs(scene.figures[k].x - x))


_COUNTS = {PORTRAIT: (80, 20, 0, 0), LANDSCAPE: (22, 56, 22, 0), WIDE: (8, 16, 54, 22)}
_SIZES_FOR = {
    1: (PORTRAIT, PORTRAIT, PORTRAIT, PORTRAIT, LANDSCAPE, WIDE),
    2: (LANDSCAPE, LANDSCAPE, LANDSCAPE, WIDE, PORTRAIT),
    3: (WIDE, WIDE, WIDE, LANDSCAPE),
    4: (WIDE,),
}
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


def sample_people(rng: Random, count: int) -> list[Person]:
    """People as pretraining shows them: about 55 % named, sometimes of one surname."""
    strangers = named_strangers()
    mode = rng.random()
    share = 1.0 if mode < 0.40 else 0.0 if mode < 0.70 else 0.5
    pool = strangers
    if count > 1 and rng.random() < 0.3:
        family = surname(rng.choice(strangers).name)
        pool = tuple(p for p in strangers if surname(p.name) == family)
    named = iter(rng.sample(pool, count))
    return [next(named) if rng.random() < share else random_person(rng) for _ in range(count)]


def sample_scene(
    rng: Random,
    people: Sequence[Person] | None = None,
    count: int | None = None,
    size: tuple[int, int] | None = None,
    place: str | None = None,
    framing: str | None = None,
    shuffle: bool = True,
    **forced: str | None,
) -> Scene:
    """A random scene. Whatever is given is kept; the rest is drawn.

    people: who is shown (their order is shuffled unless `shuffle` is False, then it is left to
    right). forced: clothes, clothes_colour, hat, hat_colour, expression, gaze or pose for every
    figure; hat=None means bareheaded. Raises ValueError for a framing that has no layout.
    """
    if people is not None:
        count = len(people)
    if count is None:
        counts = _COUNTS[size] if size else (46, 26, 20, 8)
        count = rng.choices((1, 2, 3, 4), counts)[0]
    if not 1 <= count <= 4:
        raise ValueError(f"a scene shows 1 to 4 people, not {count}")
    size = size or rng.choice(_SIZES_FOR[count])
    people = list(people) if people is not None else sample_people(rng, count)
    if shuffle:
        rng.shuffle(people)
    place = place or rng.choice(PLACES)
    framing = framing or _framing(rng, size, count)
    if framing not in _framings(size, count):
        raise ValueError(f"no {framing} layout for {count} people at {size[0]}x{size[1]}")
    spots = _layout(rng, size, people, framing, place)
    looks = [_look(rng, person, place, framing, count, forced) for person in people]
    figures = tuple(
        Figure(person=person, **look, **spot)
        for person, look, spot in zip(people, looks, spots, strict=True)
    )
    return Scene(*size, place, framing, figures, rng.randrange(1 << 16))


def _framings(size: tuple[int, int], count: int) -> dict[str, tuple[float, float]]:
    """Framing -> unit and level, as in _UNITS."""
    width, height = size
    unit = min(_BUST * height, _ROW * width / (2 * HEAD_X * count))
    return _UNITS.get((size, count), {"bust": (unit, _BUST_LEVEL)})


def _framing(rng: Random, size: tuple[int, int], count: int) -> str:
    options = _framings(size, count)
    weights = {"headshot": 34, "bust": 44, "full": 22}
    return rng.choices(list(options), [weights[name] for name in options])[0]


def _layout(
    rng: Random, size: tuple[int, int], people: list[Person], framing: str, place: str
) -> list[dict]:
    """Slots across the frame, wider for adults; heads move only within their slot's slack."""
    width, height = size
    unit, level = _framings(size, len(people))[framing]
    inset = CARD_INSET * height if place == "christmas card" else 0.0
    width -= 2 * inset
    with_adults = any(adult(person.kind) for person in people)
    small = CHILD_SCALE if with_adults else CHILDREN_SCALE
    shares = [1.0 if adult(person.kind) else small for person in people]
    unit *= (0.95 + 0.10 * rng.random()) * (1.0 - 1.3 * inset / height)
    unit = min(unit, width / (2 * HEAD_X * sum(shares)))
    units = [unit * share for share in shares]
    slots = [2 * HEAD_X * u for u in units]
    slack = max(0.0, width - sum(slots))
    gaps = [0.55 + rng.random() * 0.9 for _ in range(len(people) + 1)]
    if len(people) <= 2:
        gaps[0], gaps[-1] = gaps[0] + 0.8, gaps[-1] + 0.8
    total = sum(gaps)
    spots, edge = [], inset
    foot = height * level + 3.5 * unit
    for k, (person, u) in enumerate(zip(people, units, strict=True)):
        edge += slack * gaps[k] / total
        lower = 0.0 if adult(person.kind) else (0.42 if with_adults else 0.12) * unit
        if framing == "full" and not adult(person.kind):
            lower = foot - 2.72 * u - height * level
        elif framing == "headshot":
            lower = 0.0
        spots.append(
            {
                "x": round(edge + slots[k] / 2, 2),
                "y": round(height * level + lower + unit * 0.16 * (rng.random() - 0.5), 2),
                "unit": round(u, 2),
                "roll": round(0.20 * (rng.random() - 0.5), 3),
                "turn": round(0.10 * (rng.random() - 0.5), 3),
            }
        )
        edge += slots[k]
    return spots


def _look(rng: Random, person: Person, place: str, framing: str, count: int, forced: dict) -> dict:
    hat = None
    if rng.random() < 0.28:
        hat = rng.choice(HATS[1:-1])
    if place == "christmas card" and rng.random() < 0.45:
        hat = "santa hat"
    hat = forced.get("hat", hat)
    look = {
        "clothes": rng.choice(CLOTHES_OF_KIND[person.kind]),
        "clothes_colour": rng.choice(COLOURS),
        "hat": hat,
        "expression": rng.choices(EXPRESSIONS, (34, 20, 20, 13, 13))[0],
        "gaze": rng.choices(GAZES, (22, 56, 22))[0],
        "pose": _pose(rng, framing, count),
    }
    colour = rng.choice(COLOURS)
    look["hat_colour"] = None if hat is None else "red" if hat == "santa hat" else colour
    unknown = set(forced) - set(look)
    if unknown:
        raise ValueError(
            f"unknown attribute {', '.join(sorted(unknown))}; choose of {', '.join(look)}"
        )
    if hat is None:
        forced = {key: value for key, value in forced.items() if key != "hat_colour"}
    return look | forced


def _pose(rng: Random, framing: str, count: int) -> str:
    if framing == "headshot":
        return "standing"
    poses = ["standing", "standing", "sitting", "waving", "arms crossed"]
    if count > 1:
        poses.append("hugging")
    return rng.choice(poses)
