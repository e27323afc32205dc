"""Whether a recipe's `targets` are layers of its base, and its patterns of ranks and alphas fit
them, asked before anything runs.

Only the base's config.json is needed. Of a base that is still to be fetched its training says it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from kindred.common.errors import KindredError
from kindred.config.variant_inheritance import Settings
from kindred.config.yaml_document import Document
from kindred.models.architectures.interface import Architecture
from kindred.models.identity import architecture_of
from kindred.models.lora.layer_ranks import by_pattern
from kindred.models.lora.target_layers import target_layers
from kindred.specs.base_model import Base
from kindred.specs.training import Recipe

if TYPE_CHECKING:
    from kindred.config.config_files import ConfigFiles

Targets = str | tuple[str, ...]
PATTERNS = ("rank_pattern", "alpha_pattern")


def check_targets(
    document: Document, settings: Settings, base: Base, recipe: Recipe, config_files: ConfigFiles
) -> None:
    """Note targets that match no layer of the base, or layers that may not be trained, and patterns
    of ranks and alphas that match none of those or contradict each other."""
    name = settings.values["base"]
    network = config_files.network(name)
    if network is None:
        return
    architecture = architecture_of(base, config_files.root)
    found = layers_or_fault(network.layout.names, hashable(recipe.targets), architecture)
    if isinstance(found, KindredError):
        where = _place(document, settings, "targets", config_files)
        config_files.problems.add(where, f"on the base '{name}': {found.what}", found.cure)
        return
    trained = tuple(one for one in network.layout.names if one in found)
    for key in PATTERNS:
        patterns = getattr(recipe, key) or {}
        if error := pattern_fault(trained, key, tuple(patterns.items())):
            where = _place(document, settings, key, config_files)
            config_files.problems.add(where, f"on the base '{name}': {error.what}", error.cure)


@cache
def layers_or_fault(
    names: tuple[str, ...], targets: Targets, architecture: Architecture
) -> frozenset[str] | KindredError:
    """The layers that targets mean among `names`, or what is wrong with them."""
    try:
        wanted = targets if isinstance(targets, str) else list(targets)
        return frozenset(target_layers(names, wanted, architecture))
    except KindredError as error:
        return error


@cache
def pattern_fault(
    trained: tuple[str, ...], key: str, patterns: tuple[tuple[str, float], ...]
) -> KindredError | None:
    """What is wrong with patterns of ranks or alphas for these layers."""
    try:
        by_pattern(trained, dict(patterns), key)
    except KindredError as error:
        return error
    return None


def hashable(targets: str | list[str]) -> Targets:
    """Targets as `layers_or_fault` takes them."""
    return targets if isinstance(targets, str) else tuple(targets)


def _place(document: Document, settings: Settings, key: str, config_files: ConfigFiles) -> str:
    """Where a recipe's key is written: in a variant, or in the recipe's own file."""
    if key in settings.recipe_changes:
        return document.where(*settings.at(key))
    return f"{config_files.folder / 'recipes' / settings.recipe}.yaml: {key}"
