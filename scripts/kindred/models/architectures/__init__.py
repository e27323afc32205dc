"""Architectures of base models, a folder each, found by the class of a base's model_index.json.

A new one is a folder here, a line in `KNOWN`, and a base's YAML. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from kindred.common.errors import KindredError
from kindred.models.architectures.interface import Architecture

# `_class_name` of model_index.json -> module and name of what knows it.
KNOWN = {
    "FluxPipeline": "kindred.models.architectures.flux1.facts:FLUX1",
    "Flux2KleinPipeline": "kindred.models.architectures.klein.facts:KLEIN",
    "ZImagePipeline": "kindred.models.architectures.z_image.facts:Z_IMAGE",
    "Krea2Pipeline": "kindred.models.architectures.krea2.facts:KREA2",
}


@cache
def _load(place: str) -> Architecture:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def every() -> list[Architecture]:
    """All architectures."""
    return [_load(place) for place in KNOWN.values()]


def by_index(index: Mapping[str, Any], where: str) -> Architecture:
    """By a model_index.json. Raises KindredError, which begins with `where`, for an unknown one."""
    class_name = index.get("_class_name")
    if class_name not in KNOWN:
        raise KindredError(
            "Kindred does not know the architecture of a "
            f"{class_name or 'pipeline without _class_name'}",
            f"{where}/model_index.json",
            f"use a base of one of {', '.join(KNOWN)}",
        )
    return _load(KNOWN[class_name])


def by_name(name: str, where: str) -> Architecture:
    """By the name that a base's `architecture:` gives. Raises KindredError as `by_index` does."""
    known = {architecture.name: architecture for architecture in every()}
    if name not in known:
        raise KindredError(
            f"architecture: '{name}' is not known", where, f"write one of {', '.join(known)}"
        )
    return known[name]


def note(network: Any, architecture: Architecture) -> None:
    """Write on a loaded network which architecture is its base's: nothing else tells two apart that
    have a network of one class. Placing, quantizing, compiling and adapters leave it there."""
    network.kindred_architecture = architecture.name


def of_network(network: Any) -> Architecture:
    """The architecture of a loaded network: what `note` wrote on it, or else the only one with a
    network of its class. Raises KindredError for a class that none knows, and ValueError for one
    that several share."""
    if noted := getattr(network, "kindred_architecture", None):
        return by_name(noted, "a loaded network")
    class_name = type(network).__name__
    found = [one for one in every() if one.parts.network.class_name == class_name]
    if not found:
        raise KindredError(
            f"Kindred does not know an architecture with a network of class {class_name}",
            cure=f"use a base of one of {', '.join(KNOWN)}",
        )
    if len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise ValueError(f"{class_name} is the network of {names}: load it by load_transformer")
    return found[0]
