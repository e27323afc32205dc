"""Training pictures made of a dataset's photos: composites of cut-out people, crops of one person.

Knows which dataset a variant trains on when it asks for them, and where outlines of people come
from; knows nothing of how pictures are made. Variants that ask for the same share one dataset.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kindred.characters.cells import parse_cell
from kindred.common.errors import KindredError, Problems
from kindred.common.hashing import spec_hash
from kindred.config.plan import CompositeSource, Dataset, Variant
from kindred.config.user_schema import ExperimentConfig
from kindred.config.variant_inheritance import Settings
from kindred.config.yaml_document import Document
from kindred.specs.character import Character
from kindred.specs.composites import ROW, Composites, CompositeSpec, MaskSpec
from kindred.specs.dataset import PreprocessSpec
from kindred.specs.training import Selection

if TYPE_CHECKING:
    from kindred.config.config_files import ConfigFiles

SHAPES = ("resolutions", "buckets", "multiple", "max_aspect")  # what a composite's shape depends on


def composites_for(
    document: Document,
    config: ExperimentConfig,
    settings: Settings,
    root: str,
    selection: Selection,
    problems: Problems,
) -> CompositeSource | None:
    """What a variant wants made of the photos of `root`, but those that its selection holds out;
    None when it asks for nothing."""
    compose, crop = settings.values.get("compose"), settings.values.get("crop")
    if compose is None and crop is None:
        return None
    if config.datasets[root].class_images is not None:
        where = document.where("variants", settings.key)
        problems.add(
            where,
            f"'{root}' holds class images, which show none of the characters",
            "choose a dataset of photos",
        )
    given: dict[str, Any] = {"crop": crop} if crop else {}
    if compose is not None:
        cells = _cells(document, config, settings, compose, problems)
        given["compose"] = Composites(**compose.model_dump() | {"cells": cells})
        _check_strangers(document, config, settings, compose, root, problems)
    shape = config.datasets[root].preprocess.model_dump(include=set(SHAPES), exclude_unset=True)
    if shape:
        given["preprocess"] = PreprocessSpec(**shape)
    if selection.held_out is not None:
        kept_away = selection.model_dump(include={"held_out", "seed"}, exclude_unset=True)
        given["held_out"] = Selection(**kept_away)
    return CompositeSource(root, CompositeSpec(characters=config.characters, **given))


def _check_strangers(
    document: Document,
    config: ExperimentConfig,
    settings: Settings,
    compose: Composites,
    root: str,
    problems: Problems,
) -> None:
    """Strangers come from another dataset, and need room in a row."""
    if compose.strangers is None:
        return
    at, name = (*settings.at("compose"), "strangers"), compose.strangers.of
    where = document.where(*at, "of")
    if name not in config.datasets:
        cure = document.did_you_mean(name, config.datasets, "datasets")
        problems.add(where, f"no dataset '{name}'", cure)
    elif name == root:
        problems.add(where, f"'{name}' shows the characters", "name a dataset of other people")
    full = all(len(cell.split("+")) >= ROW for cell in compose.cells)
    if full and not compose.strangers.alone:
        what = f"every cell has {ROW} or more people, which leaves no room for strangers"
        cure = "add cells of one or two people, set `alone`, or remove `strangers`"
        problems.add(document.where(*at), what, cure)


def _cells(
    document: Document,
    config: ExperimentConfig,
    settings: Settings,
    compose: Composites,
    problems: Problems,
) -> list[str] | dict[str, int]:
    """Cells as they were given, a list or with counts, each under its one name and in order."""
    at, names = settings.at("compose"), dict[str, str]()
    for text in compose.cells:
        where = document.where_of(text, *at, "cells")
        name = _cell(text, where, config, problems)
        if isinstance(compose.cells, dict) and name in names.values():
            cure = "list it once, with its number of pictures"
            problems.add(where, "a cell is listed twice", cure)
        names[text] = name
    if isinstance(compose.cells, dict):
        if "per_cell" in compose.model_fields_set:
            what = "`cells` already says how many pictures each cell gets"
            problems.add(document.where(*at, "per_cell"), what, "remove `per_cell`")
        return dict(sorted((names[text], count) for text, count in compose.cells.items()))
    return sorted(set(names.values()))


def _cell(text: str, where: str, config: ExperimentConfig, problems: Problems) -> str:
    try:
        return parse_cell(text, config.characters)
    except KindredError as error:
        problems.add_error(where, error)
        return text


def dataset_name(made: CompositeSource) -> str:
    """The dataset's name: the photos' own, what was done to them, and a hash of how."""
    asked = made.spec.model_dump(mode="json", include={"compose", "crop"})
    if made.spec.held_out is not None:
        asked["held_out"] = made.spec.held_out.model_dump(mode="json", exclude_unset=True)
    words = ("composed" if made.spec.compose else "", made.spec.crop and "cropped")
    return "-".join([made.of, *filter(None, words), spec_hash(asked)[:8]])


def with_composites(
    datasets: dict[str, Dataset], variants: Iterable[Variant]
) -> dict[str, Dataset]:
    """The datasets, and those that are made for variants: their photos are prepared alike."""
    result = dict(datasets)
    for variant in variants:
        made, name = variant.made, variant.dataset
        root = datasets.get(made.of) if made else None
        if root is not None and made is not None and name is not None:
            # All captions are read from one file, a captioner's too.
            result[name] = Dataset(
                name=name,
                source=None,
                lab=None,
                preprocess=root.preprocess,
                caption=root.caption.model_copy(update={"captioner": None}),
                thresholds=root.thresholds,
                made=made,
            )
    return result


def masks_for(
    document: Document,
    config: ExperimentConfig,
    variants: Iterable[Variant],
    config_files: ConfigFiles,
) -> dict[str, MaskSpec]:
    """How people are found in the photos of every dataset whose variants need outlines."""
    found: dict[str, MaskSpec] = {}
    wanted = [(v, name) for v in variants if v.needs_masks for name in _masked(v)]
    for variant, root in wanted:
        dataset = config.datasets.get(root)
        if dataset is None or root in found:
            continue
        who = {x: Character(name=c.name, noun=c.noun) for x, c in config.characters.items()}
        given: dict[str, Any] = {"characters": who}
        if dataset.lab is None or dataset.outlines:
            judge = (
                config_files.judge(config.judge, document.where("judge")) if config.judge else None
            )
            given |= {"segmenter": dataset.segmenter} if dataset.segmenter else {}
            given |= {"judge": judge} if judge else {}
            if len(given) == 1:
                where = document.where("datasets", root)
                what = f"'{variant.name}' needs people's outlines, but nothing is set to find them"
                config_files.problems.add(
                    where, what, "set `segmenter` here, or `judge` for the experiment"
                )
        found[root] = MaskSpec(**given)
    return found


def _masked(variant: Variant) -> list[str]:
    """The datasets in whose photos a variant needs people's outlines: its own, and of strangers."""
    return [name for name in (variant.root, variant.strangers) if name]
