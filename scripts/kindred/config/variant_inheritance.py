"""How variants inherit: sweeps become named variants, `from:` chains become one set of keys.

Knows names and layers of keys; knows nothing of bases, datasets or what the keys do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from kindred.common.errors import Problems, did_you_mean
from kindred.config.user_schema import (
    NAME,
    NAME_RULE,
    RECIPE_KEYS,
    RESERVED,
    SELECTION_KEYS,
    SWEEP_KEYS,
    ExperimentConfig,
    VariantConfig,
)
from kindred.config.yaml_document import Document
from kindred.specs.spec_model import KEYS_LISTED, finding

INHERITED = SELECTION_KEYS | {
    "base",
    "dataset",
    "class_images",
    "runs",
    "first_run",
    "compose",
    "crop",
    "draw_on",
    "take",
}


@dataclass(frozen=True)
class Declared:
    """A variant as written, or one value of a sweep; `key` is where it stands in the file."""

    name: str
    key: str
    config: Any  # VariantConfig, which is made at run time


@dataclass(frozen=True)
class Settings:
    """A variant after inheritance: the recipe it starts from and every key set on the way."""

    name: str
    key: str
    recipe: str
    recipe_changes: dict[str, Any]
    values: dict[str, Any]
    config: Any
    origins: dict[str, str]

    def at(self, option: str) -> tuple[str, ...]:
        """Where `option` was set: in this variant, in one it inherits from, or for all."""
        key = self.origins.get(option)
        return ("variants", key, option) if key else (option,)

    def where_of(self, document: Document, option: str, item: str) -> str:
        """Where an item of an option's list or mapping stands, be it in the values of a sweep."""
        at = self.at(option)
        swept = (*at[:-1], "sweep", option)
        return document.where_of(item, *(swept if swept in document.lines else at))


def expand(document: Document, config: ExperimentConfig, problems: Problems) -> dict[str, Declared]:
    """Every variant by its final name, sweeps expanded; wrong or doubled names are noted."""
    found: dict[str, Declared] = {}
    folded: dict[str, str] = {}
    for key, variant in config.variants.items():
        for declared in _members(document, key, variant, problems):
            where = document.where("variants", key)
            name = declared.name
            if not NAME.match(name):
                problems.add(where, f"'{name}' can't be the name of a folder", NAME_RULE)
            elif name.casefold() in {word.casefold() for word in RESERVED}:
                problems.add(where, f"the name '{name}' is reserved", "choose another name")
            elif name in found:
                problems.add(
                    where,
                    f"makes a variant '{name}', which '{found[name].key}' makes too",
                    "rename one of them",
                )
            elif name.casefold() in folded:
                problems.add(
                    where,
                    f"'{name}' and '{folded[name.casefold()]}' differ only in case, "
                    "and some file systems can't tell them apart",
                    "rename one of them",
                )
            else:
                found[name], folded[name.casefold()] = declared, name
    return found


def _members(document: Document, key: str, config: Any, problems: Problems) -> list[Declared]:
    """The variant itself, or one for each combination of its sweep's values."""
    if not config.sweep:
        return [Declared(key, key, config)]
    unknown = sorted(set(config.sweep) - SWEEP_KEYS)
    for word in unknown:
        problems.add(
            document.where("variants", key, "sweep", word),
            "can't be swept",
            did_you_mean(word, SWEEP_KEYS, KEYS_LISTED),
        )
    empty = [option for option, values in config.sweep.items() if not values]
    for option in empty:
        where = document.where("variants", key, "sweep", option)
        problems.add(where, "has no values, so it makes no variant", "list at least one value")
    if unknown or empty:
        return []
    written = config.model_dump(exclude_unset=True, by_alias=True, exclude={"sweep"})
    members: list[tuple[str, dict[str, Any]]] = [(key, written)]
    for option, values in config.sweep.items():
        members = [
            (f"{name}-{_as_name(value)}", {**keys, option: value})
            for name, keys in members
            for value in values
        ]
    declared = []
    for name, keys in members:
        try:
            declared.append(Declared(name, key, VariantConfig.model_validate(keys)))
        except ValidationError as error:
            what, cure = finding(error.errors()[0])
            problems.add(document.where("variants", key, "sweep"), f"'{name}': {what}", cure)
    return declared


