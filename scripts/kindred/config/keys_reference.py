"""docs/reference/configuration.md: every key of the YAML files, from the models that check them.

Knows the models, and which steps read which key; knows nothing of single experiments.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from kindred.config.json_schema import SCHEMAS
from kindred.config.user_schema import ExperimentConfig, VariantConfig
from kindred.specs.spec_model import SpecModel
from kindred.specs.training import Recipe

HEAD = """# Every configuration key

A key that you don't set has its default. The last column says what Kindred makes again when you
change the key; everything else stays as it is. `<name>` stands for a name of your own. A new
version may add keys; finished results stay valid then.

<!-- Written by `python scripts/config_schema.py` from the models behind the files; don't edit. -->
"""
TITLES = {
    "schema.json": "An experiment",
    "schema-config.json": "What a bare `snakemake` builds, and where",
    "schema-base.json": "A base model",
    "schema-recipe.json": "A recipe",
    "schema-families.json": "Claims about families",
    "schema-judge.json": "A judge",
}
TAKEN_OVER = (
    "selection",
    "training_defaults",
    "samples.prompts",
)  # keys of a prompt set, and of a recipe
LATER = "and what follows"
# What a change of a key makes stale, by the beginning of its path; the longest that fits counts.
STALE: Mapping[str, Mapping[str, str]] = {
    "schema.json": {
        "like": "whatever the inherited keys make stale",
        "albums": "experiments whose keys change",
        "title": "report",
        "question": "report",
        "hide_photos": "report",
        "hypotheses": "verdicts, report",
        "judge": "references, scores, verdicts, report",
        "characters": f"captions that name them, {LATER}",
        "datasets": f"the dataset's photos, {LATER}",
        "datasets.<name>.captioner": f"its captions, {LATER}",
        "datasets.<name>.not_names": f"its captions, {LATER}",
        "datasets.<name>.audit": "its audit page",
        "datasets.<name>.segmenter": "outlines, composites made with them, their trainings",
        "datasets.<name>.outlines": "outlines, composites made with them, their trainings",
        "dataset": "trainings that name no dataset",
        "base": "trainings that name no base",
        "recipe": "trainings that name no recipe",
        "runs": "nothing; more trainings are added",
        "variants": "the variant's trainings, its pictures and scores",
        "variants.<name>.runs": "nothing; more trainings are added",
        "variants.<name>.weight": "the variant's pictures and scores",
        "variants.<name>.adapter": "the variant's pictures and scores",
        "variants.<name>.adapters": "the variant's pictures and scores",
        "variants.<name>.keep_apart": "the variant's pictures and scores",
        "variants.<name>.references": "the variant's pictures and scores",
        "variants.<name>.pictures": "the variant's scores",
        "variants.<name>.face_detail": "the variant's pictures and scores",
        "variants.<name>.draw_on": "the variant's pictures and scores",
        "variants.<name>.take": "the variant's pictures and scores",
        "prompt_sets": "pictures whose prompt, seed or size changes, their scores",
        "samples": "nothing",
        "selection": "pictures of kept steps, the step that is chosen",
    },
    "schema-config.json": {
        "experiments": "nothing",
        "device": "nothing",
        "lab": "the lab's own models",
        "tracker": "nothing",
        "why": "nothing",
    },
    "schema-base.json": {
        "": "encoded photos and texts, trainings and pictures of this base",
        "suggested": "nothing",
        "download_gib": "nothing",
        "gated": "nothing",
        "fits": "nothing",
        "comfyui": "report",
        "fast_sibling": "pictures with `draw_on: fast_sibling`",
        "drawing_defaults": "pictures with `draw_on: fast_sibling`",
        "training_defaults": "trainings with `recipe: defaults`",
        "training_adapter": "trainings on this base",
    },
    "schema-recipe.json": {
        "": "trainings by this recipe, their pictures and scores",
        "checkpoint_every": "nothing",
    },
    "schema-families.json": {"": "verdicts and report of the families"},
    "schema-judge.json": {"": "references, scores, verdicts, report"},
}


@dataclass(frozen=True)
class Key:
    """A key: its path ('prompt_sets.<name>.size'), default and meaning, as words."""

    path: str
    default: str
    meaning: str


def configuration_page() -> str:
    """The text of docs/reference/configuration.md."""
    parts = [HEAD]
    for file, (model, files) in SCHEMAS.items():
        parts.append(f"\n## {TITLES[file]}\n\n`{files}`\n\n")
        parts.append("| key | default | meaning | made again |\n|---|---|---|---|\n")
        rows = [
            (f"`{key.path}`", key.default, key.meaning, stale(file, key.path))
            for key in keys(model)
        ]
        parts += [f"| {' | '.join(map(_cell, row))} |\n" for row in rows]
        if model is ExperimentConfig:
            parts.append(
                "\nA variant may also set every key of [a recipe](#a-recipe). `selection` has the "
                "keys of a prompt set.\n"
            )
    return "".join(parts)


def stale(file: str, path: str) -> str:
    """What a change of the key makes stale. Raises KeyError where nothing is said of it."""
    told = STALE[file]
    parts = path.split(".")
    beginnings = [".".join(parts[:n]) for n in range(len(parts), -1, -1)]
    for one in beginnings:
        if one in told:
            return told[one]
    raise KeyError(f"{file}: what does a change of '{path}' make stale? Say it in STALE")


def keys(model: type[SpecModel], before: str = "", seen: tuple[type, ...] = ()) -> Iterator[Key]:
    """Every key of a model and of the models in it, in their order; those of a recipe only in
    the model of recipes itself."""
    for name, field in model.model_fields.items():
        if model is VariantConfig and name in Recipe.model_fields:
            continue
        path = before + (field.alias or name)
        yield Key(path, _default(field), _meaning(field))
        if path in TAKEN_OVER:
            continue
        for inner, way in _models(field.annotation):
            if inner not in seen:
                yield from keys(inner, f"{path}{way}.", (*seen, model, inner))


def _models(kind: Any, way: str = "") -> Iterator[tuple[type[SpecModel], str]]:
    """The models in an annotation, and how one comes to each: '' or '.<name>' or '[]'."""
    if isinstance(kind, type) and issubclass(kind, SpecModel):
        yield kind, way
        return
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        yield from _models(arguments[0], way)
    elif origin in (Union, types.UnionType):
        for one in arguments:
            yield from _models(one, way)
    elif origin is dict:
        yield from _models(arguments[1], f"{way}.<name>")
    elif origin in (list, tuple):
        for one in arguments:
            yield from _models(one, f"{way}[]")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be set"
    value = field.get_default(call_default_factory=True)
    if value is None or value == "":
        return "unset"
    if value is PydanticUndefined or isinstance(value, SpecModel):
        return "as below"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list, tuple, set, frozenset)) and not value:
        return "none"
    if isinstance(value, float):
        return f"{value:g}"
    return str(list(value) if isinstance(value, tuple) else value)


def _meaning(field: FieldInfo) -> str:
    """Its description, or the first sentence about the model that it holds."""
    if field.description:
        return field.description
    for model, _ in _models(field.annotation):
        if model.__doc__:
            return re.split(r"(?<=\.)\s", " ".join(model.__doc__.split()))[0].rstrip(".")
    return ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
