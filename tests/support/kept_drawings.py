"""Pictures that several made-up experiments have in common, drawn once for all workers.

Knows files; what a picture shows, and by what it is known, belongs to who draws it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

Heads = list[tuple[float, ...]]

KEPT: list[Path] = []  # the folder that all workers share; empty outside of tests


def drawn_once(told: Sequence[object], path: Path, draw: Callable[[], Heads]) -> Heads:
    """The boxes of heads that `draw` returned when it wrote the picture at `path`; or those of an
    equal picture, which is copied there. told: all that a picture follows from."""
    if not KEPT:
        return draw()
    name = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    picture, facts = KEPT[0] / f"{name}.png", KEPT[0] / f"{name}.json"
    if facts.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, path)
        return [tuple(head) for head in json.loads(facts.read_text())]
    heads = draw()
    own = f"{name}.{os.getpid()}"  # another worker may keep the same picture now
    shutil.copyfile(path, KEPT[0] / own)
    os.replace(KEPT[0] / own, picture)
    (KEPT[0] / own).write_text(json.dumps(heads))
    os.replace(KEPT[0] / own, facts)
    return heads
