"""The page "Who is it?": pictures of several families, of which people say who is in them without
knowing who was asked for or what drew them.

Knows pictures by the keys of the store, which tell nobody the variant; knows nothing of how answers
are used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from kindred.common.hashing import spec_hash
from kindred.evidence.who_is_it import COLUMNS
from kindred.rendering.manifest import Row
from kindred.report.rating_page import MEGABYTE, check_files, in_one_size
from kindred.report.report_data import Place
from kindred.report.templates import fill
from kindred.specs.report import WhoIsItSpec

PHOTOS_EACH = 2
PICTURE_EDGE, PHOTO_EDGE = 640, 200  # px


@dataclass(frozen=True)
class Asked:
    """A picture that people are asked about. clothes: its prompt says what somebody wears."""

    family: str
    row: Row
    clothes: bool


def choose(pictures: Mapping[str, Mapping[Place, Row]], spec: WhoIsItSpec) -> list[Asked]:
    """At most as many pictures as `spec` says, in an order that says nothing. Variants, then
    families, then casts come as often as each other, as nearly as can be. A picture that two
    variants share comes once. pictures: family -> its pictures by place."""
    rng = Random(f"who is it {spec.seed}")
    pool = [
        (variant, family, prompt.partition(".")[0], prompt, row)
        for family, own in sorted(pictures.items())
        for (variant, _, _, prompt, _), row in sorted(own.items())
    ]
    rng.shuffle(pool)
    counts: Counter[tuple[int, str]] = Counter()
    chosen: dict[str, Asked] = {}
    while pool and len(chosen) < spec.images:
        place = min(
            range(len(pool)), key=lambda n: [counts[level, pool[n][level]] for level in range(3)]
        )
        *levels, prompt, row = pool.pop(place)
        if row.key in chosen:
            continue
        counts.update(enumerate(levels))
        clothes = prompt in spec.families[levels[1]].clothes
        chosen[row.key] = Asked(levels[1], row, clothes)
    found = list(chosen.values())
    rng.shuffle(found)
    return found


def who_page(
    asked: Sequence[Asked], photos: Mapping[str, Mapping[str, Sequence[Path]]], spec: WhoIsItSpec
) -> str:
    """The page as HTML. photos: family -> character -> photos of it. Raises ProblemsError naming
    pictures that are missing."""
    files = {f"p-{one.row.key}": one.row.path for one in asked}
    shelf = {
        f"r-{family}-{letter}{n}": path
        for family, own in photos.items()
        for letter, paths in own.items()
        for n, path in enumerate(paths[:PHOTOS_EACH])
    }
    check_files([*files.values(), *shelf.values()])
    budget = round(spec.megabytes * MEGABYTE / 2)
    shown = {
        **in_one_size(files, budget, PICTURE_EDGE),
        **in_one_size(shelf, budget, PHOTO_EDGE),
    }
    file = f"{spec.name}.who.csv"
    page = {
        "id": spec_hash({"families": spec.name, "keys": sorted(files)})[:16],
        "columns": COLUMNS,
        "file": file,
        "families": {name: _people(name, spec, shelf) for name in spec.families},
        "pictures": [
            {"key": x.row.key, "family": x.family, "prompt": x.row.prompt, "clothes": x.clothes}
            for x in asked
        ],
    }
    return fill(
        "who.html",
        {
            "title": spec.title or spec.name,
            "page": page,
            "experiments": spec.families,
            "pictures": shown,
            "file": file,
            "destination": f"config/families/{file}",
        },
    )


def _people(family: str, spec: WhoIsItSpec, shelf: Mapping[str, Path]) -> list[dict[str, Any]]:
    return [
        {
            "letter": letter,
            "name": who.name,
            "photos": [key for key in shelf if key[:-1] == f"r-{family}-{letter}"],
        }
        for letter, who in spec.families[family].characters.items()
    ]
