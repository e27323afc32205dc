"""Trained on one base, drawn on another: what `draw_on` means, and where it can't be."""

from __future__ import annotations

import json

import pytest
import small_config

from kindred.common.errors import ProblemsError
from kindred.config.declaration import design_of, files_of
from kindred.config.load_plan import load_plan
from kindred.workflow import batched_jobs, ceilings, paths, scoring_specs

FLUX = {"num_layers": 1, "num_single_layers": 1, "attention_head_dim": 16, "num_attention_heads": 2}
INDEX = {"flux": "FluxPipeline", "klein": "Flux2KleinPipeline"}


def model(root, name, kind="flux", **config):
    """A folder that says what it is and how large, without weights; a base of that name."""
    folder = root / "models" / name
    (folder / "transformer").mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": INDEX[kind]}))
    (folder / "transformer/config.json").write_text(json.dumps(FLUX | config))
    return f"model: models/{name}\n"


def plan_of(root, variants, prompt_sets="", base="", fast="drawing_defaults: {steps: 4}\n"):
    """The plan of an experiment on the bases `small` and `fast`."""
    small_config.write(root, "models/small", variants)
    bases = root / "config/bases"
    (bases / "small.yaml").write_text(model(root, "small", guidance_embeds=True) + base)
    (bases / "fast.yaml").write_text(model(root, "fast") + fast)
    (bases / "wide.yaml").write_text(model(root, "wide", num_attention_heads=4))
    (bases / "deep.yaml").write_text(model(root, "deep", num_layers=2))
    (bases / "other.yaml").write_text(model(root, "other", "klein", joint_attention_dim=48))
    file = root / "config/experiments/one.yaml"
    file.write_text(file.read_text().replace("variants:\n", prompt_sets + "variants:\n"))
    return load_plan(root)


SIBLING = "fast_sibling: fast\n"


def test_a_variant_is_drawn_on_the_fast_sibling_in_its_own_steps(tmp_path):
    plan = plan_of(tmp_path, "  a: {}\n  b: {from: a, draw_on: fast_sibling}\n", base=SIBLING)
    one = plan.experiments["one"]
    assert list(one.variants) == ["a", "b", "BASE", "BASE-on-fast"]
    assert one.bases == ["fast", "small"] == sorted(plan.bases)
    specs = {name: plan.render_spec("one", name, "solo") for name in one.variants}
    drawn = {name: (spec.base.model, spec.prompt_set.steps) for name, spec in specs.items()}
    slow, fast = ("models/small", 28), ("models/fast", 4)
    assert drawn == {"a": slow, "b": fast, "BASE": slow, "BASE-on-fast": fast}
    assert specs["a"].prompt_set.canonical() == one.prompt_sets["solo"].canonical()
    assert '"steps":4' in specs["b"].canonical() and "steps" not in specs["a"].canonical()
    # The training is one and the same.
    assert one.variants["a"].spec == one.variants["b"].spec
    assert one.variants["a"].shares_adapters(one.variants["b"])
    assert not one.variants["a"].shares_runs(one.variants["b"])
    encoded = {name: paths.prompts_of(plan, "one", name, "solo") for name in one.variants}
    assert encoded["b"] == "resources/encoded/fast/prompts/one/solo.safetensors"
    assert encoded["a"] == encoded["BASE"] == "resources/encoded/small/prompts/one/solo.safetensors"
    together = batched_jobs.render_jobs(plan, "one", "b")
    assert together.specs["solo"] == specs["b"]
    assert [(job.prompts, job.adapters) for job in together.jobs] == [
        (encoded["b"], ["results/one/b/run-1/lora.safetensors"])
    ]


def test_a_prompt_set_is_drawn_on_it_by_every_variant(tmp_path):
    sets = "  quick: {prompts: {j: 'a dog'}, seeds: 1, size: [64, 64], steps: 30, draw_on: fast}\n"
    plan = plan_of(tmp_path, "  a: {}\n", sets)
    one = plan.experiments["one"]
    assert list(one.variants) == ["a", "BASE"]
    for name in one.variants:
        assert one.drawn_elsewhere(name) == {"quick": "fast"}
        assert plan.render_spec("one", name, "solo").base.model == "models/small"
        asked = plan.render_spec("one", name, "quick")
        assert asked.base.model == "models/fast" and asked.prompt_set.steps == 4
    assert scoring_specs.plain_pictures(one, "a", "quick") == [
        "results/one/BASE/run-1/images/quick.json"
    ]


def test_drift_is_measured_beside_the_base_on_which_pictures_are_drawn(tmp_path):
    sets = "  dog: {prompts: {d: 'a dog'}, seeds: 1, size: [64, 64]}\n"
    plan = plan_of(tmp_path, "  a: {}\n  b: {draw_on: fast}\n", sets)
    one = plan.experiments["one"]
    beside = {name: scoring_specs.plain_pictures(one, name, "dog") for name in ("a", "b")}
    assert beside == {
        "a": ["results/one/BASE/run-1/images/dog.json"],
        "b": ["results/one/BASE-on-fast/run-1/images/dog.json"],
    }


