"""The study's files say what a believable answer needs: controls, prompts, runs, exclusions; and
arms that are compared are equal in what they say they are."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from kindred.characters.trigger_words import letters_in
from kindred.config.load_plan import load_plan
from kindred.data.dataset import DatasetImage
from kindred.data.subset_selection import select
from kindred.workflow.scoring_specs import compare_spec
from kindred.world.captions import token_count
from kindred.world.families import parse_coverage

ROOT = Path(__file__).parents[3]
CONTROLLED = [
    "experiment1",
    "coverage",
    "coverage-okorie",
    "remedies",
    "single_or_many",
    "rank_and_recipe",
    "hats",
]
# The cells of coverage-okorie are named by the letters of its own family.
OKORIE = {"T": "J", "N": "A", "E": "C"}


@pytest.fixture(scope="module")
def plan():
    return load_plan(ROOT, {"experiments": [*CONTROLLED, "precision", "study"]})


@pytest.mark.parametrize("name", CONTROLLED)
def test_every_experiment_has_both_controls_and_declares_exclusions(plan, name):
    experiment = plan.experiments[name]
    controls = {one.control for one in compare_spec(experiment).variants.values()}
    assert any(control.startswith("scrambled of") for control in controls) and "base" in controls
    assert any(control.startswith("null of") for control in controls)
    assert experiment.hypotheses and all(h.excluded for h in experiment.hypotheses.values())
    assert any(h.primary for h in experiment.hypotheses.values())


@pytest.mark.parametrize("name", ["experiment1", "coverage"])
def test_the_two_main_experiments_are_large_enough(plan, name):
    experiment = plan.experiments[name]
    assert all(len(variant.runs) >= 10 for variant in experiment.trained)
    trio = experiment.prompt_sets["trio"]
    assert len(trio.prompts) == 24 and all(len(trio.full(p).seeds) == 8 for p in trio.prompts)
    texts = list(trio.texts().values())
    everybody = sorted(experiment.characters)
    assert all(letters_in(text, experiment.characters) == everybody for text in texts)
    with_age = [text for text in texts if "adult" in text and "child" in text]
    with_side = [text for text in texts if "left" in text]
    assert 6 <= len(with_age) <= 18 and 4 <= len(with_side) <= 12
    assert all(token_count(text) <= 56 for text in texts)


def album(plan, dataset: str) -> list[DatasetImage]:
    """The photos that the lab would draw, without drawing them."""
    cells = parse_coverage(plan.datasets[dataset].lab.coverage)
    named = {"+".join(sorted(OKORIE.get(x, x) for x in cell)): n for cell, n in cells.items()}
    return [
        DatasetImage(f"{cell}-{k}", f"{cell}-{k}", cell, 64, 64, f"{cell}{k}", "text", "hash")
        for cell, count in named.items()
        for k in range(count)
    ]


@pytest.mark.parametrize("name", ["coverage", "coverage-okorie"])
def test_arms_are_equal_in_pictures_or_in_appearances_in_data_and_training(plan, name):
    for variant in plan.experiments[name].trained:
        wanted = variant.train.selection
        if wanted.match is None:
            continue
        chosen = select(album(plan, variant.dataset), wanted, "JAC")
        steps = variant.train.recipe.steps
        if wanted.match == "images":
            assert len(chosen) == 24 and steps == 1000, variant.name
        else:
            seen = Counter(letter for item in chosen for letter in item.cell.split("+"))
            assert seen == {"J": 24, "A": 24, "C": 24}, variant.name
            # As many looks at each picture as with 24 pictures in 1000 steps.
            assert steps / len(chosen) == pytest.approx(1000 / 24, rel=0.001), variant.name


def test_experiment1_puts_one_thing_right_at_a_time(plan):
    variants = plan.experiments["experiment1"].variants
    plain = variants["paired"].train
    assert variants["as-it-ran"].train == plain.model_copy(update={"pairing": "scrambled"})
    changed = {"nouns": "dataset", "crop": "dataset", "recipe": "recipe", "text": "recipe"}
    for name, field in changed.items():
        other = variants[name].train
        differing = {f for f in type(plain).model_fields if getattr(other, f) != getattr(plain, f)}
        assert differing == {field}, name
    assert variants["text"].text_tokens == 56 and variants["recipe"].text_tokens == 77
    text = variants["text"].train.recipe.model_dump()
    assert text == plain.recipe.model_dump() | {"text_tokens": None}


def test_the_second_family_is_asked_the_same_at_equal_pictures(plan):
    first, second = plan.experiments["coverage"], plan.experiments["coverage-okorie"]
    assert set(second.variants) == {name for name in first.variants if not name.endswith("-same")}
    same = {key: one for key, one in first.hypotheses.items() if not key.endswith("-same")}
    assert second.hypotheses == same
    assert all(len(variant.runs) >= 6 for variant in second.trained)
    assert {who.name for who in second.characters.values()} == {"TOkorie", "NOkorie", "EOkorie"}
    assert second.datasets == ["okorie", "okorie-cells"]
