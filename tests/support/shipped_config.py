"""A copy of the shipped configuration that a test may change, and its plans."""

from __future__ import annotations

import re
from pathlib import Path

from kindred.config.load_plan import load_plan

ROOT = Path(__file__).parents[2]


def copy(root):
    """The shipped files in `root`, an experiment on a base of full size, and a
    folder for a person's own photos."""
    for folder in ("bases", "experiments", "judges", "recipes"):
        target = root / "config" / folder
        target.mkdir(parents=True)
        for path in (ROOT / "config" / folder).glob("*.yaml"):
            (target / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    full_size = (Path(__file__).parent / "own-photos.yaml").read_text(encoding="utf-8")
    (root / "config/experiments/own-photos.yaml").write_text(full_size, encoding="utf-8")
    (root / "config" / "config.yaml").write_text("experiments: [mine]\n", encoding="utf-8")
    (root / "lab").symlink_to(ROOT / "lab")
    (root / "photos/ours").mkdir(parents=True)


def planned(root, name, **changes):
    """The plan of a copy of an experiment, with parts of its text replaced."""
    path = root / "config" / "experiments"
    text = (path / f"{name}.yaml").read_text(encoding="utf-8")
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    (path / "mine.yaml").write_text(text, encoding="utf-8")
    return load_plan(root)


def warnings(plan):
    return [re.sub(r"^.*/config/", "", str(one)) for one in plan.warnings]