def test_settings_of_the_prompt_set_hold_where_the_sibling_has_none(tmp_path):
    sets = "  quick: {prompts: {j: x}, seeds: 1, size: [64, 64], steps: 30, guidance_scale: 2}\n"
    plan = plan_of(tmp_path, "  b: {draw_on: fast}\n", sets, fast="")
    asked = plan.render_spec("one", "b", "quick").prompt_set
    assert (asked.steps, asked.guidance_scale) == (30, 2)


def test_what_is_not_drawn_elsewhere_is_told_as_before(tmp_path):
    plan = plan_of(tmp_path, "  a: {draw_on: small}\n", base=SIBLING)
    one = plan.experiments["one"]
    assert list(one.variants) == ["a", "BASE"] and one.bases == ["small"]
    assert one.variants["a"].draw_on is None
    design = design_of(plan, one)
    assert "drawn_on" not in design and list(design["bases"]) == ["small"]


def test_the_design_says_where_and_how_it_is_drawn(tmp_path):
    plan = plan_of(tmp_path, "  a: {}\n  b: {draw_on: fast}\n")
    one = plan.experiments["one"]
    design = design_of(plan, one)
    assert design["drawn_on"] == {"b": {"solo": "fast"}, "BASE-on-fast": {"solo": "fast"}}
    assert design["drawing"] == {"fast": {"steps": 4}} and list(design["bases"]) == [
        "fast",
        "small",
    ]
    assert "bases/fast.yaml" in files_of(one, tmp_path / "config")


def test_the_ceiling_goes_through_the_drawing_bases_autoencoder(tmp_path, monkeypatch):
    sets = "  quick: {prompts: {j: x}, seeds: 1, size: [64, 64], draw_on: fast}\n"
    plan = plan_of(tmp_path, "  a: {}\n", sets)
    seen = []
    monkeypatch.setattr(ceilings, "CeilingSpec", lambda **told: seen.append(told["encoder"].model))
    monkeypatch.setattr(ceilings, "_families", lambda *_: {})
    one = plan.experiments["one"]
    one.casts.update({"solo": {}, "quick": {}})
    for name in one.casts:
        ceilings.ceiling_spec(plan, one, name)
    assert seen == ["models/small", "models/fast"]


@pytest.mark.parametrize(
    ("draw_on", "message"),
    [
        (
            "wide",
            "LoRA of the base 'small' can't be drawn on 'wide': the layer .* is 4096 x 32 in one",
        ),
        ("deep", "'deep': only one of them has the layer transformer_blocks.1"),
        ("other", "on 'other': one is a FLUX.1 model, the other a FLUX.2 klein model"),
        ("fast_sibling", "the base 'small' has no `fast_sibling`. Name the base to draw on"),
        ("fat", r"no file config/bases/fat\.yaml"),
    ],
)
@pytest.mark.parametrize("place", ["variant", "prompt set"])
def test_a_pair_that_does_not_fit_is_said_while_planning(tmp_path, draw_on, message, place):
    sets = f"  quick: {{prompts: {{j: x}}, seeds: 1, size: [64, 64], draw_on: {draw_on}}}\n"
    of_variant = place == "variant"
    variants = f"  a: {{draw_on: {draw_on}}}\n" if of_variant else "  a: {}\n"
    with pytest.raises(ProblemsError, match=message):
        plan_of(tmp_path, variants, "" if of_variant else sets)


def test_both_a_variant_and_a_prompt_set_is_once_too_often(tmp_path):
    sets = "  quick: {prompts: {j: x}, seeds: 1, size: [64, 64], draw_on: fast}\n"
    with pytest.raises(ProblemsError, match=r"prompt set 'quick' sets `draw_on` too. Remove one"):
        plan_of(tmp_path, "  a: {draw_on: fast}\n", sets)


def test_class_images_are_the_bases_own(tmp_path):
    sets = "  quick: {prompts: {j: x}, seeds: 1, size: [64, 64], draw_on: fast}\n"
    file = tmp_path / "config/experiments/one.yaml"
    plan_of(tmp_path, "  a: {dataset: ours}\n", sets)
    text = file.read_text().replace("datasets:\n", "datasets:\n  men: {class_images: quick}\n")
    file.write_text(text)
    with pytest.raises(
        ProblemsError, match=r"'quick' is drawn on another base .*. Name a prompt set"
    ):
        load_plan(tmp_path)


def test_adapters_of_other_variants_and_sweeps_are_drawn_there_too(tmp_path):
    variants = (
        "  a: {sweep: {draw_on: [small, fast]}}\n  both: {adapters: {a-fast: 0.5}, draw_on: fast}\n"
    )
    one = plan_of(tmp_path, variants).experiments["one"]
    where = {name: one.drawing_base(name, "solo") for name in one.variants}
    assert where == {
        "a-small": "small",
        "a-fast": "fast",
        "both": "fast",
        "BASE": "small",
        "BASE-on-fast": "fast",
    }
