"""The lab's families and their photo albums: what a user would bring, drawn on request.

Knows the fixed people whom pretraining never sees, coverage notation, and how an ordinary dataset
folder looks. The truth goes into a file beside the folder that only the lab's judge reads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from kindred.common.errors import KindredError, Problems
from kindred.common.files import atomic_write, write_csv, write_json
from kindred.world.captions import caption
from kindred.world.drawing import draw, truth
from kindred.world.people import Person
from kindred.world.phrases import join
from kindred.world.scene import Scene, sample_scene
from kindred.world.vocabulary import COLOURS, HATS, LANDSCAPE, PORTRAIT, TRAITS, WIDE

SHARED_TRAITS = 3
# What runs in a family, first to last: the dial copies this many traits from the first member.
KINSHIP = (
    "skin_tone",
    "eye_colour",
    "ear_size",
    "nose_shape",
    "freckles",
    "face_width",
    "eye_tilt",
    "mouth_width",
    "brow_thickness",
    "jaw_shape",
    "nose_size",
    "eye_spacing",
    "lip_fullness",
    "brow_angle",
    "eye_size",
    "mole_position",
)
_TRIES = 200  # captions drawn until one names every hat
_SIZES = {1: PORTRAIT, 2: LANDSCAPE, 3: WIDE, 4: WIDE}


@dataclass(frozen=True)
class Family:
    """Characters by their letter, the initial of their trigger name."""

    name: str
    members: tuple[Person, ...]

    @property
    def letters(self) -> str:
        return "".join(person.name[0] for person in self.members)

    def member(self, letter: str) -> Person:
        """The member whose trigger name starts with `letter`."""
        return next(person for person in self.members if person.name[0] == letter)


# Traits follow TRAITS: face width, jaw; eye spacing, size, colour, tilt; brow thickness, angle;
# nose size, shape; mouth width, lips; freckles, mole, ears, skin.
_RUSSELLS = (
    Person(
        "JRussell",
        "man",
        (0.7, 0.9, 0.5, -0.3, 0.35, -0.5, 0.9, -0.4, 0.8, 0.8, 0.5, -0.4, -0.95, -0.95, 0.6, -0.5),
        "short",
        "brown",
        True,
        False,
    ),
    Person(
        "ARussell",
        "woman",
        (-0.5, -0.7, -0.6, 0.6, -0.4, 0.7, -0.5, 0.3, -0.5, -0.3, -0.3, 0.8, -0.2, 0.7, -0.6, -0.8),
        "long",
        "red",
        False,
        True,
    ),
    Person(
        "CRussell",
        "girl",
        (0.3, -0.2, 0.1, 0.9, 0.35, -0.1, 0.0, 0.7, -0.8, -0.9, -0.7, -0.1, 0.9, -0.15, 0.1, -0.65),
        "pigtails",
        "blonde",
        False,
        False,
    ),
)
_OKORIES = (
    Person(
        "NOkorie",
        "woman",
        (0.2, 0.3, 0.7, 0.3, -0.9, 0.4, 0.3, -0.6, 0.2, -0.7, 0.8, 0.9, -0.95, 0.8, -0.5, 0.7),
        "bun",
        "black",
        False,
        False,
    ),
    Person(
        "TOkorie",
        "man",
        (-0.7, -0.4, -0.3, -0.7, -0.3, -0.6, 0.8, 0.5, 0.9, 0.5, -0.2, 0.2, -0.5, -0.92, 0.9, 0.9),
        "bald",
        "grey",
        True,
        True,
    ),
    Person(
        "EOkorie",
        "boy",
        (0.6, -0.8, -0.7, 0.8, -0.7, 0.1, -0.7, 0.0, -0.6, 0.1, 0.4, -0.6, 0.6, 0.35, 0.2, 0.35),
        "curly",
        "brown",
        False,
        False,
    ),
)
_OWN_LOOKS = {"russell": _RUSSELLS, "okorie": _OKORIES}


def family(name: str, shared: int = SHARED_TRAITS) -> Family:
    """A family in which everyone has `shared` traits of the first member, in KINSHIP order.

    Raises KindredError for an unknown family or a dial beyond the number of traits.
    """
    if name not in _OWN_LOOKS:
        raise KindredError(f"no family {name!r}; choose one of: {', '.join(_OWN_LOOKS)}")
    if not 0 <= shared <= len(TRAITS):
        raise KindredError(f"shared traits: {shared}; choose a number from 0 to {len(TRAITS)}")
    first, *others = _OWN_LOOKS[name]
    common = KINSHIP[:shared]

    def kin(person: Person) -> Person:
        traits = zip(TRAITS, first.traits, person.traits, strict=True)
        return replace(person, traits=tuple(a if key in common else b for key, a, b in traits))

    return Family(name, (first, *map(kin, others)))


FAMILIES = {name: family(name) for name in _OWN_LOOKS}


def parse_coverage(text: str, letters: str | None = None) -> dict[str, int]:
    """`J: 4, CA: 3` -> {"J": 4, "AC": 3}: letters of a cell sorted, cells in the order given.

    letters: those of the family, if known. Raises ProblemsError that names every mistake.
    """
    coverage: dict[str, int] = {}
    problems = Problems("coverage can't be read; write it like 'J: 4, A: 3, AC: 2'")
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = re.fullmatch(r"([A-Za-z]+)\s*[:=]\s*(\d+)", part)
        if not match:
            problems.add(
                part, "is no cell with a number of photos", "write letters, a colon, a number"
            )
            continue
        cell, count = "".join(sorted(match[1].upper())), int(match[2])
        unknown = "".join(x for x in cell if letters is not None and x not in letters)
        if len(set(cell)) < len(cell):
            problems.add(part, "names somebody twice", "use every letter once")
        elif len(cell) > 4:
            problems.add(part, "has more than four people", "leave some out")
        elif unknown:
            problems.add(part, f"nobody here has the letter {unknown}", f"use {', '.join(letters)}")
        elif cell in coverage:
            problems.add(part, f"cell {cell} is given twice", "add the numbers up")
        else:
            coverage[cell] = count
    if not coverage and not problems:
        problems.add(repr(text), "holds no cell", "give at least one")
    problems.raise_if_any()
    return coverage


def photo_names(coverage: Mapping[str, int] | str) -> list[str]:
    """File names of an album, known before it is drawn: `AC-01.jpg`, ..."""
    cells = parse_coverage(coverage) if isinstance(coverage, str) else coverage
    return [f"{cell}-{k + 1:02d}.jpg" for cell, count in cells.items() for k in range(count)]


def write_dataset(
    out: Path | str,
    family: Family | str,
    coverage: Mapping[str, int] | str,
    seed: int,
    scale: int = 4,
    hats: float = 0.0,
    class_nouns: bool = True,
    sides: bool = False,
    places: tuple[str, ...] | None = None,
    say_hats: bool | None = None,
) -> list[str]:
    """Draw an album into `out`: JPEG photos and captions.csv; the truth in `<out>.truth.json`.

    hats: share of people with a hat. class_nouns: captions say adult man / adult woman / small
    child before a name. sides: group captions say who is left and right. places: draw only these.
    say_hats: captions name every hat, or none.
    Each photo depends on seed, cell and number alone, so a larger album holds the smaller one.
    Returns the file names.
    """
    out = Path(out)
    family = FAMILIES[family] if isinstance(family, str) else family
    cells = parse_coverage(coverage, family.letters) if isinstance(coverage, str) else coverage
    out.mkdir(parents=True, exist_ok=True)
    rows, facts = [], {}
    for name in photo_names(cells):
        rng = Random(f"{family.name} {name} {seed}")
        people = [family.member(letter) for letter in name.split("-")[0]]
        scene = _photo(rng, people, hats, places)
        drawing = draw(scene, scale)
        label = _label(scene, rng, class_nouns, sides, say_hats)
        with atomic_write(out / name) as temporary:
            drawing.image.save(temporary, quality=95, subsampling=0)
        rows.append({"Filename": name, "Label": label})
        facts[name] = truth(scene, drawing) | {"caption": label}
    write_csv(out / "captions.csv", ("Filename", "Label"), rows)
    write_json(truth_path(out), {"family": family.name, "seed": seed, "photos": facts})
    return [row["Filename"] for row in rows]


def truth_path(out: Path | str) -> Path:
    """Where the truth about a dataset folder lies: beside it, out of every reader's way."""
    out = Path(out)
    return out.with_name(out.name + ".truth.json")


