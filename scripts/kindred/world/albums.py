"""Photo albums of the lab's families: what a user would bring, drawn on request.

Knows how an ordinary dataset folder looks. The truth goes into a file beside the folder that only
the lab's judge reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from kindred.common.files import atomic_write, make_folder, read_json, write_csv, write_json
from kindred.common.sentences import listing
from kindred.world.captions import caption
from kindred.world.drawing import draw, truth
from kindred.world.families import (
    FAMILIES,
    Family,
    parse_coverage,
    photo_names,
    stranger_names,
)
from kindred.world.people import Person, random_person
from kindred.world.scene import Scene, sample_scene
from kindred.world.vocabulary import COLOURS, HATS, LANDSCAPE, PORTRAIT, WIDE

_TRIES = 200  # captions drawn until one names every hat
_SIZES = {1: PORTRAIT, 2: LANDSCAPE, 3: WIDE, 4: WIDE}
_SHAPES = (PORTRAIT, LANDSCAPE, WIDE)


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
    any_shape: bool = False,
) -> list[str]:
    """Draw an album into `out`: JPEG photos and captions.csv; the truth in `<out>.truth.json`.

    hats: share of people with a hat. class_nouns: captions say adult man / adult woman / small
    child before a name. sides: group captions say who is left and right. places: draw only these.
    say_hats: captions name every hat, or none. any_shape: of a cell's photos as many are upright as
    landscape and wide; otherwise the shape follows from how many people there are.
    Each photo depends on seed, cell and number alone, so a larger album holds the smaller one.
    Returns the file names.
    """
    family = FAMILIES[family] if isinstance(family, str) else family
    cells = parse_coverage(coverage, family.letters) if isinstance(coverage, str) else coverage

    def photo(name: str) -> tuple[Scene, str]:
        rng = Random(f"{family.drawn_as} {name} {seed}")
        people = [family.member(letter) for letter in name.split("-")[0]]
        size = _shape(f"{family.drawn_as} {seed}", name) if any_shape else None
        scene = _photo(rng, people, hats, places, size)
        return scene, _label(scene, rng, class_nouns, sides, say_hats)

    photos = {name: photo(name) for name in photo_names(cells)}
    return _write(Path(out), photos, scale, {"family": family.name, "seed": seed})


def write_strangers(out: Path | str, count: int, seed: int, scale: int = 4) -> list[str]:
    """Draw `count` people without names, each alone in a photo of any shape, like `write_dataset`.

    Nobody has the name of anybody, so that captions call them by their class noun alone.
    """

    def photo(name: str) -> tuple[Scene, str]:
        rng = Random(f"strangers {name} {seed}")
        person = random_person(rng, name.split("-")[0])
        scene = _photo(rng, [person], 0.0, None, rng.choice(_SHAPES))
        return scene, caption(scene, rng, "detailed", place=True, looks=False, call="plain")

    photos = {name: photo(name) for name in stranger_names(count)}
    return _write(Path(out), photos, scale, {"strangers": count, "seed": seed})


def _write(
    out: Path, photos: Mapping[str, tuple[Scene, str]], scale: int, about: Mapping[str, Any]
) -> list[str]:
    """Photos, captions and truth of an album; the photos' names. Photos of another album that was
    drawn here before go."""
    make_folder(out)
    for old in _drawn_before(out) - photos.keys():
        (out / old).unlink(missing_ok=True)
    rows, facts = [], {}
    for name, (scene, label) in photos.items():
        drawing = draw(scene, scale)
        with atomic_write(out / name) as temporary:
            drawing.image.save(temporary, quality=95, subsampling=0)
        rows.append({"Filename": name, "Label": label})
        facts[name] = truth(scene, drawing) | {"caption": label}
    write_csv(out / "captions.csv", ("Filename", "Label"), rows)
    write_json(truth_path(out), {**about, "photos": facts})
    return [row["Filename"] for row in rows]


def _drawn_before(out: Path) -> set[str]:
    """Names of the photos that the last album in this folder had."""
    path = truth_path(out)
    return {*read_json(path)["photos"]} if path.is_file() else set()


def truth_path(out: Path | str) -> Path:
    """Where the truth about a dataset folder lies: beside it, out of every reader's way."""
    out = Path(out)
    return out.with_name(out.name + ".truth.json")


def _shape(album: str, name: str) -> tuple[int, int]:
    """The shape of a photo: of three that follow one another in a cell each has another, in any
    order."""
    cell, number = Path(name).stem.split("-")
    turn, place = divmod(int(number) - 1, len(_SHAPES))
    return Random(f"{album} {cell} shapes {turn}").sample(_SHAPES, len(_SHAPES))[place]


def _photo(
    rng: Random,
    people: list[Person],
    hats: float,
    places: tuple[str, ...] | None,
    size: tuple[int, int] | None = None,
) -> Scene:
    place = rng.choice(places) if places else None
    size = size or _SIZES[len(people)]
    scene = sample_scene(rng, people, size=size, place=place, hat=None)
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
    return f"a photo of {listing(words)}"
