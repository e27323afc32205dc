"""Class images in the configuration: which dataset a variant takes them from, and who draws it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kindred.common.errors import ProblemsError
from kindred.config import prior_preservation
from kindred.config.load_plan import load_plan
from kindred.workflow import paths

EXPERIMENT = """
title: test
characters:
  J: {name: JRussell, class: man}
  A: {name: ARussell, class: woman}
  B: {name: BRussell, class: Man}
datasets:
  ours: {source: photos, preprocess: {buckets: [[128, 144], [144, 128]]}}
  men: {class_images: class}
  others: {source: photos, preprocess: {resolutions: [521, 768]}}
dataset: ours
base: small
recipe: plain
prompt_sets:
  class: {prompts: {man: a man, boy: {text: a boy, seeds: [9]}}, seeds: 2, size: [64, 64]}
"""
ALL = "prior-small-man+woman-20-128x144"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("bases", "recipes", "experiments"):
        (tmp_path / "config" / folder).mkdir(parents=True)
    (tmp_path / "photos").mkdir()
    files = {
        "config.yaml": "experiments: [one]\n",
        "bases/small.yaml": "model: lab/base\ndtype: float32\ntext_tokens: 56\n",
        "bases/other.yaml": "model: org/model\nrevision: abc\narchitecture: flux1\n",
        "recipes/plain.yaml": "rank: 16\n",
        "recipes/kept.yaml": "rank: 16\nclass_images_weight: 1\nclass_images_per_noun: 3\n",
    }
    for name, text in files.items():
        (tmp_path / "config" / name).write_text(text, encoding="utf-8")
    return tmp_path


def plan(root: Path, variants: str, experiment: str = EXPERIMENT):
    path = root / "config/experiments/one.yaml"
    path.write_text(experiment + f"variants: {{{variants}}}\n", encoding="utf-8")
    return load_plan(root)


def priors(root: Path, variants: str, experiment: str = EXPERIMENT) -> dict[str, str | None]:
    found = plan(root, variants, experiment).experiments["one"].trained
    return {variant.name: variant.class_images for variant in found}


def problems(root: Path, variants: str, experiment: str = EXPERIMENT) -> list[str]:
    with pytest.raises(ProblemsError) as caught:
        plan(root, variants, experiment)
    return [str(p).split("/config/")[-1] for p in caught.value.problems]


def test_a_weight_alone_is_enough(root):
    found = plan(root, "a: {class_images_weight: 1}")
    assert found.variant("one", "a").class_images == ALL
    assert found.experiments["one"].datasets == ["ours"]
    drawn = found.datasets[ALL]
    asked = drawn.class_images.prompt_set
    assert asked.texts() == {"man": "a photo of a man", "woman": "a photo of a woman"}
    assert (asked.width, asked.height) == (128, 144)
    assert not asked.model_fields_set & {"steps", "guidance"}
    assert len(drawn.class_images.names) == len(set(drawn.class_images.names)) == 40
    assert drawn.preprocess.buckets == [(128, 144)]
    assert drawn.caption.characters == {}
    assert paths.class_pictures(drawn) == f"resources/{ALL}/class.json"


def test_no_picture_is_one_that_prompt_sets_count_to(root):
    asked = plan(root, "a: {class_images_weight: 1}").datasets[ALL].class_images.prompt_set
    assert min(asked.seeds) > 10_000


def test_more_images_are_the_same_and_some_more(root):
    found = plan(
        root, "a: {class_images_weight: 1, sweep: {class_images_per_noun: [3, 5]}}"
    ).datasets
    few, many = (found[f"prior-small-man+woman-{n}-128x144"].class_images for n in (3, 5))
    assert set(few.names) < set(many.names)
    assert few.prompt_set.prompts == many.prompt_set.prompts


def test_a_recipe_may_ask_for_them(root):
    found = priors(root, "a: {recipe: kept}, b: {}, c: {recipe: kept, class_images_per_noun: null}")
    assert found == {"a": "prior-small-man+woman-3-128x144", "b": None, "c": ALL}


def test_equal_wishes_share_one_dataset(root):
    found = priors(
        root,
        "a: {class_images_weight: 1},"
        " weaker: {class_images_weight: 0.5, rank: 4, class_images_per_noun: 20},"
        " j: {class_images_weight: 1, characters: [J]}, b: {class_images_weight: 1, cells: [B]},"
        " other: {class_images_weight: 1, base: other},"
        " large: {class_images_weight: 1, dataset: others}",
    )
    men = "prior-small-man-20-128x144"
    assert found == {
        "a": ALL,
        "weaker": ALL,
        "j": men,
        "b": men,
        "other": ALL.replace("small", "other"),
        "large": ALL.replace("128x144", "528x528"),
    }


def test_each_base_draws_and_reads_its_own(root):
    found = plan(root, "a: {class_images_weight: 1, base: other}")
    (drawn,) = prior_preservation.standalone_class_images(found).values()
    assert prior_preservation.class_image_render_spec(found, drawn).base.model == "org/model"
    assert prior_preservation.class_image_render_spec(found, drawn).weights == []
    assert prior_preservation.class_image_texts(found, drawn).encoder.model == "org/model"


def test_what_does_not_ask_for_them_keeps_its_canonical_string(root):
    found = plan(
        root, "a: {}, b: {class_images_weight: 1}, c: {recipe: kept, class_images_weight: 0}"
    )
    recipe = {name: json.loads(found.variant("one", name).spec)["recipe"] for name in "abc"}
    assert recipe["a"] == {"rank": 16}
    assert recipe["b"] == {"rank": 16, "prior_weight": 1.0}
    assert recipe["c"] == {"rank": 16, "prior_weight": 0.0}
    assert found.variant("one", "c").class_images is None


def test_two_experiments_share_their_class_images(root):
    plan(root, "a: {class_images_weight: 1}")
    other = EXPERIMENT.replace("JRussell", "JMiller").replace("prior: class", "source: photos")
    other = other.replace("ours", "theirs").replace("men:", "us:").replace("others", "them")
    text = other + "variants: {a: {class_images_weight: 1}}\n"
    (root / "config/experiments/two.yaml").write_text(text, encoding="utf-8")
    found = load_plan(root, {"experiments": ["one", "two"]})
    assert found.variant("two", "a").class_images == found.variant("one", "a").class_images == ALL
    assert list(prior_preservation.standalone_class_images(found)) == [ALL]


def test_words_of_a_class_become_names(root):
    text = EXPERIMENT.replace("class: woman", "class: elderly woman").replace("Man", "señor")
    (drawn,) = prior_preservation.standalone_class_images(
        plan(root, "a: {class_images_weight: 1}", text)
    ).values()
    assert drawn.prompt_set.texts() == {
        "elderly-woman": "a photo of an elderly woman",
        "man": "a photo of a man",
        "se-or": "a photo of a señor",
    }


def test_a_dataset_of_ours_may_be_named_instead(root):
    found = plan(
        root,
        "a: {}, b: {class_images: men, class_images_weight: 1},"
        " c: {from: b, class_images_weight: 0}",
    )
    assert [found.variant("one", name).class_images for name in "abc"] == [None, "men", None]
    assert found.datasets["men"].class_images.names == [
        "man-0001.png",
        "man-0002.png",
        "boy-0009.png",
    ]
    manifest = "results/one/BASE/run-1/images/class.json"
    assert paths.class_pictures(found.datasets["men"]) == manifest
    assert prior_preservation.standalone_class_images(found) == {}


def test_options_that_count_for_nothing_are_refused(root):
    listed = problems(
        root,
        "b: {class_images: men}, c: {class_images: mne, class_images_weight: 1},"
        " d: {class_images_per_noun: 5},"
        " e: {class_images: men, recipe: kept}",
        EXPERIMENT.replace("class_images: class", "class_images: clas"),
    )
    assert "variants.b.class_images: class images have no weight in the loss" in listed[0]
    assert "variants.c.class_images: no dataset 'mne'. Did you mean 'men'?" in listed[1]
    assert (
        "variants.d: `class_images_per_noun` is set, but `class_images_weight` is not" in listed[2]
    )
    assert "variants.e: `class_images_per_noun` says how many class images" in listed[3]
    assert "datasets.men.class_images: no prompt set 'clas'" in listed[4]
    assert len(listed) == 5


def test_another_dataset_of_the_same_name_is_refused(root):
    text = EXPERIMENT.replace("  men:", f"  {ALL}:")
    listed = problems(root, "a: {class_images_weight: 1}", text)
    assert f"variants.a: its class images would be called '{ALL}'" in listed[0]
