"""Variants whose pictures were made elsewhere: nothing is trained or drawn, and they are judged and
rated beside the others.

Knows what such a variant may say; which prompt each picture answers is in
rendering/pictures_elsewhere.py.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kindred.common.errors import KindredError
from kindred.config.adapter_variants import only_keys
from kindred.config.plan import Experiment, Variant
from kindred.config.variant_inheritance import Settings
from kindred.config.yaml_document import Document

if TYPE_CHECKING:
    from kindred.config.config_files import ConfigFiles

KEYS = frozenset({"pictures"})


def from_folder(
    document: Document, settings: Settings, config_files: ConfigFiles
) -> Variant | None:
    """The variant of a folder of pictures. Every problem is noted."""
    problems, name = config_files.problems, settings.values["base"]
    where = document.where("variants", settings.key, "pictures")
    folder = os.path.normpath(os.path.expanduser(settings.config.pictures))
    whole = only_keys(document, settings, "pictures", KEYS, problems)
    if not (config_files.root / folder).is_dir():
        cure = "correct the path; it starts from the folder that holds the Snakefile"
        problems.add(where, f"there is no folder '{settings.config.pictures}'", cure)
        return None
    base = config_files.base(name, document.where(*settings.at("base")))
    return Variant(settings.name, name, None, (1,), pictures=folder) if whole and base else None


def check_pictures(document: Document, experiment: Experiment, config_files: ConfigFiles) -> None:
    """Note every picture made elsewhere that answers no prompt."""
    problems = config_files.problems
    for variant in experiment.variants.values():
        if not variant.pictures:
            continue
        from kindred.rendering.pictures_elsewhere import assign  # for few, and planning is frequent

        where = document.where("variants", variant.name, "pictures")
        try:
            folder = config_files.root / variant.pictures
            found = assign(folder, experiment.prompt_sets, variant.pictures)
        except KindredError as error:
            problems.add_error(where, error)
            continue
        problems.found += found.problems
        problems.warnings += found.warnings
