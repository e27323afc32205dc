"""Which photos a variant trains on: characters, cells, how many of each.

Knows the keys of a selection and the experiment's letters; what is chosen by them is data's part.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from kindred.characters.cells import parse_cell
from kindred.common.errors import KindredError, Problems
from kindred.config.user_schema import SELECTION_KEYS, ExperimentConfig
from kindred.config.variant_inheritance import Settings
from kindred.config.yaml_document import Document
from kindred.specs.training import Selection


def selection_of(
    document: Document, config: ExperimentConfig, settings: Settings, problems: Problems
) -> Selection | None:
    """The photos that a variant chooses; None after noting what is wrong with the choice."""
    at = ("variants", settings.key)
    given = {k: v for k, v in settings.values.items() if k in SELECTION_KEYS and v is not None}
    before = len(problems.found)
    known = set(config.characters)
    for letter in given.get("characters", ()):
        if letter not in known:
            cure = document.did_you_mean(letter, known, "characters")
            place = settings.where_of(document, "characters", letter)
            problems.add(place, f"no character '{letter}'", cure)
    among = set(given.get("characters", known)) & known

    def cell(text: str, key: str) -> str:
        try:
            parse_cell(text, known)
        except KindredError as error:  # wrong where it was written, whoever inherits it
            problems.add_error(settings.where_of(document, key, text), error)
            return text
        try:
            return parse_cell(text, among)
        except KindredError as error:
            problems.add_error(document.where_of(text, *at, key), error)
            return text

    if "match" in given and "total" not in given:
        where = document.where(*at, "match")
        problems.add(where, "`match` needs `total`", "set `total`, or remove `match`")
    for count in _counts(given.get("per_cell")):
        if count < 0:
            where = document.where(*at, "per_cell")
            problems.add(where, f"{count} is not a possible number of photos", "write 1 or more")
    if "characters" in given:
        given["characters"] = sorted(set(given["characters"]))
    if "cells" in given:
        given["cells"] = sorted({cell(text, "cells") for text in given["cells"]})
    for key in ("per_cell", "held_out"):
        if isinstance(given.get(key), dict):
            given[key] = {cell(text, key): n for text, n in given[key].items()}
    if "data_seed" in given:
        given["seed"] = given.pop("data_seed")
    if len(problems.found) > before:
        return None
    try:
        return Selection.model_validate(given)
    except ValidationError as error:
        document.note(error, Selection, problems, *at)
        return None


def _counts(per_cell: Any) -> list[int]:
    """The numbers in `per_cell`, which is one for all cells or one a cell."""
    if per_cell is None:
        return []
    return list(per_cell.values()) if isinstance(per_cell, dict) else [per_cell]
