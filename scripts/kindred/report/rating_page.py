"""The rating page: which pictures people are asked about, and the page itself.

Knows pictures by the keys of the store, which tell nobody the variant; knows nothing of how ratings
are used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from kindred.characters.trigger_words import letters_in
from kindred.common.errors import KindredError, Problems
from kindred.common.hashing import spec_hash
from kindred.rendering.manifest import ADVICE, Row
from kindred.report.report_data import Photo, Place
from kindred.report.templates import fill
from kindred.report.thumbnails import missing, small_thumbnails
from kindred.specs.character import Character
from kindred.specs.report import RatingSpec

COLUMNS = ("rater", "key", "rating", "reference", "seconds", "rated_at")
MEGABYTE = 1_000_000
PHOTOS_EACH = 3
PICTURE_EDGE, PHOTO_EDGE = 768, 320  # px


def choose(pictures: Mapping[Place, Row], most: int, seed: int) -> list[Row]:
    """At most `most` pictures, every variant and prompt as often as every other (give or take
    one), in an order that says nothing. A picture that two variants share comes once."""
    rng = Random(f"ratings {seed}")
    strata: dict[tuple[str, str, str], list[Row]] = {}
    for (variant, _, prompt_set, prompt, _), row in sorted(pictures.items()):
        strata.setdefault((variant, prompt_set, prompt), []).append(row)
    piles = list(strata.values())
    rng.shuffle(piles)
    for pile in piles:
        rng.shuffle(pile)
    chosen: dict[str, Row] = {}
    for level in range(max(map(len, piles), default=0)):
        for pile in piles:
            if level < len(pile) and len(chosen) < most:
                chosen.setdefault(pile[level].key, pile[level])
    rows = list(chosen.values())
    rng.shuffle(rows)
    return rows


def references(
    photos: Sequence[Photo], characters: Mapping[str, Character]
) -> dict[str, list[Path]]:
    """Photos of each character, those with the fewest others first."""
    return {
        letter: [photo.path for photo in photos if letter in photo.letters][:PHOTOS_EACH]
        for letter in characters
    }


def rating_page(
    rows: Sequence[Row],
    photos: Mapping[str, Sequence[Path]],
    spec: RatingSpec,
) -> str:
    """The page as HTML. Raises ProblemsError naming pictures that are missing."""
    files = {row.key: row.path for row in rows}
    shelf = {f"{letter}{n}": path for letter, own in photos.items() for n, path in enumerate(own)}
    check_files([*files.values(), *shelf.values()])
    budget = round(spec.megabytes * MEGABYTE)
    drawn = in_one_size(files, budget, PICTURE_EDGE)
    shown = in_one_size(shelf, budget, PHOTO_EDGE)
    names = {letter: who.name for letter, who in spec.characters.items()}
    page = {
        "id": spec_hash({"experiment": spec.experiment, "keys": sorted(files)})[:16],
        "columns": COLUMNS,
        "names": names,
        "references": {
            letter: [f"{letter}{n}" for n in range(len(own))] for letter, own in photos.items()
        },
        "pictures": [
            {"key": row.key, "prompt": row.prompt, "who": letters_in(row.prompt, spec.characters)}
            for row in sorted(rows, key=lambda row: row.key)
        ],
    }
    return fill(
        "rating.html",
        {
            "spec": spec,
            "title": spec.title or spec.experiment,
            "page": page,
            "pictures": drawn,
            "reference_pictures": shown,
            "references": bool(shelf),
            "destination": f"config/experiments/{spec.experiment}.ratings.csv",
        },
    )


def in_one_size(files: Mapping[str, Path], budget: int, edge: int) -> dict[str, str]:
    """One size of each picture, base64 WebP: as large as fits, at most `edge` px."""
    while True:
        made = small_thumbnails(files, edge)
        if sum(map(len, made.values())) <= budget or edge <= 128:
            return made
        edge = edge * 3 // 4


def check_files(paths: Sequence[Path]) -> None:
    """Raises ProblemsError naming the pictures that are missing."""
    problems = Problems("pictures are missing")
    for path in missing(paths):
        problems.add(str(path), "is missing", ADVICE)
    problems.raise_if_any()


def need_some(rows: Sequence[Row], folder: Path) -> None:
    """Raises KindredError where there is nothing to rate."""
    if not rows:
        raise KindredError(
            "there is no picture to rate", str(folder), "run `snakemake`, which draws the prompts"
        )
