"""Which photos are kept away from training, so that the loss on them can be told.

A pure function of who is in which photo and the selection: the same photos are held out of
training and of the pictures that are made of photos. Knows nothing of tensors or of losses.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable

from kindred.common.errors import Problems
from kindred.common.sentences import counted
from kindred.specs.training import Selection

Known = tuple[str, str, str]  # a photo, its cell, and how it was made; '' of a real photo


def held_out_photos(photos: Iterable[Known], wanted: Selection) -> set[str]:
    """The photos that `wanted` holds out of each cell, always the same ones: fewer are part of
    more. Real photos where the cell has more of them than are held out, or else pictures made of
    photos; a cell with no more of either gives none."""
    found: set[str] = set()
    for cell, pools in _pools(photos).items():
        count = _count(wanted, cell)
        chosen = next((pool for pool in pools if count < len(pool)), [])
        random.Random(f"{wanted.seed} {cell} held out").shuffle(chosen)
        found.update(chosen[:count])
    return found


def note_lacking(photos: Iterable[Known], wanted: Selection, problems: Problems) -> None:
    """Note every cell of which photos are to be held out by name and none would be left to train
    on; and where no cell has enough."""
    sizes = {cell: max(map(len, pools)) for cell, pools in _pools(photos).items()}
    if isinstance(wanted.held_out, dict):
        for cell, count in sorted(wanted.held_out.items()):
            if sizes.get(cell, 0) <= count:
                problems.add(
                    f"selection: held_out: {cell}",
                    f"holding out {count} of {counted(sizes.get(cell, 0), 'photo')} leaves none to "
                    "train on",
                    "hold out fewer, or add photos of this cell",
                )
    elif wanted.held_out is not None and max(sizes.values(), default=0) <= wanted.held_out:
        problems.add(
            "selection: held_out",
            f"no cell has more than {counted(wanted.held_out, 'photo')}, so none can be held out",
            "hold out fewer, add photos, or remove `held_out`",
        )


def _count(wanted: Selection, cell: str) -> int:
    if isinstance(wanted.held_out, dict):
        return wanted.held_out.get(cell, 0)
    return wanted.held_out or 0


def _pools(photos: Iterable[Known]) -> dict[str, tuple[list[str], list[str]]]:
    """Cell -> its real photos, and its pictures made of photos."""
    pools: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for photo, cell, made in sorted(set(photos)):
        pools[cell][bool(made)].append(photo)
    return dict(sorted(pools.items()))
