"""Folders, cards and names that no new experiment can be made for."""

from __future__ import annotations

from pathlib import Path

import shipped_config
from mistakes import Mistake
from PIL import Image

from kindred.starting import estimates
from kindred.starting.base_choice import chosen_base, lab_base
from kindred.starting.folder_survey import survey
from kindred.starting.new_files import new_experiment, write_files

ROOT = shipped_config.ROOT


def folder(root: Path, people: list[str], name: str = "") -> object:
    """A look through a folder with one photo."""
    path = root / name / "1.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48)).save(path)
    survey(root, people)
    return None


def made(root: Path, name: str = "ours", base: str | None = "lab", replaced: bool = True) -> object:
    """An experiment for the folder, written."""
    folder(root, ["JRussell:man"])
    new = new_experiment(ROOT, ".", name, survey(root, ["JRussell:man"]), None, base)
    write_files(new, root, replaced)
    return None


def again(root: Path, replaced: bool) -> object:
    """The same twice."""
    made(root)
    return made(root, replaced=replaced)


def card(gib: float, base: str | None) -> object:
    """A base chosen for a card."""
    chosen_base(ROOT, gib, base)
    return None


def timed(asked: bool) -> object:
    """Steps of the miniature, timed or not."""
    if asked:
        estimates.timed_steps(lab_base(ROOT), 0)
    return None


MANY = [f"{chr(65 + n)}Russell{n}:man" for n in range(26)] + ["BSmith:man"]
MISTAKES = [
    Mistake("nothing tells who is in the photos", lambda root: folder(root, []),
            lambda root: folder(root, ["JRussell:man"])),
    Mistake("does not say who somebody is", lambda root: folder(root, ["J Russell"]),
            lambda root: folder(root, ["JRussell:man:adult"])),
    Mistake("more than 26 people", lambda root: folder(root, MANY),
            lambda root: folder(root, MANY[:-1])),
    Mistake("no base can be trained on a card of", lambda _: card(1, None),
            lambda _: card(8, None)),
    Mistake("no file config/bases/klein.yaml", lambda _: card(8, "klein"),
            lambda _: card(8, "klein-4b")),
    Mistake("can't be trained on a card of 6 GiB", lambda _: card(6, "klein-4b-distilled"),
            lambda _: card(6, "klein-4b")),
    Mistake("is unfit for an experiment", lambda root: made(root, "our photos"), made),
    Mistake("no NVIDIA GPU was found here", lambda root: made(root, base=None), made),
    Mistake("is there already", lambda root: again(root, False), lambda root: again(root, True)),
    Mistake("steps can be timed only on a GPU", lambda _: timed(True), lambda _: timed(False)),
]  # fmt: skip
