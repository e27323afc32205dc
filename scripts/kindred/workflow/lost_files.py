"""Which files are gone that a list in results/ or resources/ names, and which have come since.

Pictures, prepared photos, masks and composites lie where no rule declares them, because they are
thousands, and a person may delete them to make room. Knows the lists' forms; that a list counts as
missing then, so that a job makes the files again for whoever reads them, is rules/lost_files.smk's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from os.path import exists
from pathlib import Path
from typing import Any

from kindred.models.hub import is_cached, is_repository

Named = Callable[[Path, Any], Iterable[str]]


def pictures(listing: Path, value: Any) -> list[str]:
    """What a list of pictures names, results/<experiment>/<variant>/run-<k>/images/*.json."""
    return [row["path"] for row in value["images"]]


def prepared_photos(listing: Path, value: Any) -> list[str]:
    """What images.json names: the pictures in the folder images/ beside it."""
    folder = listing.parent / "images"
    return [f"{folder}/{row['image_id']}.png" for row in value]


def masks(listing: Path, value: Any) -> list[str]:
    """What masks.json names."""
    return [row["file"] for row in value.values()]


def composites(listing: Path, value: Any) -> list[str]:
    """What made.json names: photos and composites in the folder photos/ beside it."""
    folder = listing.parent / "photos"
    return [f"{folder}/{name}" for name in value]


@cache
def kept_steps(steps: tuple[int, ...], store: Path | None = None) -> Named:
    """The adapters of these steps of a training by its lora.json: in its folder, or else in the
    store, the usual one when None."""
    from kindred.training import adapter_store  # planning seldom needs it
    from kindred.training.kept_steps import FILE, FOLDER, stored_file

    kept_in = store or adapter_store.STORE

    def named(listing: Path, value: Any) -> list[str]:
        folder = listing.parent / FOLDER
        facts = {name: value[name] for name in adapter_store.FACTS}
        there = (step for step in steps if exists(folder / str(step) / FILE))
        return [str(stored_file(kept_in, facts, step)) for step in {*steps} - {*there}]

    return named


def tokenizers_found(audit: Path | str) -> list[str]:
    """The tokenizers that an audit did without and that are on this machine by now; none where
    there is no audit that can be read."""
    try:
        missing = json.loads(Path(audit).read_text(encoding="utf-8")).get("tokenizers_missing", ())
    except (OSError, ValueError, AttributeError):
        return []
    return [name for name in missing if _is_here(name)]


def _is_here(tokenizer: str) -> bool:
    """Whether `<directory or owner/name>/<folder>[@revision]` is on this machine."""
    place, _, revision = tokenizer.partition("@")
    model, _, folder = place.rpartition("/")
    if Path(tokenizer).expanduser().is_dir():
        return True
    return is_repository(model) and is_cached(model, folder, revision or None)


def lost(listing: Path | str, named: Named) -> list[str]:
    """The files that a list names by its form and that are not there; the list itself where it
    can't be read; none where there is no list."""
    listing = Path(listing)
    try:
        paths = named(listing, json.loads(listing.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return [str(listing)]
    return [path for path in paths if not exists(path)]