def _as_name(value: Any) -> str:
    """A sweep's value as part of a name: 16, 0.0001, J+A."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return "_".join(str(item) for item in value)
    return str(value)


def inherit(
    document: Document,
    config: ExperimentConfig,
    variants: dict[str, Declared],
    recipes: set[str],
    problems: Problems,
) -> list[Settings]:
    """Every variant with what it inherits; unknown parents and circles are noted.

    A key set to null goes back to its default. `recipe:` starts afresh from that recipe. `control`,
    `adapters`, `keep_apart`, `adapter`, `references`, `face_detail` and `weight` count only where
    they are written.
    """
    sweeps = {declared.key for declared in variants.values() if declared.name != declared.key}
    resolved = []
    for declared in variants.values():
        chain = _chain(document, declared, variants, recipes, sweeps, problems)
        if chain is not None:
            resolved.append(_merge(config, declared, *chain))
    return resolved


def _chain(
    document: Document,
    declared: Declared,
    variants: dict[str, Declared],
    recipes: set[str],
    sweeps: set[str],
    problems: Problems,
) -> tuple[list[Declared], str | None] | None:
    """The layers from the root to `declared`, and the recipe named at the root by `from:`."""
    layers = [declared]
    while (parent := layers[0].config.parent) is not None:
        where = document.where("variants", declared.key, "from")
        if parent in variants and parent in recipes:
            problems.add(
                where,
                f"'{parent}' is the name of both a variant and a recipe",
                "rename the variant",
            )
            return None
        if parent in recipes:
            return layers, parent
        if parent not in variants:
            if layers[0] is declared:
                is_sweep = parent in sweeps
                members = [v.name for v in variants.values() if v.key == parent]
                problems.add(
                    where,
                    f"'{parent}' is a sweep, not a single variant"
                    if is_sweep
                    else f"no variant or recipe '{parent}'",
                    f"name one of its variants: {', '.join(members)}"
                    if is_sweep
                    else document.did_you_mean(parent, {*variants, *recipes}, "variants"),
                )
            return None
        if any(layer.name == parent for layer in layers):
            names = [layer.name for layer in reversed(layers)]
            circle = " from ".join([*names[names.index(declared.name) :], parent])
            problems.add(
                where, f"leads back to itself: {circle}", "change one of these `from:` keys"
            )
            return None
        layers.insert(0, variants[parent])
    return layers, None


def _merge(
    config: ExperimentConfig, declared: Declared, layers: list[Declared], root: str | None
) -> Settings:
    recipe, changes = root or config.recipe, {}
    values: dict[str, Any] = {"base": config.base, "runs": config.runs}
    told = ("recipe", "base", "dataset", "class_images", "compose", "crop", "targets")
    told += ("draw_on", "take", "rank_pattern", "alpha_pattern", *SELECTION_KEYS)
    origins = {"recipe": layers[0].key} if root else {}
    for layer in layers:
        origins |= {key: layer.key for key in told if _sets(layer, key)}
        if layer.config.recipe is not None:
            recipe, changes = layer.config.recipe, {}
        for key in layer.config.model_fields_set & (RECIPE_KEYS | INHERITED):
            value = getattr(layer.config, key)
            target = changes if key in RECIPE_KEYS else values
            if value is None and key in ("base", "runs"):
                value = getattr(config, key)
            target[key] = value
    return Settings(declared.name, declared.key, recipe, changes, values, declared.config, origins)


def _sets(declared: Declared, option: str) -> bool:
    return getattr(declared.config, option) is not None
