"""Which pictures of the base show strangers, and how many are drawn where they are too few."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindred.config import declaration
from kindred.config.load_plan import load_plan
from kindred.config.stranger_pictures import WANTED, stranger_class_images, stranger_pictures
from kindred.workflow import calibrated, scoring_specs

EXPERIMENT = """
title: t
characters:
  J: {name: JRussell, class: man}
  A: {name: ARussell, class: Woman}
datasets:
  ours: {lab: {family: russell, coverage: "J: 1, A: 1"}}
base: tiny
recipe: tiny
judge: faces
variants:
  all: {}
prompt_sets:
  solo: {prompts: {J: "headshot of {J}, a man"}, seeds: 2, size: [1024, 768], steps: 9}
  plain:
    prompts: {man: a man in a coat, two: a man and his wife, men: two men, woman: A WOMAN asleep}
    seeds: 20
    size: [64, 64]
"""
FILES = {
    "config/config.yaml": "experiments: [e]\n",
    "config/bases/tiny.yaml": "model: base\n",
    "config/bases/other.yaml": "model: elsewhere\n",
    "config/recipes/tiny.yaml": "rank: 2\n",
    "config/judges/faces.yaml": "kind: photo\n",
    "config/judges/lab.yaml": "kind: lab\nmodel: judge\n",
    "config/experiments/e.yaml": EXPERIMENT,
}


@pytest.fixture
def plan(tmp_path: Path):
    def planned(*changes: tuple[str, str]):
        for file, text in FILES.items():
            for old, new in changes if text is EXPERIMENT else ():
                assert old in text
                text = text.replace(old, new)
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_text(text)
        return load_plan(tmp_path)

    return planned


def found_in(planned):
    return stranger_pictures(planned, planned.experiments["e"])


def drawn_of(planned) -> dict[str, int]:
    """Class noun -> pictures that are drawn."""
    counts: dict[str, int] = {}
    for own, nouns in found_in(planned).drawn.values():
        for prompt, noun in nouns.items():
            counts[noun] = counts.get(noun, 0) + len(own.prompt_set.full(prompt).seeds)
    return counts


def test_prompts_that_ask_for_one_person_and_name_nobody_count(plan):
    assert found_in(plan()).asked == {("BASE", "plain"): {"man": "man", "woman": "woman"}}
    assert drawn_of(plan()) == {"man": WANTED - 20, "woman": WANTED - 20}


def test_no_more_is_drawn_than_lacks(plan):
    assert drawn_of(plan(("seeds: 20", "seeds: 70"))) == {"man": 2, "woman": 2}
    assert found_in(plan(("seeds: 20", "seeds: 80"))).drawn == {}


def test_they_are_small_and_as_the_first_prompt_set_is_drawn(plan):
    ((name, (own, _)),) = found_in(plan()).drawn.items()
    asked = own.prompt_set
    assert name.startswith("strangers-tiny-man+woman-")
    assert (asked.width, asked.height, asked.steps) == (688, 512, 9)
    assert {one.text for one in asked.prompts.values()} >= {"a photo of a man"}
    assert stranger_class_images(plan()) == {name: own}


def test_class_images_that_are_drawn_anyway_count(plan):
    kept = "all: {class_images_weight: 1, class_images_per_noun: 30}"
    planned = plan(("all: {}", kept))
    (dataset,) = found_in(planned).class_images
    assert drawn_of(planned) == {"man": WANTED - 50, "woman": WANTED - 50}
    files = calibrated.pictures_of_strangers(planned, "e")
    assert f"resources/{dataset}/class.json" in files
    assert "results/e/BASE/run-1/images/plain.json" in files and len(files) == 3


def test_several_bases_share_what_is_drawn(plan):
    planned = plan(("all: {}", "all: {}\n  far: {base: other}"), ("seeds: 20", "seeds: 5"))
    assert {own.base for own, _ in found_in(planned).drawn.values()} == {"tiny", "other"}
    assert drawn_of(planned) == {"man": WANTED - 10, "woman": WANTED - 10}


def test_other_judges_and_pictures_made_elsewhere_ask_for_none(plan, tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/J-1.png").touch()
    lab = plan(("judge: faces", "judge: lab"))
    theirs = plan(("all: {}", "theirs: {pictures: theirs}"))
    for planned in (lab, theirs):
        assert found_in(planned) is None and stranger_class_images(planned) == {}
        assert calibrated.known_by(planned, "e")[0] == "results/e/references.json"
        design = declaration.design_of(planned, planned.experiments["e"])
        assert "strangers" not in design


def test_scores_are_by_the_calibrated_judge_and_the_design_says_by_whom(plan):
    planned = plan()
    known = ("results/e/calibrated.json", "results/e/calibrated.safetensors")
    assert calibrated.known_by(planned, "e") == known
    design = declaration.design_of(planned, planned.experiments["e"])
    assert design["strangers"]["drawn"].keys() == {"tiny"}
    assert "pictures" not in scoring_specs.reference_spec(planned.experiments["e"]).canonical()
