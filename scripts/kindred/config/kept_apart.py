"""Adapters of different people that each draw only their own: who each is of, and what must be so.

Knows what `keep_apart` asks of a variant; the drawing itself is in rendering/kept_apart.py.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from kindred.common.sentences import listing
from kindred.config.adapter_variants import architecture_known
from kindred.config.plan import Variant
from kindred.config.user_schema import ExperimentConfig
from kindred.config.variant_inheritance import Settings
from kindred.config.yaml_document import Document
from kindred.models import architectures

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kindred.config.config_files import ConfigFiles

AS_TRAINED = (None, "trained", "unquantized")  # precisions in which adapters stay beside the base


def with_kept_apart(
    document: Document,
    config: ExperimentConfig,
    settings: Iterable[Settings],
    variants: dict[str, Variant],
    config_files: ConfigFiles,
) -> dict[str, Variant]:
    """The variants, those with `keep_apart` with the names that each adapter is of; every problem
    is noted."""
    found = dict(variants)
    for one in settings:
        if one.config.keep_apart and one.config.adapters is not None and one.name in variants:
            where = document.where("variants", one.key, "keep_apart")
            names = _names(variants[one.name], variants, where, config_files)
            _check_precisions(document, config, one.name, config_files)
            if names:
                found[one.name] = replace(variants[one.name], apart=names)
    return found


def _names(
    variant: Variant, variants: dict[str, Variant], where: str, config_files: ConfigFiles
) -> tuple[tuple[str, ...], ...] | None:
    """Whom each adapter is of, in their order; None after noting why they can't be kept apart."""
    problems = config_files.problems
    base = config_files.base(variant.base, where)
    architecture = architecture_known(base, where, config_files) if base else None
    if architecture is None:
        return None
    if architecture.watched_attention is None:
        able = ", ".join(one.title for one in architectures.every() if one.watched_attention)
        what = f"adapters on {architecture.title} can't be kept apart yet"
        problems.add(where, what, f"remove `keep_apart`, or use a base that can ({able})")
        return None
    trained = [variants[name].train for name, _ in variant.adapters]
    elsewhere = [name for name, _ in variant.adapters if variants[name].train is None]
    if elsewhere:
        what = f"nobody knows whom {listing(elsewhere)} {'is' if len(elsewhere) == 1 else 'are'} of"
        problems.add(where, what, "keep apart adapters that are trained here")
        return None
    names = tuple(
        tuple(train.characters[x].name for x in sorted(train.selection.learned(train.characters)))
        for train in trained
        if train
    )
    doubled = [name for name, count in Counter(sum(names, ())).items() if count > 1]
    if doubled or len(names) < 2:
        what = f"{listing(doubled)} would be drawn by several" if doubled else "there is only one"
        problems.add(where, what, "name adapters of different people, two or more")
        return None
    return names


def _check_precisions(
    document: Document, config: ExperimentConfig, variant: str, config_files: ConfigFiles
) -> None:
    """Note prompt sets whose precision mixes adapters into the base's own layers."""
    for name, asked in config.prompt_sets.items():
        if asked.precision not in AS_TRAINED:
            what = f"'{variant}' keeps adapters apart, which `precision: {asked.precision}` can't"
            where = document.where("prompt_sets", name, "precision")
            config_files.problems.add(where, what, "remove `precision`, or `keep_apart`")
