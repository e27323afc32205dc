"""JSON schemas of the YAML files, so that editors complete keys and mark wrong ones.

Knows which model belongs to which file; the models themselves say everything else.
"""

from __future__ import annotations

import json
from typing import Any

from kindred.config.albums import ALBUMS
from kindred.config.base_config import BaseConfig
from kindred.config.derived_experiments import LIKE
from kindred.config.user_schema import ExperimentConfig, MainConfig
from kindred.specs.families import FamiliesSpec
from kindred.specs.judge import JudgeSpec
from kindred.specs.spec_model import SpecModel
from kindred.specs.training import Recipe

SCHEMAS: dict[str, tuple[type[SpecModel], str]] = {
    "schema.json": (ExperimentConfig, "config/experiments/*.yaml"),
    "schema-config.json": (MainConfig, "config/config.yaml"),
    "schema-base.json": (BaseConfig, "config/bases/*.yaml"),
    "schema-recipe.json": (Recipe, "config/recipes/*.yaml"),
    "schema-families.json": (FamiliesSpec, "config/families/*.yaml"),
    "schema-judge.json": (JudgeSpec, "config/judges/*.yaml"),
}


def schema_text(name: str) -> str:
    """The text of config/<name>."""
    model, files = SCHEMAS[name]
    schema = model.model_json_schema(by_alias=True)
    if model is ExperimentConfig:
        _allow_derived(schema)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$comment": files}
    return _lines({**head, **_untitled(schema)}) + "\n"


def _untitled(value: Any) -> Any:
    """Without titles, which say the keys' names again."""
    if isinstance(value, list):
        return [_untitled(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {k: v for k, v in value.items() if k != "title" or not isinstance(v, str)}
    return {key: _untitled(one) for key, one in kept.items()}


def _lines(value: dict[str, Any], start: str = "") -> str:
    """JSON with a line for each key of a file or of a part of it."""
    inner = f"{start} "
    lines = []
    for key, one in value.items():
        parts = key in ("$defs", "properties") or (isinstance(one, dict) and "properties" in one)
        text = _lines(one, inner) if parts else json.dumps(one, ensure_ascii=False)
        lines.append(f"{inner}{json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + f"\n{start}}}"


def _allow_derived(schema: dict[str, Any]) -> None:
    """A file that is like another one need not say everything, and takes keys away with null."""
    required = schema.pop("required", [])
    schema["if"] = {"not": {"anyOf": [{"required": [LIKE]}, {"required": [ALBUMS]}]}}
    schema["then"] = {"required": required}
    for about in schema["properties"].values():
        if "additionalProperties" in about:
            inner = about["additionalProperties"]
            about["additionalProperties"] = {"anyOf": [inner, {"type": "null"}]}
            about["type"] = ["object", "null"]
