"""Which experiments have a ceiling, and what drawing it is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kindred.config.load_plan import load_plan
from kindred.config.plan import Plan
from kindred.workflow import ceilings

EXPERIMENT = """
title: t
characters:
  J: {name: TOkorie, class: man, age: adult}
  A: {name: NOkorie, class: woman}
datasets:
  ours: {lab: {family: okorie, coverage: "T: 1, N: 1"}}
base: tiny
recipe: tiny
judge: tiny
variants:
  all: {runs: 2}
prompt_sets:
  solo: {prompts: {J: "headshot of {J}"}, seeds: 2, size: [64, 64]}
  casts: {casts: {of: [J, A], shapes: [[144, 128], [192, 96]], wordings: 4, pictures: 2}, steps: 3}
"""
FILES = {
    "config/config.yaml": "experiments: [e]\n",
    "config/bases/tiny.yaml": "model: base\ntext_tokens: 56\n",
    "config/recipes/tiny.yaml": "rank: 2\n",
    "config/judges/tiny.yaml": "kind: lab\nmodel: judge\n",
}
FIGURES = ["results/e/ceiling.json"]


def plan(root: Path, *changes: tuple[str, str]) -> Plan:
    text = EXPERIMENT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (root / "photos").mkdir(exist_ok=True)
    for file, content in (FILES | {"config/experiments/e.yaml": text}).items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(content)
    return load_plan(root)


def test_casts_of_drawn_people_have_a_ceiling(tmp_path):
    made = plan(tmp_path)
    one = made.experiments["e"]
    assert ceilings.figures_of(made, one) == ceilings.all_figures(made) == FIGURES
    assert ceilings.lists_of(made, one) == ["results/e/ceiling/images/casts.json"]
    assert ceilings.tables_of(made, one) == ["results/e/ceiling/scores/casts.csv"]


def test_what_is_drawn_is_what_the_casts_ask_for_and_no_more(tmp_path):
    made = plan(tmp_path)
    one = made.experiments["e"]
    spec = ceilings.ceiling_spec(made, one, "casts")
    assert spec.encoder.canonical() == '{"model":"base"}'
    assert spec.characters == {"A": "NOkorie", "J": "TOkorie"}
    assert spec.families == {"okorie": None}
    assert spec.casts == one.casts["casts"]
    for name, prompt in spec.prompts.items():
        assert prompt == one.prompt_sets["casts"].full(name)
        assert spec.casts[name].canvas == f"{prompt.width}x{prompt.height}"
    # Steps are of no concern to what is not rendered.
    slower = plan(tmp_path, ("steps: 3", "steps: 9"))
    other = ceilings.ceiling_spec(slower, slower.experiments["e"], "casts")
    assert other.canonical() == spec.canonical()


def test_there_is_none_without_casts_without_a_judge_or_of_people_in_photos(tmp_path):
    drawn = '{lab: {family: okorie, coverage: "T: 1, N: 1"}}'
    casts = EXPERIMENT.splitlines()[-1] + "\n"
    for change in (
        (casts, ""),
        ("judge: tiny\n", ""),
        (drawn, "{source: photos}"),
        ("TOkorie", "TSmith"),
    ):
        made = plan(tmp_path, change)
        one = made.experiments["e"]
        assert ceilings.figures_of(made, one) == ceilings.lists_of(made, one) == []


def test_there_is_none_where_no_base_draws(tmp_path):
    made = plan(tmp_path)
    one = made.experiments["e"]
    assert ceilings.cast_sets(made, one) == ["casts"]
    without = replace(one, variants={name: v for name, v in one.variants.items() if name != "BASE"})
    assert ceilings.cast_sets(made, without) == []


def test_a_family_drawn_with_two_dials_is_nobody_in_particular(tmp_path):
    two = """  ours: {lab: {family: okorie, coverage: "T: 1, N: 1"}}
  more: {lab: {family: okorie, coverage: "T: 1, N: 1", shared: 9}}
"""
    ours = two.splitlines()[0] + "\n"
    variants = ("  all: {runs: 2}\n", "  all: {runs: 2, dataset: ours}\n  b: {dataset: more}\n")
    made = plan(tmp_path, (ours, two), variants)
    assert ceilings.figures_of(made, made.experiments["e"]) == []
    shared = plan(tmp_path, ("okorie,", "okorie, shared: 9,"))
    spec = ceilings.ceiling_spec(shared, shared.experiments["e"], "casts")
    assert spec.families == {"okorie": 9}


def test_what_only_guidance_reads_changes_no_drawing(tmp_path):
    without = plan(tmp_path)
    drawn = ceilings.ceiling_spec(without, without.experiments["e"], "casts").canonical()
    assert "negative" not in drawn
    led_away = plan(tmp_path, ("steps: 3}", "steps: 3, negative: blurry}"))
    assert ceilings.ceiling_spec(led_away, led_away.experiments["e"], "casts").canonical() == drawn
