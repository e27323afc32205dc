"""What a base's file says beside the base: training defaults."""

import pytest
from shipped_config import planned, warnings

from kindred.common.errors import ProblemsError
from kindred.config.base_config import BaseConfig
from kindred.config.load_plan import load_plan
from kindred.specs.training import Recipe

DEFAULTS = """training_defaults:
  source: somebody's guide
  rank: 8
  steps: 60
  lr: 2e-3
"""


def with_defaults(root, text=DEFAULTS):
    """The lab's base with training defaults."""
    file = root / "config/bases/lab.yaml"
    file.write_text(file.read_text(encoding="utf-8").split("training_defaults")[0] + text)


def spec_of(plan, variant):
    return plan.experiments["mine"].variants[variant].train


def test_they_are_the_recipe_of_who_asks_for_them(shipped):
    with_defaults(shipped)
    plan = planned(shipped, "family", recipe=("recipe: lab-character\n", "recipe: defaults\n"))
    trained = [one.train for one in plan.experiments["mine"].trained]
    assert trained and all(one.recipe.lr == 2e-3 for one in trained)
    given = trained[0].recipe.model_dump(exclude_unset=True)
    assert "source" not in given and set(given) <= set(Recipe.model_fields)


def test_everything_that_is_trained_on_is_to_be_of_their_sizes(shipped):
    """Photos, strangers who are cut in, and class images that a variant names."""
    with_defaults(shipped, DEFAULTS + "  resolutions: [128, 192]\n")
    tiny = "preprocess: {resolutions: [64], min_side: 64}"
    others = {"sizes": ("preprocess: *sizes", tiny)}
    nobody = "datasets:\n  nobody: {class_images: headshot, " + tiny + "}\n"
    weighed = "    class_images: nobody\n    class_images_weight: 1\n"
    own = {
        "recipe": ("recipe: lab-character\n", "recipe: defaults\n"),
        "classes": ("datasets:\n", nobody),
        "weight": ("    from: all       ", f"{weighed}    from: all       "),
    }
    found = warnings(planned(shipped, "family", **own, **others))
    told = [line for line in found if "the base's training defaults are meant for" in line]
    assert [line.split(": ")[1] for line in told] == [
        f"datasets.{name}.preprocess" for name in ("others", "nobody")
    ]
    assert all(": the photos are 64 px" in line for line in told)


def test_a_variant_may_take_them_and_change_them(shipped):
    with_defaults(shipped)
    more = "variants:\n  usual: {recipe: defaults, rank: 2}\n  from-usual: {from: defaults}\n"
    plan = planned(shipped, "family", more=("variants:\n", more))
    assert (spec_of(plan, "usual").recipe.rank, spec_of(plan, "usual").recipe.steps) == (2, 60)
    assert (
        spec_of(plan, "from-usual").recipe
        == BaseConfig.model_validate(
            {"model": "m", "training_defaults": {"source": "x", "rank": 8, "steps": 60, "lr": 2e-3}}
        ).training_defaults.recipe()
    )


def test_a_change_of_them_changes_nothing_that_does_not_use_them(shipped):
    before = planned(shipped, "family")
    with_defaults(shipped)
    after = load_plan(shipped)
    specs = [
        {name: one.spec for name, one in plan.experiments["mine"].variants.items()}
        for plan in (before, after)
    ]
    assert specs[0] == specs[1]
    assert {n: b.canonical() for n, b in before.bases.items()} == {
        n: b.canonical() for n, b in after.bases.items()
    }


def test_a_key_that_no_recipe_has_is_named(shipped):
    with_defaults(shipped, DEFAULTS + "  rnak: 4\n")
    with pytest.raises(ProblemsError, match=r"training_defaults\.rnak: unknown key.*rank"):
        planned(shipped, "family")


def test_shipped_defaults_say_where_they_come_from_and_train(shipped):
    for name in ("klein-4b", "klein-9b-bf16", "flux-dev-nf4"):
        plan = planned(
            shipped,
            "own-photos",
            base=("base: flux-dev-nf4 ", f"base: {name} "),
            recipe=("recipe: character ", "recipe: defaults "),
        )
        recipe = plan.experiments["mine"].trained[0].train.recipe
        assert (recipe.optimizer, recipe.lr) == ("adamw8bit", 1e-4)
        assert not [text for text in warnings(plan) if "revision" in text], "each plan would say it"


def test_planning_says_what_is_wrong_with_it(shipped):
    file = shipped / "config/bases/lab.yaml"
    file.write_text(file.read_text() + "training_adapter: lost.safetensors\n")
    with pytest.raises(ProblemsError, match=r"lab\.yaml: training_adapter: no file 'lost"):
        planned(shipped, "family")


def test_training_on_a_distilled_base_is_warned_of_once(shipped):
    plan = planned(shipped, "own-photos", base=("base: flux-dev-nf4 ", "base: klein-4b-distilled "))
    found = [text for text in warnings(plan) if "is distilled to few steps" in text]
    assert len(found) == 1 and "draw on this one with `draw_on`" in found[0]
    plan = planned(shipped, "own-photos", base=("base: flux-dev-nf4 ", "base: klein-4b "))
    assert not any("is distilled" in text for text in warnings(plan))
