"""Which photos of a folder can't be decoded, all of them at once.

Knows photos as files; knows nothing of what becomes of them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from kindred.common.errors import Problem, ProblemsError
from kindred.common.progress import track
from kindred.common.sentences import counted
from kindred.data.photo_decoding import PhotoError, read_photo
from kindred.data.photo_folder import Photo

SMALL = 64  # px, shorter side that is enough to learn whether a photo can be decoded
WORKERS = min(8, os.cpu_count() or 1)  # more would need memory for as many whole photos


def problems_of(photos: Sequence[Photo]) -> list[Problem]:
    """What is wrong with each photo that can't be decoded, in the photos' order."""
    # Threads, because Pillow decodes outside the interpreter's lock.
    with ThreadPoolExecutor(WORKERS) as pool:
        found = pool.map(_problem, photos)
        return [one for one in track(found, "reading photos", len(photos), "photo") if one]


def all_problems(problems: Sequence[Problem], photos: int) -> ProblemsError:
    """The error that names every photo, of so many, that can't be used."""
    return ProblemsError(problems, f"{len(problems)} of {counted(photos, 'photo')} can't be used")


def _problem(photo: Photo) -> Problem | None:
    try:
        read_photo(photo.path, photo.name, SMALL)
    except PhotoError as error:
        return error.problem
    return None