def _photo(rng: Random, people: list[Person], hats: float, places: tuple[str, ...] | None) -> Scene:
    place = rng.choice(places) if places else None
    scene = sample_scene(rng, people, size=_SIZES[len(people)], place=place, hat=None)
    figures = tuple(
        replace(figure, hat=rng.choice(HATS[1:-1]), hat_colour=rng.choice(COLOURS))
        if rng.random() < hats
        else figure
        for figure in scene.figures
    )
    return replace(scene, figures=figures)


def _label(scene: Scene, rng: Random, class_nouns: bool, sides: bool, say_hats: bool | None) -> str:
    """A careful user's caption: names, clothes, pose and place, no permanent looks."""
    call = rng.choice(("role", "age")) if class_nouns else "plain"
    if say_hats is False:
        bare = tuple(replace(figure, hat=None, hat_colour=None) for figure in scene.figures)
        scene = replace(scene, figures=bare)
    hats = [figure.hat for figure in scene.figures if figure.hat] if say_hats else []
    for _ in range(_TRIES):
        text = caption(scene, rng, "detailed", place=True, looks=False, call=call, sides=sides)
        if all(text.count(hat) >= hats.count(hat) for hat in hats):
            return text
    words = [f"{f.person.name}" + (f" in a {f.hat}" if f.hat else "") for f in scene.figures]
    return f"a photo of {join(words)}"
