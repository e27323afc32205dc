"""Whether a recipe's `targets` are layers of its base, asked before anything runs.

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
from kindred.models.lora.target_layers import target_layers
from kindred.specs.base_model import Base
from kindred.specs.training import Recipe

if TYPE_CHECKING:
    from kindred.config.config_files import ConfigFiles

Targets = str | tuple[str, ...]


def check_targets(
    document: Document, settings: Settings, base: Base, recipe: Recipe, config_files: ConfigFiles
) -> None:
    """Note targets that match no layer of the base, or layers that may not be trained."""
    name = settings.values["base"]
    network = config_files.network(name)
    if network is None:
        return
    architecture = architecture_of(base, config_files.root)
    found = layers_or_fault(network.layout.names, hashable(recipe.targets), architecture)
    if isinstance(found, KindredError):
        where = _place(document, settings, config_files)
        config_files.problems.add(where, f"on the base '{name}': {found.what}", found.cure)


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


def hashable(targets: str | list[str]) -> Targets:
    """Targets as `layers_or_fault` takes them."""
    return targets if isinstance(targets, str) else tuple(targets)


def _place(document: Document, settings: Settings, config_files: ConfigFiles) -> str:
    """Where `targets` are written: in a variant, or in the recipe's own file."""
    if "targets" in settings.recipe_changes:
        return document.where(*settings.at("targets"))
    return f"{config_files.folder / 'recipes' / settings.recipe}.yaml: targets"
