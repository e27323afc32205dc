"""Variants that train nothing and draw with photos as reference pictures.

Knows what such a variant may say and which bases can; which photos they are is said by what is in
them, in data/shown_photos.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kindred.config.adapter_variants import architecture_known, only_keys
from kindred.config.plan import Variant
from kindred.config.user_schema import ExperimentConfig
from kindred.config.variant_inheritance import Settings
from kindred.config.yaml_document import Document
from kindred.models import architectures
from kindred.specs.reference_pictures import ShownPhotos

if TYPE_CHECKING:
    from kindred.config.config_files import ConfigFiles

KEYS = frozenset({"references", "base", "dataset", "sweep"})


def from_photos(
    document: Document,
    config: ExperimentConfig,
    settings: Settings,
    dataset: str | None,
    config_files: ConfigFiles,
) -> Variant | None:
    """The base with so many photos of each character of a dataset. Every problem is noted."""
    problems, name = config_files.problems, settings.values["base"]
    where, before = document.where("variants", settings.key, "references"), len(problems.found)
    only_keys(document, settings, "references", KEYS, problems)
    for letter in settings.config.references:
        if letter not in config.characters:
            cure = document.did_you_mean(letter, config.characters, "characters")
            at = document.where("variants", settings.key, "references", letter)
            problems.add(at, f"no character '{letter}' to show photos of", cure)
    base = config_files.base(name, document.where(*settings.at("base")))
    architecture = base and architecture_known(base, where, config_files)
    if architecture is not None and architecture.reference_area is None:
        able = ", ".join(one.title for one in architectures.every() if one.reference_area)
        problems.add(
            where,
            f"the base '{name}' ({architecture.title}) can't use reference pictures",
            f"name a `base` that can ({able}), or remove the variant",
        )
    if len(problems.found) > before or dataset is None or architecture is None:
        return None
    shown = ShownPhotos(
        dataset=dataset, photos=settings.config.references, area=architecture.reference_area
    )
    return Variant(settings.name, name, None, (1,), references=shown)
