"""One experiment file, resolved and checked: variants, datasets, prompts, hypotheses.

Knows what the parts of one file may say about each other; knows nothing of other experiments.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from kindred.common.errors import Problem, Problems, ProblemsError, did_you_mean
from kindred.config import (
    adapter_variants,
    composite_datasets,
    detail_variants,
    drawing_bases,
    kept_apart,
    people_left_out,
    photo_selection,
    picture_variants,
    prior_preservation,
    reference_variants,
    samples,
    step_selection,
)
from kindred.config.base_config import DEFAULTS
from kindred.config.base_fit import warn_of_misfits
from kindred.config.base_variants import base_variants
from kindred.config.contradictions import warn_of_contradictions
from kindred.config.held_out_photos import held_out_albums
from kindred.config.lora_targets import check_targets
from kindred.config.negative_prompts import check_negatives
from kindred.config.photo_amounts import warn_of_few_steps
from kindred.config.plan import Dataset, Experiment, Variant
from kindred.config.prompts_and_hypotheses import check_hypotheses, resolve_prompt_sets
from kindred.config.user_schema import (
    NAME,
    NAME_RULE,
    RECIPE_KEYS,
    ExperimentConfig,
    LabFamily,
)
from kindred.config.variant_inheritance import Declared, Settings, expand, inherit
from kindred.config.yaml_document import Document
from kindred.data.folder_repeats import repeats_of
from kindred.specs.character import Character
from kindred.specs.dataset import CaptionSpec, Misfit
from kindred.specs.rendering import PromptSet
from kindred.specs.training import Recipe, TrainSpec
from kindred.world.families import FAMILIES, parse_coverage

if TYPE_CHECKING:
    from kindred.config.config_files import ConfigFiles

LETTER = re.compile(r"^[A-Za-z][A-Za-z0-9]*$")
TAKEN = frozenset({"store", "encoded", "training", "prompts"})  # folders under resources/
WORD = re.compile(r"^\w+$")


def resolve_experiment(
    document: Document, config: ExperimentConfig, name: str, config_files: ConfigFiles
) -> tuple[Experiment, dict[str, Dataset]]:
    """The experiment and the datasets its variants train on; every problem is noted."""
    problems = config_files.problems
    _check_characters(document, config, problems)
    declared = expand(document, config, problems)
    variants, drawn = prior_preservation.with_drawn_class_images(
        document, config, _variants(document, config, declared, config_files), problems
    )
    for base in base_variants(config.base, list(variants.values())):
        config_files.base(base.base, document.where("base"))
        if base.name in variants:
            where = document.where("variants", base.name)
            problems.add(where, f"the name '{base.name}' is reserved", "choose another name")
        variants[base.name] = base
    prompts, casts = resolve_prompt_sets(document, config, problems)
    selection, of_casts = step_selection.selection_prompts(document, config, prompts, problems)
    # A variant that something else is wrong with is there all the same.
    check_hypotheses(document, config, {**dict.fromkeys(declared), **variants}, problems)
    strangers = {v.strangers for v in variants.values() if v.strangers}
    experiment = Experiment(
        name=name,
        title=config.title,
        question=config.question,
        characters=config.characters,
        variants=variants,
        prompt_sets=prompts,
        casts=casts,
        hypotheses=config.hypotheses,
        selection=selection,
        selection_casts=of_casts,
        samples=samples.drawn_in_training(document, config, prompts, problems),
        judge=config_files.judge(config.judge, document.where("judge")) if config.judge else None,
        hide_photos=config.hide_photos,
        photos=tuple(_photos(config, strangers)),
        masks=composite_datasets.masks_for(document, config, variants.values(), config_files),
        drawn_on=drawing_bases.of_prompt_sets(document, config, variants.values(), config_files),
    )
    datasets = {
        key: _dataset(document, config, key, prompts, name, config_files) for key in config.datasets
    }
    datasets = composite_datasets.with_composites(datasets, experiment.trained) | drawn
    if experiment.judge:
        names, albums = held_out_albums(
            datasets, experiment.photos_trained_on, document.where("datasets"), problems
        )
        experiment, datasets = replace(experiment, held_out=names), datasets | albums
    used = [*experiment.datasets, *experiment.class_image_datasets, *experiment.held_out.values()]
    used += [variant.root for variant in experiment.trained if variant.root]
    used += experiment.references if experiment.judge else []
    used += [*sorted(strangers), *(shown.dataset for shown in experiment.shown)]
    misfits = _misfits(document, experiment, datasets, config_files)
    return replace(experiment, misfits=misfits), {
        key: datasets[key] for key in used if key in datasets
    }


def _misfits(
    document: Document,
    experiment: Experiment,
    datasets: dict[str, Dataset],
    config_files: ConfigFiles,
) -> tuple[Misfit, ...]:
    """Note and return what does not fit together in an experiment that is whole."""
    problems = config_files.problems
    check_negatives(document, experiment, config_files)
    picture_variants.check_pictures(document, experiment, config_files)
    usual = config_files.fits, config_files.drawing, config_files.usual_guidance
    misfits = warn_of_misfits(document, experiment, datasets, *usual, problems)
    misfits += warn_of_contradictions(document, experiment.trained, config_files)
    warn_of_few_steps(document, experiment, datasets, config_files.root, problems)
    people_left_out.warn(document, experiment, datasets, config_files.root, problems)
    return misfits


def _photos(config: ExperimentConfig, strangers: set[str]) -> list[str]:
    """The datasets whose photos show the characters."""
    datasets = config.datasets.items()
    return [x for x, one in datasets if one.class_images is None and x not in strangers]


def _check_characters(document: Document, config: ExperimentConfig, problems: Problems) -> None:
    owners: dict[str, str] = {}
    for letter, character in config.characters.items():
        where = document.where("characters", letter)
        if not LETTER.match(letter):
            problems.add(where, "can't be the key of a character", "use a letter, e.g. J")
        if not WORD.match(character.name):
            problems.add(
                where, f"the trigger name '{character.name}' is not one word", "join its words"
            )
        other = owners.setdefault(character.name.casefold(), letter)
        if other != letter:
            problems.add(where, f"has the same name as {other}", "give each character its own")


def _without_age(characters: dict[str, Character], letters: Any) -> dict[str, Character]:
    """What captions and training depend on: a corrected age must not retrain anything."""
    chosen = {letter: characters[letter] for letter in sorted(letters)}
    return {key: Character(name=c.name, noun=c.noun) for key, c in chosen.items()}


def _dataset(
    document: Document,
    config: ExperimentConfig,
    key: str,
    prompts: dict[str, PromptSet],
    experiment: str,
    config_files: ConfigFiles,
) -> Dataset:
    dataset, problems = config.datasets[key], config_files.problems
    where = document.where("datasets", key)
    if not NAME.match(key):
        problems.add(where, f"'{key}' can't be the name of a folder", NAME_RULE)
    if key in TAKEN:
        problems.add(where, f"the name '{key}' is reserved", "choose another name")
    # Not Path.expanduser, which would respell paths without ~ too: jobs would be told otherwise.
    source = None if dataset.source is None else os.path.expanduser(dataset.source)
    if source is not None and not (config_files.root / source).is_dir():
        problems.add(
            document.where("datasets", key, "source"),
            f"there is no folder '{dataset.source}'",
            "correct the path; it starts from the folder that holds the Snakefile",
        )
    if source is not None and repeats_of(os.path.basename(os.path.normpath(source))):
        problems.warn(
            document.where("datasets", key, "source"),
            f"'{dataset.source}' is a folder name in kohya's style; its repeats are ignored",
            "to repeat photos, set `balance: repeat`; to use all folders, name the folder above",
        )
    if dataset.lab is not None:
        _check_lab(document, key, dataset.lab, problems)
    return Dataset(
        name=key,
        source=source,
        lab=dataset.lab,
        preprocess=dataset.preprocess,
        caption=CaptionSpec(
            characters=_without_age(config.characters, config.characters),
            **({"captioner": dataset.captioner} if dataset.captioner else {}),
            **({"not_names": dataset.not_names} if dataset.not_names else {}),
        ),
        thresholds=dataset.audit,
        class_images=prior_preservation.class_images_of_prompt_set(
            document, config, key, prompts, experiment, problems
        ),
    )


def _check_lab(document: Document, key: str, lab: LabFamily, problems: Problems) -> None:
    name = lab.family
    if name is None:
        return
    if name not in FAMILIES:
        where = document.where("datasets", key, "lab", "family")
        problems.add(where, f"the lab has no family '{name}'", did_you_mean(name, FAMILIES))
        return
    try:
        parse_coverage(lab.coverage or "", "".join(FAMILIES[name].letters))
    except ProblemsError as error:
        where = document.where("datasets", key, "lab", "coverage")
        problems.found += [
            Problem(f"{where}: {found.where}", found.what, found.cure) for found in error.problems
        ]


def _variants(
    document: Document,
    config: ExperimentConfig,
    declared: dict[str, Declared],
    config_files: ConfigFiles,
) -> dict[str, Variant]:
    problems = config_files.problems
    recipes = config_files.names("recipes") | {DEFAULTS}
    settings = inherit(document, config, declared, recipes, problems)
    again = [one for one in settings if one.config.face_detail is not None]
    settings = [one for one in settings if one not in again]
    variants: dict[str, Variant | None] = {}
    for one in settings:
        if adapter_variants.is_trained(one):
            variants[one.name] = _trained(document, config, one, config_files)
        elif one.config.pictures is not None:
            variants[one.name] = picture_variants.from_folder(document, one, config_files)
        elif one.config.references is not None:
            dataset = _dataset_name(document, config, one, problems)
            found = reference_variants.from_photos(document, config, one, dataset, config_files)
            variants[one.name] = found
        elif one.config.adapter is not None:
            variants[one.name] = adapter_variants.from_files(document, one, config_files)
    known = {name: variant for name, variant in variants.items() if variant}
    for one in settings:
        if one.name not in variants:
            variants[one.name] = adapter_variants.from_variants(document, one, known, config_files)
    whole = {s.name: v for s in settings if (v := variants[s.name])}
    whole = step_selection.with_taken_steps(document, config, settings, whole, problems)
    whole = kept_apart.with_kept_apart(document, config, settings, whole, config_files)
    whole = drawing_bases.with_drawing_bases(document, config, settings, whole, config_files)
    return detail_variants.with_face_detail(document, config, again, whole, config_files)


def _trained(
    document: Document, config: ExperimentConfig, settings: Settings, config_files: ConfigFiles
) -> Variant | None:
    """A variant with its training specification; None after noting what is wrong."""
    base = config_files.base(settings.values["base"], document.where(*settings.at("base")))
    adapter_variants.note_idle_keys(document, settings, config_files.problems)
    recipe = _recipe(document, settings, config_files)
    dataset = _dataset_name(document, config, settings, config_files.problems)
    selection = photo_selection.selection_of(document, config, settings, config_files.problems)
    if base is not None and recipe is not None:
        check_targets(document, settings, base, recipe, config_files)
    if base is None or recipe is None or dataset is None or selection is None:
        return None
    wanted = composite_datasets.composites_for(
        document, config, settings, dataset, selection, config_files.problems
    )
    class_images = prior_preservation.named_class_images(
        document, config, settings, recipe, config_files.problems
    )
    if settings.recipe == DEFAULTS and (usual := config_files.defaults[settings.values["base"]]):
        trained_on = (dataset, wanted.strangers if wanted else None, class_images)
        for name in (one for one in trained_on if one in config.datasets):
            where, made = ("datasets", name, "preprocess"), config.datasets[name].preprocess
            usual.warn_of_sizes(made, document.where(*where), config_files.problems)
    dataset = composite_datasets.dataset_name(wanted) if wanted else dataset
    given: dict[str, Any] = {"selection": selection} if selection.model_fields_set else {}
    if settings.config.control is not None:
        given["pairing"] = settings.config.control.pairing
    train = TrainSpec(
        base=base,
        recipe=recipe,
        characters=_without_age(config.characters, selection.learned(config.characters)),
        dataset=dataset,
        **given,
    )
    return Variant(
        settings.name,
        settings.values["base"],
        dataset,
        _runs(settings),
        train,
        class_images=class_images,
        made=wanted,
    )


def _runs(settings: Settings) -> tuple[int, ...]:
    first = settings.values.get("first_run") or 1
    return tuple(range(first, first + settings.values["runs"]))


def _recipe(document: Document, settings: Settings, config_files: ConfigFiles) -> Recipe | None:
    where, base = document.where(*settings.at("recipe")), settings.values["base"]
    recipe = config_files.recipe(settings.recipe, where, base)
    if recipe is None:
        return None
    merged = {**recipe.model_dump(exclude_unset=True), **settings.recipe_changes}
    # A default written out or left away is the same recipe; so is a key set to null.
    given = {key: value for key, value in merged.items() if value is not None}
    given = prior_preservation.without_idle_images(given)
    try:
        return Recipe.model_validate({key: given[key] for key in RECIPE_KEYS & set(given)})
    except ValidationError as error:
        document.note(error, Recipe, config_files.problems, "variants", settings.key)
        return None


def _dataset_name(
    document: Document, config: ExperimentConfig, settings: Settings, problems: Problems
) -> str | None:
    """The variant's dataset, the experiment's default, or the only one there is."""
    only = next(iter(config.datasets)) if len(config.datasets) == 1 else None
    name = settings.values.get("dataset") or config.dataset or only
    if name is None:
        where = document.where("datasets")
        problems.add(
            where, "which of the datasets?", "set `dataset:` for the experiment or each variant"
        )
    elif name not in config.datasets:
        cure = document.did_you_mean(name, config.datasets, "datasets")
        problems.add(document.where(*settings.at("dataset")), f"no dataset '{name}'", cure)
        return None
    return name
