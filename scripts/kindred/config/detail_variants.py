"""Variants that train nothing: another one's pictures with the faces drawn again.

Knows what such a variant may say and whose pictures it can be of; knows nothing of faces.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kindred.config.adapter_variants import only_keys
from kindred.config.plan import Variant
from kindred.config.user_schema import ExperimentConfig
from kindred.config.variant_inheritance import Settings
from kindred.config.yaml_document import Document
from kindred.specs.face_detail import DetailOf

if TYPE_CHECKING:
    from kindred.config.config_files import ConfigFiles

KEYS = frozenset({"face_detail", "parent"})
DRAWN = "name a variant that is drawn with a LoRA, trained here or elsewhere"


def with_face_detail(
    document: Document,
    config: ExperimentConfig,
    settings: Iterable[Settings],
    variants: dict[str, Variant],
    config_files: ConfigFiles,
) -> dict[str, Variant]:
    """The variants, and those of `settings`, which draw faces of others again; every problem is
    noted."""
    problems, found = config_files.problems, dict(variants)
    for one in settings:
        written, source = one.config, variants.get(one.config.parent)
        where = document.where("variants", one.key, "face_detail")
        whole = only_keys(document, one, "face_detail", KEYS, problems)
        if config.judge is None:
            problems.add(where, "needs `judge:` to find the faces", "add it")
        if written.parent in config.variants and source is None and not _is_detail(config, written):
            continue  # what is wrong with it is noted
        if source is None or not source.loads:
            where = document.where("variants", one.key, "from")
            named = f"'{written.parent}'" if written.parent else "no variant"
            problems.add(where, f"{named} has no faces that can be drawn again", DRAWN)
        elif whole:
            detail = DetailOf(of=source.name, **written.face_detail.model_dump(exclude_unset=True))
            _warn_of_size(detail, source, where, config_files)
            found[one.name] = Variant(
                one.name,
                source.base,
                None,
                source.runs,
                adapters=source.loads,
                draw_on=source.draw_on,
                detail=detail,
            )
    return found


def _is_detail(config: ExperimentConfig, written: object) -> bool:
    """Whether the variant that it is from draws faces again itself."""
    return config.variants[written.parent].face_detail is not None


def _warn_of_size(detail: DetailOf, source: Variant, where: str, config_files: ConfigFiles) -> None:
    """Warn of a size that is not usual for the base that draws."""
    name = source.draw_on or source.base
    usual = config_files.fits[name].megapixels if name in config_files.fits else None
    megapixels = (detail.size or 0) ** 2 / 1e6
    if detail.size and usual and not usual[0] <= megapixels <= usual[1]:
        what = (
            f"draws faces in {detail.size} x {detail.size} px ({megapixels:.2g} megapixels) on the "
            f"base '{name}', for which {usual[0]:g} to {usual[1]:g} are usual"
        )
        cure = "remove `size`, which then follows the picture's size"
        config_files.problems.warn(where, what, cure)
