"""Old names of keys are still read, with a warning at the place where they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindred.common.errors import ProblemsError
from kindred.config.load_plan import load_plan
from kindred.config.plan import Plan

EXPERIMENT = """title: test
characters:
  J: {name: JRussell, class: man}
datasets:
  ours: {source: photos}
  men: {class_images: faces}
dataset: ours
base: small
recipe: plain
hide_photos: true
prompt_sets:
  faces: {prompts: [a man], seeds: 2, size: [64, 64], guidance_scale: 2}
variants:
  one:
    lora_dropout: 0.1
    class_images: men
    class_images_weight: 0.5
  two:
    sweep: {max_grad_norm: [0, 1]}
"""
RENAMED = {
    "class_images_weight": "prior_weight",
    "class_images": "prior",
    "guidance_scale": "guidance",
    "hide_photos": "share",
    "lora_dropout": "dropout",
    "max_grad_norm": "clip",
}
RECIPE = "rank: 4\ngradient_accumulation: 2\n\ntrain_guidance: 2\n"
OLD_RECIPE = "rank: 4\naccumulation: 2\n\nguidance: 2\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("bases", "recipes", "experiments"):
        (tmp_path / "config" / folder).mkdir(parents=True)
    (tmp_path / "photos").mkdir()
    (tmp_path / "config/bases/small.yaml").write_text("model: lab/base\n")
    return tmp_path


def load(
    root: Path,
    experiment: str = EXPERIMENT,
    recipe: str = RECIPE,
    main: str = "experiments: [one]\n",
    **overrides: object,
) -> Plan:
    (root / "config/recipes/plain.yaml").write_text(recipe, encoding="utf-8")
    (root / "config/experiments/one.yaml").write_text(experiment, encoding="utf-8")
    (root / "config/config.yaml").write_text(main, encoding="utf-8")
    return load_plan(root, overrides)


def by_old_names(text: str) -> str:
    for new, old in RENAMED.items():
        text = text.replace(f"{new}:", f"{old}:")
    return text


def lines(plan: Plan, root: Path) -> list[str]:
    return [str(warning).removeprefix(f"{root}/config/") for warning in plan.warnings]


def test_old_names_mean_the_same_and_each_is_warned_of(root):
    new = load(root)
    assert new.warnings == ()
    old = load(root, by_old_names(EXPERIMENT), OLD_RECIPE)
    assert old.experiments == new.experiments and old.datasets == new.datasets
    variants = old.experiments["one"].variants
    recipe = variants["one"].train.recipe
    assert (recipe.lora_dropout, recipe.class_images_weight) == (0.1, 0.5)
    assert (recipe.gradient_accumulation, recipe.train_guidance) == (2, 2.0)
    assert variants["two-0"].train.recipe.max_grad_norm == 0
    assert old.experiments["one"].hide_photos
    cure = "Rename it; the meaning is the same."
    assert sorted(lines(old, root)) == [
        f"experiments/one.yaml:10: share: is now called `hide_photos`. {cure}",
        "experiments/one.yaml:12: prompt_sets.faces.guidance: is now called `guidance_scale`. "
        f"{cure}",
        f"experiments/one.yaml:15: variants.one.dropout: is now called `lora_dropout`. {cure}",
        f"experiments/one.yaml:16: variants.one.prior: is now called `class_images`. {cure}",
        f"experiments/one.yaml:17: variants.one.prior_weight: is now called `class_images_weight`. "
        f"{cure}",
        f"experiments/one.yaml:19: variants.two.sweep.clip: is now called `max_grad_norm`. {cure}",
        f"experiments/one.yaml:6: datasets.men.prior: is now called `class_images`. {cure}",
        f"recipes/plain.yaml:2: accumulation: is now called `gradient_accumulation`. {cure}",
        f"recipes/plain.yaml:4: guidance: is now called `train_guidance`. {cure}",
    ]


def test_what_is_wrong_with_an_old_key_is_told_at_its_line(root):
    with pytest.raises(ProblemsError) as error:
        load(root, recipe=OLD_RECIPE.replace("guidance: 2", "guidance: -1"))
    (problem,) = error.value.problems
    assert problem.where.endswith("plain.yaml:4: train_guidance")


def test_an_old_and_a_new_name_together_are_a_problem(root):
    text = EXPERIMENT.replace("lora_dropout: 0.1", "lora_dropout: 0.1\n    dropout: 0.2")
    with pytest.raises(ProblemsError) as error:
        load(root, text, RECIPE + "accumulation: 2\n")
    assert [str(problem).removeprefix(f"{root}/config/") for problem in error.value.problems] == [
        "experiments/one.yaml:16: variants.one.dropout: is the old name of `lora_dropout`, which "
        "is set too. Keep only `lora_dropout`.",
        "recipes/plain.yaml:5: accumulation: is the old name of `gradient_accumulation`, which is "
        "set too. Keep only `gradient_accumulation`.",
    ]


def test_the_command_line_takes_old_names_too(root):
    main = "experiments: [one]\ndevice: {kind: cpu, device_map: [12, 24]}\n"
    plan = load(root, main=main, device={"split": False})
    assert plan.device.device_map is False and plan.device.kind == "cpu"
    (warning,) = plan.warnings
    assert str(warning).startswith("--config: device.split: is now called `device_map`")


def test_a_derived_experiment_replaces_a_key_by_either_name(root):
    load(root, by_old_names(EXPERIMENT))
    two = root / "config/experiments/two.yaml"
    two.write_text("like: one\nvariants:\n  one: {lora_dropout: 0.3}\nshare: false\n")
    plan = load_plan(root, {"experiments": ["two"]})
    found = plan.experiments["two"]
    assert found.variants["one"].train.recipe.lora_dropout == 0.3 and not found.hide_photos
    assert "two.yaml:4: share" in " ".join(lines(plan, root))
