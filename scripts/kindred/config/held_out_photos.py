"""Photos of the lab's families that nothing is trained on: what pictures that are no copies of
photos look like.

Knows which further albums an experiment needs; knows nothing of distances. A person's own photos
can't be drawn again: there the photos count that a variant's selection leaves out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kindred.common.errors import Problems
from kindred.config.plan import Dataset

SUFFIX = "-held-out"
SEEDS = 1_000_000  # further on than any seed that a person writes


def held_out_albums(
    datasets: dict[str, Dataset], roots: Iterable[str], where: str, problems: Problems
) -> tuple[dict[str, str], dict[str, Dataset]]:
    """For the datasets `roots` that are drawn: root -> name of its second album, and the albums by
    name. They show the same family in the same cells with another seed, and are prepared alike."""
    names, albums = {}, {}
    for root in roots:
        one = datasets.get(root)
        if one is None or one.lab is None or one.lab.strangers:
            continue
        name = f"{root}{SUFFIX}"
        if name in datasets:
            problems.add(
                where, f"the name '{name}' is needed for held-out photos", "choose another name"
            )
        lab = one.lab.model_copy(update={"seed": one.lab.seed + SEEDS})
        caption = one.caption.model_copy(update={"captioner": None})
        names[root] = name
        albums[name] = replace(one, name=name, lab=lab, caption=caption)
    return names, albums
