"""Trained on one base, drawn on another: `draw_on` of variants and prompt sets.

Knows which bases can take each other's adapters; knows nothing of pictures or of how they are
drawn there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from kindred.common.errors import KindredError
from kindred.config.plan import Variant
from kindred.config.user_schema import ExperimentConfig
from kindred.config.variant_inheritance import Settings
from kindred.config.yaml_document import Document
from kindred.models.identity import architecture_of

if TYPE_CHECKING:
    from kindred.config.config_files import ConfigFiles

FAST_SIBLING = "fast_sibling"  # as a value of `draw_on`: what the base's own file names


def with_drawing_bases(
    document: Document,
    config: ExperimentConfig,
    settings: Iterable[Settings],
    variants: dict[str, Variant],
    config_files: ConfigFiles,
) -> dict[str, Variant]:
    """The variants with the bases that they are drawn on; every problem is noted."""
    sets = [key for key, asked in config.prompt_sets.items() if asked.draw_on]
    found = dict(variants)
    for one in settings:
        written, variant = one.values.get("draw_on"), variants.get(one.name)
        if not written or variant is None:
            continue
        where = document.where(*one.at("draw_on"))
        for key in sets:
            config_files.problems.add(
                where, f"the prompt set '{key}' sets `draw_on` too", "remove one of the two"
            )
        found[one.name] = replace(
            variant, draw_on=_drawn_on(written, variant.base, where, config_files)
        )
    return found


def of_prompt_sets(
    document: Document,
    config: ExperimentConfig,
    variants: Iterable[Variant],
    config_files: ConfigFiles,
) -> dict[str, dict[str, str]]:
    """Prompt set -> base -> the base that draws it instead, where any is another one."""
    bases = sorted({variant.base for variant in variants})
    found: dict[str, dict[str, str]] = {}
    for key, asked in config.prompt_sets.items():
        if asked.draw_on:
            where = document.where("prompt_sets", key, "draw_on")
            drawn = {
                base: other
                for base in bases
                if (other := _drawn_on(asked.draw_on, base, where, config_files))
            }
            found |= {key: drawn} if drawn else {}
    return found


def _drawn_on(written: str, own: str, where: str, config_files: ConfigFiles) -> str | None:
    """The base that draws in place of `own`; None for itself, or after noting why none can."""
    if own not in config_files.bases:
        return None
    name = config_files.siblings[own] if written == FAST_SIBLING else written
    if name is None:
        config_files.problems.add(
            where,
            f"the base '{own}' has no `fast_sibling`",
            f"name the base to draw on, or add `fast_sibling:` to config/bases/{own}.yaml",
        )
        return None
    if name == own or config_files.base(name, where) is None:
        return None
    difference = _difference(own, name, config_files)
    if difference:
        config_files.problems.add(
            where,
            f"a LoRA of the base '{own}' can't be drawn on '{name}': {difference}",
            f"name a base that was made from '{own}'",
        )
        return None
    return name


def _difference(one: str, other: str, config_files: ConfigFiles) -> str:
    """Why a base's LoRAs don't fit another one, as far as this computer can tell; '' if they do."""
    bases = config_files.bases[one], config_files.bases[other]
    try:
        titles = [architecture_of(base, config_files.root).title for base in bases]
    except KindredError:
        return ""  # reading the base says so
    if titles[0] != titles[1]:
        return f"one is a {titles[0]} model, the other a {titles[1]} model"
    networks = config_files.network(one), config_files.network(other)
    if None in networks:
        return ""
    layouts = [network.layout for network in networks if network]
    blocks = [
        {layer.name for block in layout.blocks for layer in block.layers} for layout in layouts
    ]
    sizes = [layout.sizes for layout in layouts]
    if lost := sorted(blocks[0] ^ blocks[1]):
        return f"only one of them has the layer {lost[0]}"
    # What is outside the blocks may be there in one alone: distilled bases take no guidance.
    for name in sorted(sizes[0].keys() & sizes[1].keys()):
        if sizes[0][name] != sizes[1][name]:
            (wide, tall), (wider, taller) = sizes[0][name], sizes[1][name]
            return f"the layer {name} is {wide} x {tall} in one and {wider} x {taller} in the other"
    return ""
