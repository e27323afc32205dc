"""Experiments that are like another one but for a few keys: `like: coverage` at the top of a file.

Knows files and keys; knows nothing of what the keys mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kindred.common.errors import Problems, did_you_mean
from kindred.config.renamed_keys import Location
from kindred.config.user_schema import ExperimentConfig
from kindred.config.yaml_document import Document, read_document

LIKE = "like"


def read_experiment(path: Path, problems: Problems, seen: tuple[str, ...] = ()) -> Document | None:
    """An experiment file with the keys of the one it is `like`; None after noting what is wrong.

    Mappings are merged key by key, everything else is replaced, and `null` takes a key of the other
    file away. Lines are those of this file, where it has them.
    """
    document = read_document(path, problems)
    if document is None:
        return None
    document.rename_old_keys(ExperimentConfig, problems)
    if LIKE not in document.data:
        _fill_empty_variants(document)
        return document
    where, name = document.where(LIKE), str(document.data[LIKE])
    others = {other.stem for other in path.parent.glob("*.yaml")} - {path.stem}
    if name in (*seen, path.stem):
        problems.add(
            where, f"leads back to this file through '{name}'", "change one of these `like:` keys"
        )
        return None
    if name not in others:
        problems.add(
            where, f"there is no file '{name}.yaml' in the same folder", did_you_mean(name, others)
        )
        return None
    other = read_experiment(path.parent / f"{name}.yaml", problems, (*seen, path.stem))
    if other is None:
        return None
    own = {key: value for key, value in document.data.items() if key != LIKE}
    merged = Document(path, merge_keys(other.data, own), document.lines)
    merged.removed = other.removed | {
        location: document.where(*location) for location in removed_keys(other.data, own)
    }
    return merged


def _fill_empty_variants(document: Document) -> None:
    """`only-J:` with nothing behind it is a variant that differs in nothing. Not in a file that is
    like another one, where null takes a key away."""
    variants = document.data.get("variants")
    if isinstance(variants, dict):
        filled = {key: {} if value is None else value for key, value in variants.items()}
        document.data["variants"] = filled


def removed_keys(
    old: Mapping[str, Any], new: Mapping[str, Any], above: Location = ()
) -> Iterator[Location]:
    """Where the keys stood that `merge_keys` takes away, with all that was in them."""
    for key, value in new.items():
        if key not in old:
            continue
        if value is None:
            yield (*above, key)
            yield from _inside(old[key], (*above, key))
        elif isinstance(value, Mapping) and isinstance(old[key], Mapping):
            yield from removed_keys(old[key], value, (*above, key))


def _inside(value: Any, above: Location) -> Iterator[Location]:
    if isinstance(value, Mapping):
        for key, within in value.items():
            yield (*above, key)
            yield from _inside(within, (*above, key))


def merge_keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """`old` with the keys of `new`; null takes away a key that `old` has."""
    result = dict(old)
    for key, value in new.items():
        if value is None and key in old:
            del result[key]
        elif isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = merge_keys(result[key], value)
        else:
            result[key] = value
    return result
