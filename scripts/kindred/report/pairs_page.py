"""The page of pairs: which two pictures people compare, and the page itself.

A pair is one prompt with one seed by two variants, so that only the training differs. Knows
pictures by the keys of the store, which tell nobody the variant; knows nothing of how choices are
used (evidence/paired_choices.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

from kindred.characters.trigger_words import letters_in
from kindred.common.errors import KindredError
from kindred.common.hashing import spec_hash
from kindred.evidence.paired_choices import COLUMNS
from kindred.rendering.manifest import Row
from kindred.report.rating_page import MEGABYTE, PHOTO_EDGE, check_files, in_one_size
from kindred.report.report_data import Place
from kindred.report.templates import fill
from kindred.specs.report import PairsSpec

PICTURE_EDGE = 640  # px


@dataclass(frozen=True)
class Pair:
    """Two pictures of one prompt and seed, and whom they are to look like."""

    letter: str
    left: Row
    right: Row


def choose_pairs(pictures: Mapping[Place, Row], spec: PairsSpec) -> list[Pair]:
    """At most `pairs`, every character and two variants as often as every other (give or take one),
    left and right by chance. Prompts that name one character alone are taken, of somebody whom none
    asks for alone all that name it. Raises KindredError where there is nothing to compare."""
    rng = Random(f"pairs {spec.seed}")
    piles: dict[tuple[str, str, str], list[Pair]] = {}
    asked = {letter: _asked(pictures, spec, letter) for letter in sorted(spec.characters)}
    for letter, rows in asked.items():
        for a, b in combinations(sorted(spec.variants), 2):
            for run in range(min(len(spec.variants[a]), len(spec.variants[b]))):
                runs = spec.variants[a][run], spec.variants[b][run]
                for ask in rows:
                    two = [pictures.get((v, r, *ask)) for v, r in zip((a, b), runs, strict=True)]
                    if None not in two and two[0].key != two[1].key:
                        rng.shuffle(two)
                        piles.setdefault((letter, a, b), []).append(Pair(letter, *two))
    dealt = list(piles.values())
    if not dealt:
        where = f"experiment {spec.experiment}"
        what = "no two variants drew the same prompt of a character with adapters of their own"
        cure = "add a second variant that is not a control, or rate single pictures in rating.html"
        raise KindredError(what, where, cure)
    for pile in dealt:
        rng.shuffle(pile)
    most = max(map(len, dealt))
    found = [pile[level] for level in range(most) for pile in dealt if level < len(pile)]
    found = found[: spec.pairs]
    rng.shuffle(found)
    return found


def _asked(
    pictures: Mapping[Place, Row], spec: PairsSpec, letter: str
) -> list[tuple[str, str, int]]:
    """(prompt set, prompt, seed) of all that ask for a character, alone where any does."""
    found: dict[tuple[str, str, int], list[str]] = {}
    for place, row in sorted(pictures.items()):
        found.setdefault(place[2:], letters_in(row.prompt, spec.characters))
    alone = [ask for ask, letters in found.items() if list(letters) == [letter]]
    return alone or [ask for ask, letters in found.items() if letter in letters]


def pairs_page(pairs: Sequence[Pair], photos: Mapping[str, Sequence[Path]], spec: PairsSpec) -> str:
    """The page as HTML. Raises ProblemsError naming pictures that are missing."""
    files = {row.key: row.path for pair in pairs for row in (pair.left, pair.right)}
    shelf = {f"{letter}{n}": path for letter, own in photos.items() for n, path in enumerate(own)}
    check_files([*files.values(), *shelf.values()])
    budget = round(spec.megabytes * MEGABYTE)
    drawn, shown = in_one_size(files, budget, PICTURE_EDGE), in_one_size(shelf, budget, PHOTO_EDGE)
    told = [{"who": p.letter, "left": p.left.key, "right": p.right.key} for p in pairs]
    page: dict[str, Any] = {
        "id": spec_hash({"experiment": spec.experiment, "pairs": told})[:16],
        "columns": COLUMNS,
        "names": {letter: who.name for letter, who in spec.characters.items()},
        "references": {x: [f"{x}{n}" for n in range(len(own))] for x, own in photos.items()},
        "pairs": told,
    }
    return fill(
        "pairs.html",
        {
            "spec": spec,
            "title": spec.title or spec.experiment,
            "page": page,
            "pictures": drawn,
            "reference_pictures": shown,
            "destination": f"config/experiments/{spec.experiment}.pairs.csv",
        },
    )
