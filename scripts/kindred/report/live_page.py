"""The page that shows trainings while they run: who is trained, and the photos to look beside.

It is made before they begin and holds no result: what it shows of a training it reads from what
that writes (training/live_log.py) again and again, opened from the disk. Knows nothing of either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kindred.characters.trigger_words import letters_in
from kindred.report.rating_page import MEGABYTE, PHOTO_EDGE, check_files, in_one_size
from kindred.report.templates import fill
from kindred.report.thumbnails import as_uri
from kindred.specs.report import LivePageSpec


def live_page(photos: Mapping[str, Sequence[Path]], spec: LivePageSpec) -> str:
    """The page as HTML. photos: of each character, small copies of which it holds. Raises
    ProblemsError naming photos that are missing."""
    shelf = {f"{letter}{n}": path for letter, own in photos.items() for n, path in enumerate(own)}
    check_files([*shelf.values()])
    small = in_one_size(shelf, round(spec.megabytes * MEGABYTE), PHOTO_EDGE)
    page: dict[str, Any] = {
        "runs": [f"{variant}/run-{run}" for variant, runs in spec.variants.items() for run in runs],
        "prompts": {
            name: {"text": text, "who": letters_in(text, spec.characters)}
            for name, text in spec.prompts.items()
        },
        "photos": {
            letter: [as_uri(small[f"{letter}{n}"]) for n in range(len(own))]
            for letter, own in photos.items()
        },
    }
    return fill(
        "live.html",
        {"title": spec.title or spec.experiment, "every": spec.every, "page": page},
    )
