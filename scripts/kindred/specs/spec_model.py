"""The strict base of all specifications: their canonical string, and keys that had other names.

A renamed key is still read under its old name, with a warning where a person wrote it (see
config/yaml_document.py). What is stored keeps the old name, by the field's `serialization_alias`,
until the version of the step that reads it rises: a new name alone makes nothing anew.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from kindred.common.errors import Problem, ProblemsError, did_you_mean
from kindred.common.hashing import canonical_json, sha256_text
from kindred.specs.other_trainers import OURS

KEYS_LISTED = "see docs/reference/configuration.md for all keys"


class SpecModel(BaseModel):
    """Unknown keys are errors; values can't be changed after validation."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        defer_build=True,
        allow_inf_nan=False,  # of no number in any configuration
    )
    renamed_keys: ClassVar[Mapping[str, str]] = {}  # old -> new
    # Fields that hold a mapping with this model's own keys, as `sweep` does.
    keyed_by_options: ClassVar[tuple[str, ...]] = ()

    def canonical(self) -> str:
        """The one string that stands for this specification: a Snakemake param and a hash input.

        Fields that nobody set are left out, so a new option with a default changes no string.
        """
        return canonical_json(self.model_dump(mode="json", exclude_unset=True, by_alias=True))

    def hash(self) -> str:
        """Hex SHA-256 of `canonical()`."""
        return sha256_text(self.canonical())

    @classmethod
    def read(cls, text_or_path: str) -> Self:
        """From `--spec`: a JSON object, or the path of a file that holds one.

        Raises ProblemsError that names every wrong field.
        """
        text, where = text_or_path, "--spec"
        if not text.lstrip().startswith("{"):
            text, where = Path(text_or_path).read_text(encoding="utf-8"), text_or_path
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise ProblemsError(problems_of(error, where, cls)) from None


class StoredSpec(SpecModel):
    """A specification that is stored under old names of its keys, and read under both."""

    @model_validator(mode="before")
    @classmethod
    def _by_new_names(cls, data: Any) -> Any:
        """An old name stands for the new one; where both are given, the old one is unknown."""
        if not isinstance(data, dict):
            return data
        old = {key: new for key, new in cls.renamed_keys.items() if key in data and new not in data}
        return {old.get(key, key): value for key, value in data.items()} if old else data


def problems_of(error: ValidationError, where: str, model: type[BaseModel]) -> list[Problem]:
    """pydantic's findings in our words: file and key path, what is wrong, the nearest known key."""
    problems = []
    for item in error.errors():
        path = ".".join(str(part) for part in item["loc"])
        place = f"{where}: {path}" if path else where
        if item["type"] == "extra_forbidden":
            known = _keys_at(model, item["loc"][:-1])
            key = str(item["loc"][-1])
            ours = OURS.get(key, key)
            cure = did_you_mean(ours if ours in known else key, known, KEYS_LISTED)
            if slip := _slip_of_yaml(key, item["input"], known):
                cure = slip
            elif cure == KEYS_LISTED and isinstance(item["input"], Mapping):
                cure = f"check its indentation: it may belong elsewhere. Otherwise {KEYS_LISTED}"
            problems.append(Problem(place, "unknown key", cure))
        elif item["type"] == "missing":
            problems.append(Problem(place, "is missing", "add it"))
        else:
            problems.append(Problem(place, *finding(item)))
    return problems


def _slip_of_yaml(key: str, value: Any, known: Collection[str]) -> str:
    """The cure of `{rank:4}`, which is YAML for a key `rank:4` without a value; otherwise ''."""
    word, colon, rest = key.partition(":")
    slipped = colon and value is None and word in known
    return f"write a space after the colon: `{word}: {rest}`" if slipped else ""


def finding(item: Mapping[str, Any]) -> tuple[str, str]:
    """(what is wrong, the cure or '') in our words, of a value that pydantic did not take."""
    kind = re.sub("_(type|attributes_type|parsing|from_float)$", "", item["type"])
    plain = item["msg"].removeprefix("Value error, ").replace("Input should", "must", 1)
    what, cure = KINDS.get(kind, (plain, ""))
    return f"{what} (is {item['input']!r})", _nearest_of(item) or cure


# Of a value of another kind, which pydantic calls `int_parsing` or the like: what, and the cure.
KINDS = {
    "int": ("must be a whole number", "write it without quotes and without a point: 8"),
    "float": ("must be a number", "write it without quotes: 0.5 or 1e-4"),
    "bool": ("must be true or false", "write one of the two, without quotes"),
    "string": ("must be a text", "put it in quotes"),
    "list": ("must be a list", "put it in brackets: [a, b]"),
    "tuple": ("must be a list", "put it in brackets: [a, b]"),
    "dict": ("must have keys of its own", "write them in the lines below it, further in"),
    "model": ("must have keys of its own", "write them in the lines below it, further in"),
}


def _nearest_of(item: Mapping[str, Any]) -> str:
    """The nearest of the values allowed; '' where none is near, as pydantic's message lists all."""
    if item["type"] != "literal_error":
        return ""
    allowed = re.findall(r"'([^']*)'", item["ctx"]["expected"])
    # Nearer than for keys: of values as short as 'cpu' others are no misspelling.
    close = difflib.get_close_matches(str(item["input"]), allowed, n=1, cutoff=0.75)
    return f"did you mean '{close[0]}'?" if close else ""


def _keys_at(model: Any, path: tuple[Any, ...]) -> list[str]:
    """The keys known at a place in the model, as the YAML spells them."""
    for part in path:
        fields = getattr(model, "model_fields", {})
        named = next((f for n, f in fields.items() if part in (n, f.alias)), None)
        model = _inner_model(named.annotation) if named else model
    fields = getattr(model, "model_fields", {})
    return [field.alias or name for name, field in fields.items()]


def _inner_model(annotation: Any) -> Any:
    """The first model inside `X | None`, `list[X]`, `dict[str, X]`, or the annotation itself."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        inner = _inner_model(argument)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            return inner
    return annotation
