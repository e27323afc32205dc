"""Photo albums of the lab's families: what a user would bring, drawn on request.

Knows how an ordinary dataset folder looks. The truth goes into a file beside the folder that only
the lab's judge reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

from kindred.common.files import atomic_write, make_folder, write_csv, write_json
from kindred.common.sentences import listing
from kindred.world.captions import caption
from kindred.world.drawing import draw, truth
from kindred.world.families import FAMILIES, Family, parse_coverage, photo_names
from kindred.world.people import Person
from kindred.world.scene import Scene, sample_scene
from kindred.world.vocabulary import COLOURS, HATS, LANDSCAPE, PORTRAIT, WIDE

_TRIES = 200  # captions drawn until one names every hat
_SIZES = {1: PORTRAIT, 2: LANDSCAPE, 3: WIDE, 4: WIDE}


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
    make_folder(out)
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
    return f"a photo of {listing(words)}"
