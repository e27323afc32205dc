"""What was stored before keys were renamed is found again: equal settings, equal texts and keys.

The texts and hashes were recorded when `max_grad_norm` was `clip`, and so on. One changes only when
the version of the step that reads it rises.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from kindred.common.hashing import spec_hash
from kindred.config.user_schema import VariantConfig
from kindred.models.opened_base import open_base
from kindred.rendering.image_plan import plan
from kindred.specs.rendering import PromptSet, RenderSpec
from kindred.specs.report import RatingSpec, ReportSpec
from kindred.specs.spec_model import StoredSpec
from kindred.specs.training import Recipe, TrainSpec
from kindred.training import adapter_store

BASE = {"model": "owner/name", "revision": "abc"}
KNOWN = {"architecture": "flux1"}  # said since there are several; in no key but by its version
FULL = {
    "rank": 8,
    "lora_dropout": 0.1,
    "gradient_accumulation": 2,
    "max_grad_norm": 0.5,
    "train_guidance": 1.5,
    "class_images_weight": 0.5,
    "class_images_per_noun": 12,
    "mask_weight": 3,
}
STORED = (
    '{"base":{"model":"owner/name","revision":"abc"},"characters":{"J":{"class":"man","name":'
    '"JRussell"}},"dataset":"ours","recipe":%s}'
)
TRAININGS = {
    "all": (
        FULL,
        '{"accumulation":2,"clip":0.5,"dropout":0.1,"guidance":1.5,"mask_weight":3.0,'
        '"prior_images":12,"prior_weight":0.5,"rank":8}',
        "88a6af21a5f916c74d2d5e7f79297e79167fd5655d660cab91dd91cd68ab7c41",
        "7af24bed44dc30982e7794c332446340b34adc83",
    ),
    "none": (
        {"rank": 16},
        '{"rank":16}',
        "aada120363ba17336efcd41f25b96124c3046e22c450bd1412f44df457bf247d",
        "1a0c02c103ac8eb3c7397e2ebcf69bf3a8e7d605",
    ),
    "two": (
        {"max_grad_norm": 0, "train_guidance": 3.5},
        '{"clip":0.0,"guidance":3.5}',
        "62b85cba760aa99f9d485e68ac131a289dcb67506cdbad1f747138a0f1d650dd",
        "96f126d5a186d545d75ba146d7d1b67c1850624b",
    ),
}
PICTURES = {
    "none": ({}, "", "9d05fbc5ec35276746563027b62762da1606de75a67d895efc2e9ceae18d7477"),
    "one": (
        {"guidance_scale": 1.0},
        '"guidance":1.0,',
        "de6e0bdafbe0186a7a3cc57c8fd256a9235ee760f16cf98f849b4e7d72d3864d",
    ),
}
STORES: list[type[StoredSpec]] = [Recipe, PromptSet, ReportSpec, RatingSpec]


def training(recipe: dict[str, Any]) -> TrainSpec:
    who = {"J": {"name": "JRussell", "class": "man"}}
    text = {"base": BASE, "recipe": recipe, "characters": who, "dataset": "ours"}
    return TrainSpec.model_validate_json(json.dumps(text))


@pytest.mark.parametrize("name", TRAININGS)
def test_trainings_keep_their_text_and_their_adapters_keys(name):
    recipe, stored, settings, key = TRAININGS[name]
    spec = training(recipe)
    assert spec.canonical() == STORED % stored
    base = open_base(spec.base.model_copy(update=KNOWN))
    facts = adapter_store.training_facts(spec, 0, [], base)
    assert facts["spec_hash"] == settings
    assert adapter_store.training_key({**facts, "version": "train 1"}) == key


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_keep_their_text_and_their_keys(name):
    own, stored, key = PICTURES[name]
    prompts = {"prompts": {"a": "a man"}, "seeds": [1], "width": 64, "height": 64, **own}
    spec = RenderSpec.model_validate({"base": BASE, "name": "solo", "prompt_set": prompts})
    assert spec.canonical() == (
        '{"base":{"model":"owner/name","revision":"abc"},"name":"solo","prompt_set":{'
        + stored
        + '"height":64,"prompts":{"a":"a man"},"seeds":[1],"width":64}}'
    )
    known = spec.model_copy(update={"base": spec.base.model_copy(update=KNOWN)})
    (picture,) = plan(known, [], "owner/name@abc")
    assert spec_hash({k: v for k, v in picture.settings.items() if k != "version"}) == key


def test_pages_keep_their_text():
    assert ReportSpec(experiment="e", hide_photos=True).canonical() == (
        '{"experiment":"e","share":true}'
    )
    some = {"characters": {}, "variants": {}, "prompt_sets": [], "datasets": []}
    assert RatingSpec(experiment="e", hide_photos=True, **some).canonical() == (
        '{"characters":{},"datasets":[],"experiment":"e","prompt_sets":[],"share":true,'
        '"variants":{}}'
    )


def test_a_stored_text_reads_as_what_it_was_written_from():
    spec = training(FULL)
    assert TrainSpec.read(spec.canonical()) == spec
    page = ReportSpec(experiment="e", hide_photos=True)
    assert ReportSpec.read(page.canonical()) == page


@pytest.mark.parametrize("model", STORES)
def test_what_is_stored_under_an_old_name_is_read_under_it(model):
    fields = model.model_fields.items()
    stored = {field.serialization_alias: name for name, field in fields}
    stored.pop(None, None)
    assert stored == dict(model.renamed_keys) and stored


def test_a_variant_takes_the_old_names_of_a_recipe():
    assert Recipe.renamed_keys.items() <= VariantConfig.renamed_keys.items()
    assert set(VariantConfig.renamed_keys.values()) <= set(VariantConfig.model_fields)
