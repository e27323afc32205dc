"""Class images: what keeps a class ('man') from turning into the one man of the photos.

Knows which dataset of class images a variant trains on besides its photos, and what the base is
asked to draw for it; knows nothing of how pictures are made or how training weighs them. Variants
that ask for the same classes, number, size and base share one dataset.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kindred.common.errors import Problems
from kindred.config.plan import ClassImages, Dataset, Plan, Variant
from kindred.config.prompt_schema import named
from kindred.config.user_schema import DatasetConfig, ExperimentConfig
from kindred.config.variant_inheritance import Settings
from kindred.config.yaml_document import Document
from kindred.specs.dataset import AuditThresholds, CaptionSpec, PreprocessSpec
from kindred.specs.rendering import EDGE_MULTIPLE, PromptSet, PromptTexts, RenderSpec
from kindred.specs.training import Recipe

IMAGES = 20  # of each class, where a recipe does not say
# Far from 1, where prompt sets begin to count: no picture that is measured was trained on.
FIRST_SEED = 10_001


def without_idle_images(given: dict[str, Any]) -> dict[str, Any]:
    """A recipe's keys; a number of class images of weight 0 is left out, for it changes nothing."""
    idle = given.get("class_images_weight") == 0
    return {
        key: value for key, value in given.items() if not (idle and key == "class_images_per_noun")
    }


def named_class_images(
    document: Document,
    config: ExperimentConfig,
    settings: Settings,
    recipe: Recipe,
    problems: Problems,
) -> str | None:
    """The dataset of class images that a variant names; None when it names none or weighs it 0.

    Notes a dataset that does not exist, and options that would count for nothing.
    """
    name, where = settings.values.get("class_images"), document.where(*settings.at("class_images"))
    variant = document.where("variants", settings.key)
    weighed = "class_images_weight" in recipe.model_fields_set
    if name is not None and name not in config.datasets:
        cure = document.did_you_mean(name, config.datasets, "datasets")
        problems.add(where, f"no dataset '{name}'", cure)
    elif name is not None and not weighed:
        problems.add(
            where, "class images have no weight in the loss", "set `class_images_weight`, e.g. to 1"
        )
    elif name is not None and recipe.class_images_per_noun is not None:
        what = (
            f"`class_images_per_noun` says how many class images to draw, but '{name}' already "
            "supplies them"
        )
        problems.add(variant, what, "set one of `class_images_per_noun` and `class_images` to null")
    elif name is None and recipe.class_images_per_noun is not None and not weighed:
        problems.add(
            variant,
            "`class_images_per_noun` is set, but `class_images_weight` is not",
            "set `class_images_weight`, e.g. to 1",
        )
    return name if recipe.class_images_weight else None


def with_drawn_class_images(
    document: Document,
    config: ExperimentConfig,
    variants: dict[str, Variant],
    problems: Problems,
) -> tuple[dict[str, Variant], dict[str, Dataset]]:
    """The variants, those that weigh class images and name none told which to use; and the
    datasets that the base draws for them."""
    told, datasets = dict(variants), {}
    for variant in variants.values():
        if (
            variant.train is None
            or variant.class_images
            or not variant.train.recipe.class_images_weight
        ):
            continue
        dataset = _drawn(variant, config.datasets[variant.root].preprocess)
        other = config.datasets.get(dataset.name) or datasets.get(dataset.name, dataset)
        if other != dataset:
            where = document.where("variants", variant.name)
            what = (
                f"its class images would be called '{dataset.name}', and others already have this "
                "name"
            )
            problems.add(where, what, "rename that dataset, base or class noun")
        datasets[dataset.name] = dataset
        told[variant.name] = replace(variant, class_images=dataset.name)
    return told, datasets


def _drawn(variant: Variant, preprocess: PreprocessSpec) -> Dataset:
    """Pictures of each class noun of a variant's characters, once each, by its base."""
    nouns = {who.plain_noun for who in variant.train.characters.values()}
    by_name = named(sorted(nouns))
    count = variant.train.recipe.class_images_per_noun or IMAGES
    width, height = _size(preprocess)
    asked = PromptSet(
        prompts={name: _text(noun) for name, noun in by_name.items()},
        seeds=list(range(FIRST_SEED, FIRST_SEED + count)),
        width=width,
        height=height,
    )
    return Dataset(
        name=f"prior-{variant.base}-{'+'.join(by_name)}-{count}-{width}x{height}",
        source=None,
        lab=None,
        # No warnings: the base draws as small, soft and like each other as it draws.
        preprocess=PreprocessSpec(
            buckets=[(width, height)], min_side=0, min_sharpness=0, near_duplicate=-1
        ),
        # Nobody is named in them, so they are the same for all families.
        caption=CaptionSpec(characters={}),
        thresholds=AuditThresholds(),
        class_images=ClassImages(variant.base, asked),
    )


def _text(noun: str) -> str:
    """Prompt of a class, which is its pictures' caption too."""
    return f"a photo of {'an' if noun[:1] in set('aeiou') else 'a'} {noun}"


def _size(preprocess: PreprocessSpec) -> tuple[int, int]:
    """(width, height) in px of the first bucket or resolution, in edges that can be rendered."""
    edge = preprocess.resolutions[0] if preprocess.resolutions else 0
    first = preprocess.buckets[0] if preprocess.buckets else (edge, edge)
    return tuple(max(1, round(px / EDGE_MULTIPLE)) * EDGE_MULTIPLE for px in first)


def class_images_of_prompt_set(
    document: Document,
    config: ExperimentConfig,
    key: str,
    prompts: dict[str, PromptSet],
    experiment: str,
    problems: Problems,
) -> ClassImages | None:
    """The base's pictures of one of the experiment's prompt sets as a dataset named `key`."""
    dataset: DatasetConfig = config.datasets[key]
    if dataset.class_images is None:
        return None
    if dataset.class_images not in prompts:
        where = document.where("datasets", key, "class_images")
        problems.add(
            where,
            f"no prompt set '{dataset.class_images}'",
            document.did_you_mean(dataset.class_images, prompts, "prompt_sets"),
        )
        return None
    if config.prompt_sets[dataset.class_images].draw_on:
        where = document.where("datasets", key, "class_images")
        what = f"the prompt set '{dataset.class_images}' is drawn on another base (`draw_on`)"
        problems.add(
            where,
            what,
            "name a prompt set without `draw_on`: the base must draw its class images itself",
        )
        return None
    return ClassImages(
        config.base, prompts[dataset.class_images], (experiment, dataset.class_images)
    )


def standalone_class_images(plan: Plan) -> dict[str, ClassImages]:
    """The class images that no experiment's prompt set draws, by the name of their dataset."""
    priors = {name: dataset.class_images for name, dataset in plan.datasets.items()}
    return {name: prior for name, prior in priors.items() if prior and not prior.asked_by}


def class_image_texts(plan: Plan, prior: ClassImages) -> PromptTexts:
    """What the base's text encoders are to read."""
    encoder = plan.bases[prior.base].text_encoder()
    return PromptTexts(encoder=encoder, prompts=prior.prompt_set.texts())


def class_image_render_spec(plan: Plan, prior: ClassImages) -> RenderSpec:
    """What the base alone is to draw."""
    return RenderSpec(base=plan.bases[prior.base], prompt_set=prior.prompt_set, name="classes")
