"""Every picture of the docs says how it was made, and all of them stay small."""

from __future__ import annotations

import re
from pathlib import Path

PICTURES = Path(__file__).parents[3] / "docs/pictures"
MOST = 240_000  # bytes of all together


def test_every_picture_says_how_it_was_made():
    told = re.findall(r"^\| `([\w.]+)` \|", (PICTURES / "README.md").read_text("utf-8"), re.M)
    there = {path.name for path in PICTURES.iterdir()} - {"README.md"}
    assert sorted(told) == sorted(there)


def test_they_are_small():
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) < MOST
