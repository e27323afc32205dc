"""The files that a plan asks for, and the options that come from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindred.config.lab_album import LabFamily
from kindred.config.load_plan import load_plan
from kindred.workflow import paths
from kindred.world.families import parse_coverage

EXPERIMENT = """
title: test
characters:
  J: {name: JRussell, class: man}
  A: {name: ARussell, class: woman}
datasets:
  ours: {source: photos}
base: small
recipe: plain
prompt_sets:
  solo: {prompts: {j: "headshot of {J}"}, seeds: 2, size: [64, 64]}
  pair: {prompts: {ja: "{J} and {A}"}, seeds: 2, size: [64, 64]}
variants:
"""


@pytest.fixture
def plan_of(tmp_path: Path):
    for folder in ("bases", "recipes", "experiments"):
        (tmp_path / "config" / folder).mkdir(parents=True)
    (tmp_path / "photos").mkdir()
    files = {
        "config.yaml": "experiments: [one]\n",
        "bases/small.yaml": "model: lab/base\n",
        "recipes/plain.yaml": "rank: 16\n",
    }
    for name, text in files.items():
        (tmp_path / "config" / name).write_text(text, encoding="utf-8")

    def plan(variants: str):
        path = tmp_path / "config/experiments/one.yaml"
        path.write_text(EXPERIMENT + variants, encoding="utf-8")
        return load_plan(tmp_path)

    return plan


def test_everything_of_a_small_experiment(plan_of):
    plan = plan_of("  a: {runs: 2}\n  both: {adapters: {a: 1}}\n")
    folder = "results/one"
    runs = [f"{folder}/a/run-1", f"{folder}/a/run-2"]
    pictured = [*runs, f"{folder}/both/run-1", f"{folder}/both/run-2", f"{folder}/BASE/run-1"]
    assert set(paths.all_targets(plan)) == {
        f"{folder}/audit/ours.html",
        f"{folder}/curves.png",
        f"{folder}/rating.html",
        f"{folder}/likeness/ours.png",
        *(f"{run}/lora.safetensors" for run in runs),
        *(f"{run}/images/{name}.json" for run in pictured for name in ("solo", "pair")),
        *(f"{folder}/sheets/{name}.png" for name in ("solo", "pair")),
        *(
            f"{folder}/{variant}/sheets/{name}.png"
            for variant in ("a", "both", "BASE")
            for name in ("solo", "pair")
        ),
    }


def test_many_variants_get_sheets_only_when_asked(plan_of):
    seeds = ", ".join(map(str, range(paths.SHEETS_UP_TO + 1)))
    plan = plan_of(f"  v: {{sweep: {{data_seed: [{seeds}]}}}}\n")
    wanted = paths.all_targets(plan)
    assert not [path for path in wanted if path.endswith(".png")]
    assert "results/one/rating.html" in wanted


def test_combined_adapters_and_the_base_render_with_the_right_files(plan_of):
    plan = plan_of("  a: {}\n  b: {}\n  both: {adapters: {a: 1, b: 0.5}}\n")
    assert paths.adapters_of(plan, "one", "both", "1") == [
        "results/one/a/run-1/lora.safetensors",
        "results/one/b/run-1/lora.safetensors",
    ]
    assert paths.adapters_of(plan, "one", "BASE", "1") == []
    found = paths.prompts_of(plan, "one", "both", "solo")
    assert found == "resources/encoded/small/prompts/one/solo.safetensors"


def test_labels_say_which_run_where_there_are_several(plan_of):
    plan = plan_of("  a: {runs: 2}\n  b: {}\n")
    pairs = paths.of_runs("one", plan.experiments["one"].trained, "x.csv")
    assert pairs == [
        ("a, run 1", "results/one/a/run-1/x.csv"),
        ("a, run 2", "results/one/a/run-2/x.csv"),
        ("b", "results/one/b/run-1/x.csv"),
    ]
    assert paths.options("--run", pairs[2:]) == ["--run", "b=results/one/b/run-1/x.csv"]


def test_likeness_takes_prompts_for_one_person(plan_of):
    plan = plan_of("  a: {runs: 2}\n")
    assert paths.of_solos(plan.experiments["one"], "ours") == [
        ("a", "results/one/a/run-1/images/solo.json")
    ]


def test_family_options_are_the_drawing_program_s():
    import shlex

    import lab_family

    lab = LabFamily(
        family="okorie",
        coverage={"T": 1, "E+T": 2},
        seed=7,
        hats=0.5,
        class_nouns=False,
        sides=True,
        shapes="any",
        shared=3,
        scale=1,
    )
    found = lab_family.parse([*shlex.split(paths.family_options(lab)), "--out", "x"])
    assert (found.family, found.seed, found.hats, found.shared, found.scale) == (
        "okorie",
        7,
        0.5,
        3,
        1,
    )
    assert found.sides and found.any_shape and not found.class_nouns
    usual = LabFamily(family="russell", coverage="J: 1", seed=2)
    assert paths.family_options(usual) == "--family russell --coverage 'J: 1' --seed 2"
    assert parse_coverage(found.coverage) == {"T": 1, "ET": 2}
