"""The YAML files as a person writes them: every key, its meaning and its default.

Knows the keys; the schema for editors is generated from here. Knows nothing of how variants inherit
(variant_inheritance.py) or of what the steps are given (plan.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    WithJsonSchema,
    create_model,
    model_validator,
)

from kindred.config.device_config import DeviceConfig
from kindred.config.lab_album import LabFamily
from kindred.config.lab_config import LabConfig
from kindred.config.prompt_schema import PROMPTS, Prompts, SamplesConfig, Seeds
from kindred.config.tracker_config import Tracker
from kindred.specs.casts import UNTRAINED
from kindred.specs.character import Character
from kindred.specs.composites import Composites
from kindred.specs.dataset import AuditThresholds, Captioner, PreprocessSpec
from kindred.specs.face_detail import FaceDetail
from kindred.specs.judge import PretrainedModel
from kindred.specs.reference_pictures import PhotoCounts
from kindred.specs.rendering import Precision, PromptSet
from kindred.specs.report import HIDE_PHOTOS
from kindred.specs.scoring import Hypothesis
from kindred.specs.spec_model import SpecModel
from kindred.specs.step_series import TakenStep
from kindred.specs.training import Recipe, Selection

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")
NAME_RULE = "use letters, digits and . _ + - (at most 64), beginning with a letter or digit"
BASE_VARIANT = "BASE"
CLASS_IMAGES = {"prior": "class_images"}  # the old name of the key and the new one
DRAW_ON = (
    "draw with a base of the same architecture other than the trained one: a file name in "
    "config/bases, or `fast_sibling` for the one that the trained base's file names"
)
# Folders and files beside the variants in results/<experiment>/, and the base's own name.
RESERVED = frozenset(
    {
        BASE_VARIANT,
        "audit",
        "ceiling",
        "sheets",
        "likeness",
        "report",
        "scores",
        "ratings",
        "tracker",
    }
)


class DatasetConfig(SpecModel):
    """Photos with captions: a folder of yours, drawn by the lab, or by the base itself."""

    renamed_keys: ClassVar[Mapping[str, str]] = CLASS_IMAGES

    source: str | None = Field(None, description="folder of photos and their captions")
    lab: LabFamily | None = None
    class_images: str | None = Field(
        None,
        description="instead of photos: the pictures that the base draws for this prompt set, "
        "as class images",
    )
    preprocess: PreprocessSpec = Field(default_factory=PreprocessSpec)
    captioner: Captioner | None = Field(None, description="a model that writes missing captions")
    not_names: list[str] = Field(
        default_factory=list,
        description="words in captions that look like a trigger name but are not one",
    )
    audit: AuditThresholds = Field(default_factory=AuditThresholds)
    segmenter: PretrainedModel | None = Field(
        None,
        description="a model of the DETR or Mask2Former class that finds people's outlines, for "
        "`compose`, `crop`, `mask_weight` and `head_weight`; unset: the judge's boxes are "
        "used",
    )
    outlines: Literal["judge"] | None = Field(
        None,
        description="judge: find people with the judge's boxes in drawn photos too, to see what "
        "is lost without true outlines; unset: drawn photos bring their true "
        "outlines",
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(part is not None for part in (self.source, self.lab, self.class_images)) != 1:
            raise ValueError(
                "a dataset needs exactly one of `source:` (a folder), `lab:` and `class_images:`"
            )
        return self


class CastsConfig(SpecModel):
    """Prompts for every cast on every canvas, made from this: they need names to be right."""

    of: list[str] = Field(
        min_length=1,
        description="letters of characters, e.g. [J, A, C]; with `albums` also `all`",
        json_schema_extra={"type": ["array", "string"]},
    )
    strangers: bool = Field(
        True,
        description="also prompts with characters beside strangers, with untrained names, and "
        "with class nouns alone",
    )
    shapes: list[tuple[int, int]] = Field(
        min_length=2, description="picture sizes [width, height], px; every cast is drawn in each"
    )
    wordings: int = Field(
        4,
        ge=1,
        le=8,
        description="prompts for each cast and size: bare, with a place, with who stands where, "
        "with who wears what; then again with other places",
    )
    pictures: int = Field(2, ge=1, description="pictures of each prompt")
    untrained: Annotated[list[str], Field(min_length=2, max_length=2)] = Field(
        list(UNTRAINED), description="two names that no training has seen"
    )


class PromptSetConfig(SpecModel):
    """Prompts, each rendered with every seed by every variant; written, or made of `casts`."""

    renamed_keys: ClassVar[Mapping[str, str]] = PromptSet.renamed_keys

    prompts: Prompts = Field({}, description=PROMPTS)
    casts: CastsConfig | None = Field(
        None, description="prompts for every cast, instead of `prompts`, `seeds` and `size`"
    )
    seeds: Seeds | None = Field(
        None, description="list of seeds, or how many (1, 2, ...); the same for every prompt"
    )
    pictures: int | None = Field(
        None,
        ge=1,
        description="instead of `seeds`: this many pictures of each prompt, with noise that "
        "differs between prompts but not between variants and runs",
    )
    size: tuple[int, int] | None = Field(None, description="[width, height], px")
    steps: int | None = Field(None, ge=1, description="sampling steps")
    guidance_scale: float | None = Field(
        None, description=PromptSet.model_fields["guidance_scale"].description
    )
    negative: str | None = Field(None, description=PromptSet.model_fields["negative"].description)
    draw_on: str | None = Field(None, description=DRAW_ON)
    precision: Precision | None = Field(
        None, description=PromptSet.model_fields["precision"].description
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.casts:
            given = [key for key in ("prompts", "seeds", "pictures", "size") if getattr(self, key)]
            if given:
                raise ValueError(f"`casts` already sets this; remove: {', '.join(given)}")
            return self
        lacks = [key for key in ("prompts", "size") if not getattr(self, key)]
        if (self.seeds is None) == (self.pictures is None):
            lacks.append("one of `seeds` and `pictures`")
        if lacks:
            raise ValueError(f"a prompt set needs `casts`, or: {', '.join(lacks)}")
        return self


class Control(SpecModel):
    """Deliberately broken training, to know what broken looks like. Never inherited."""

    pairing: Literal["scrambled", "dealt"] = Field(
        description="scrambled: captions are shuffled among all images; dealt: captions are "
        "shuffled among images of the same shape with as many people, so that "
        "shape and number still tell the truth, and names, places and clothes do not"
    )


SweptValues = Annotated[list[Any], WithJsonSchema({"type": ["array", "string"]})]


class _VariantBase(SpecModel):
    """What differs from the variant or recipe named by `from:`; nothing else need be said."""

    renamed_keys: ClassVar[Mapping[str, str]] = {**Recipe.renamed_keys, **CLASS_IMAGES}
    keyed_by_options: ClassVar[tuple[str, ...]] = ("sweep",)

    parent: str | None = Field(
        None, alias="from", description="a variant or recipe whose keys this variant inherits"
    )
    base: str | None = Field(None, description="file name in config/bases")
    recipe: str | None = Field(
        None,
        description="file name in config/recipes, or `defaults` for the training defaults of "
        "the base; replaces all inherited recipe keys",
    )
    dataset: str | None = Field(None, description="one of this experiment's datasets")
    class_images: str | None = Field(
        None,
        description="a dataset of class images; needs `class_images_weight`. Unset: the base draws "
        "`class_images_per_noun` for each class noun",
    )
    compose: Composites | None = Field(
        None, description="train on composites of cut-out people too"
    )
    crop: Literal["solos"] | None = Field(
        None, description="train on crops of single people from group photos too"
    )
    runs: int | None = Field(
        None, ge=1, description="number of trainings, each with a different seed"
    )
    first_run: int | None = Field(
        None,
        ge=1,
        description="number (and seed) of the first training; 101 trains the same variant again",
    )
    data_seed: int | None = Field(
        None, description="seed for choosing images when a selection takes only some of a cell"
    )
    control: Control | None = None
    adapters: dict[str, float] | None = Field(
        None,
        description="no training: load the adapters of these variants together, each with its "
        "weight; with `base`, onto another base",
    )
    keep_apart: bool | None = Field(
        None,
        description="with `adapters` of different people: each changes a picture only where its "
        "own people are drawn, found by where the network looks for their names; not for every "
        "base",
    )
    adapter: str | list[str] | None = Field(
        None,
        description="no training: a LoRA file trained elsewhere (diffusers or kohya names), or "
        "a list of files, one for each run",
    )
    weight: float | None = Field(None, description="weight of `adapter`; unset: 1")
    references: PhotoCounts | None = Field(
        None,
        description="no training: the base draws with reference pictures of those whom a prompt "
        "asks for; says how many photos of each character alone it gets",
    )
    pictures: str | None = Field(
        None,
        description="no training: a folder of pictures made elsewhere from this experiment's "
        "prompts. `prompts.csv` (file,prompt), file names, or what ComfyUI and "
        "A1111 wrote into the files tell which prompt each shows",
    )
    face_detail: FaceDetail | None = Field(
        None,
        description="no training: the pictures of the variant in `from`, with each face that the "
        "judge finds drawn again, larger and by its person's name; `{}`: usual settings",
    )
    draw_on: str | None = Field(None, description=DRAW_ON)
    take: TakenStep | None = Field(
        None,
        description="which kept step is the result of each run: last (default), best by the "
        "experiment's `selection`, or held_out for the lowest loss on `held_out` "
        "photos",
    )
    sweep: dict[str, SweptValues] | None = Field(
        None,
        description="a key and its values; makes one variant for each value, called "
        "<name>-<value>; with `albums` also `characters: each`",
    )


def _changes() -> dict[str, Any]:
    """Every option of recipes and selections, unset."""
    fields: dict[str, Any] = {}
    for model in (Selection, Recipe):
        for name, field in model.model_fields.items():
            if (model, name) != (Selection, "seed"):
                kind = Annotated[(field.annotation, *field.metadata)] if field.metadata else None
                fields[name] = (
                    (kind or field.annotation) | None,
                    Field(None, description=field.description),
                )
    return fields


VariantConfig = create_model(
    "VariantConfig", __base__=_VariantBase, __doc__=_VariantBase.__doc__, **_changes()
)
SELECTION_KEYS = frozenset(Selection.model_fields) - {"seed"} | {"data_seed"}
RECIPE_KEYS = frozenset(Recipe.model_fields)
SWEEP_KEYS = SELECTION_KEYS | RECIPE_KEYS | {"base", "recipe", "dataset", "weight", "draw_on"}


class ExperimentConfig(SpecModel):
    """One experiment: who, which photos, which variants, what is asked of them."""

    renamed_keys: ClassVar[Mapping[str, str]] = HIDE_PHOTOS

    like: str | None = Field(
        None,
        description="another experiment file whose keys this one inherits; a key set here "
        "replaces its own, null removes it, and mappings such as `variants` are merged",
    )
    albums: list[str] | dict[str, dict[str, Any] | None] | None = Field(
        None,
        description="one experiment for each of these albums: a list, or a mapping of each "
        "album to the keys that differ in it",
    )
    title: str = Field(description="heading of the report")
    question: str = Field(
        "", description="the question that the experiment answers; shown below the heading"
    )
    characters: dict[str, Character] = Field(
        min_length=1, description="the people to learn, each under a letter"
    )
    datasets: dict[str, DatasetConfig] = Field(min_length=1)
    dataset: str | None = Field(
        None, description="the dataset of variants that name none; needed when there are several"
    )
    base: str = Field(description="file name in config/bases")
    recipe: str = Field(
        description="file name in config/recipes, or `defaults` for the training defaults of "
        "the base"
    )
    runs: int = Field(1, ge=1, description="trainings of each variant, each with a different seed")
    variants: dict[str, VariantConfig] = Field(min_length=1)  # type: ignore[valid-type]
    prompt_sets: dict[str, PromptSetConfig] = Field(min_length=1)
    selection: PromptSetConfig | None = Field(
        None,
        description="prompts to compare kept steps and choose one; none of them may be in "
        "`prompt_sets`",
    )
    samples: SamplesConfig | None = Field(
        None, description="pictures that every training draws while it runs, for you to watch"
    )
    judge: str | None = Field(
        None, description="file name in config/judges; unset: pictures are drawn but not scored"
    )
    hypotheses: dict[str, Hypothesis] = Field(default_factory=dict)
    hide_photos: bool = Field(
        False, description="leave photos and their file names out of reports and rating pages"
    )


class MainConfig(SpecModel):
    """config/config.yaml: what a bare `snakemake` builds, and where."""

    experiments: Annotated[
        list[str],
        BeforeValidator(
            lambda value: value.split(",") if isinstance(value, str) else value,
            json_schema_input_type=str | list[str],
        ),
    ] = Field(min_length=1, description="file names in config/experiments")
    device: DeviceConfig = Field(default_factory=DeviceConfig)
    lab: LabConfig = Field(default_factory=LabConfig)
    tracker: Tracker | None = Field(
        None,
        description="tool to which trainings report their losses, on this machine; unset: none",
    )
    why: str = Field("", description='reason for changing what was declared: --config why="..."')
