"""What a picture is to show: figures, their attributes and where they stand.

Knows sampling; nothing about how things are drawn or worded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from kindred.world.layouts import HEAD_BOTTOM, HEAD_TOP, HEAD_X, Size, framings, spots, two_rows
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
)


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


def front_row(scene: Scene) -> set[int]:
    """Indices of the figures who stand in front of somebody: their heads are wholly below the head
    of one whom they would hide."""
    heads = [figure.head for figure in scene.figures]
    return {
        k
        for k, (left, top, right, _) in enumerate(heads)
        if any(
            top > bottom - _TOUCHING and left < end and start < right
            for start, _, end, bottom in heads
        )
    }


_TOUCHING = 0.1  # pixels by which rounding may let heads overlap that stand apart
_COUNTS = {PORTRAIT: (80, 20, 0, 0), LANDSCAPE: (22, 56, 22, 0), WIDE: (8, 16, 54, 22)}
_SIZES_FOR = {
    1: (PORTRAIT, PORTRAIT, PORTRAIT, PORTRAIT, LANDSCAPE, WIDE),
    2: (LANDSCAPE, LANDSCAPE, LANDSCAPE, WIDE, PORTRAIT),
    3: (WIDE, WIDE, WIDE, LANDSCAPE),
    4: (WIDE,),
}


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
    size: Size | None = None,
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
    if framing not in framings(size, count):
        raise ValueError(f"no {framing} layout for {count} people at {size[0]}x{size[1]}")
    where = spots(rng, size, people, framing, place)
    hugs = count > 1 and not two_rows(size, count)
    looks = [_look(rng, person, place, framing, hugs, forced) for person in people]
    figures = tuple(
        Figure(person=person, **look, **spot)
        for person, look, spot in zip(people, looks, where, strict=True)
    )
    return Scene(*size, place, framing, figures, rng.randrange(1 << 16))


def _framing(rng: Random, size: Size, count: int) -> str:
    options = framings(size, count)
    weights = {"headshot": 34, "bust": 44, "full": 22}
    return rng.choices(list(options), [weights[name] for name in options])[0]


def _look(rng: Random, person: Person, place: str, framing: str, hugs: bool, forced: dict) -> dict:
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
        "pose": _pose(rng, framing, hugs),
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


def _pose(rng: Random, framing: str, hugs: bool) -> str:
    """hugs: whether arms may reach over others; in two rows they would hide a face."""
    if framing == "headshot":
        return "standing"
    poses = ["standing", "standing", "sitting", "waving", "arms crossed"]
    if hugs:
        poses.append("hugging")
    return rng.choice(poses)
