"""Prompts that steps are chosen by stand apart; who takes another step is another variant."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindred.config import declaration
from kindred.config.load_plan import load_plan
from kindred.workflow import batched_jobs, paths, scoring_specs

ROOT = Path(__file__).parents[3]
FILE = """
title: t
characters: {J: {name: JRussell, class: man}, A: {name: ARussell, class: woman}}
datasets: {ours: {lab: {family: russell, coverage: {J: 2, A: 1}}}}
base: lab
recipe: lab-character
judge: lab
runs: 2
prompt_sets:
  casts: {casts: {of: [J, A], shapes: [[144, 128], [192, 96]], wordings: 4, pictures: 1}, steps: 4}
selection:
  casts: {of: [J, A], shapes: [[144, 128], [192, 96]], wordings: 2, pictures: 1}
  steps: 4
variants:
  last: {steps: 100, keep: {every: 40}}
  chosen: {from: last, take: best}
  plain: {from: last, keep: null}
"""
HELD_OUT = """
  kept-away: {from: last, held_out: {A+J: 1, J: 1}}
  early: {from: kept-away, take: held_out}
"""


@pytest.fixture
def experiment(tmp_path):
    return planned(tmp_path, FILE)


def planned(tmp_path, text):
    """An experiment, planned beside the shipped bases, recipes and judges."""
    config = tmp_path / "config"
    config.mkdir()
    for name in ("bases", "recipes", "judges"):
        (config / name).symlink_to(ROOT / "config" / name)
    (tmp_path / "lab").symlink_to(ROOT / "lab")
    (config / "experiments").mkdir()
    (config / "experiments/one.yaml").write_text(text)
    (config / "config.yaml").write_text("experiments: [one]\n")
    plan = load_plan(tmp_path, {})
    return plan, plan.experiments["one"]


def test_neither_words_nor_noise_are_those_of_verdicts(experiment):
    _, one = experiment
    asked, chosen = one.prompt_sets["casts"], one.selection
    assert not {*asked.texts().values()} & {*chosen.texts().values()}
    seeds = [
        {seed for name in prompts.prompts for seed in prompts.full(name).seeds}
        for prompts in (asked, chosen)
    ]
    assert not seeds[0] & seeds[1]
    assert one.selection_casts.keys() == chosen.prompts.keys()
    assert set(one.prompt_sets) == {"casts"}


def test_who_takes_another_step_shares_trainings_and_no_pictures(experiment):
    _, one = experiment
    last, chosen = one.variants["last"], one.variants["chosen"]
    assert last.spec == chosen.spec and last.shares_adapters(chosen)
    assert not last.shares_runs(chosen)
    assert last.adapter("one", 1) == "results/one/last/run-1/lora.safetensors"
    assert chosen.adapter("one", 1) == "results/one/chosen/run-1/chosen/lora.safetensors"
    compared = scoring_specs.compare_spec(one).variants
    assert compared["chosen"].take == "best" and compared["last"].take == ""
    assert compared["chosen"].spec != compared["last"].spec
    assert not compared["chosen"].control


def test_the_declared_design_names_what_steps_are_chosen_by(experiment):
    plan, one = experiment
    told = declaration.design_of(plan, one)
    assert told["variants"]["chosen"]["take"] == "best" and told["selection"]["prompts"]
    assert "take" not in told["variants"]["last"]


def test_the_series_of_a_run(experiment):
    plan, one = experiment
    assert [variant.name for variant in one.in_series] == ["last", "chosen"]
    folder = "results/one/last/run-2"
    assert paths.step_adapters("one", one.variants["last"], 2) == [
        f"{folder}/steps/40/lora.safetensors",
        f"{folder}/steps/80/lora.safetensors",
        f"{folder}/lora.safetensors",
    ]
    assert paths.step_tables("one", one.variants["last"], 2)[2] == (
        f"{folder}/steps/100/scores/selection.csv"
    )
    assert len(paths.steps_compared(one)) == 2 * 2 * 3
    assert scoring_specs.choice_spec(one, one.variants["chosen"], 2).variants["chosen"].runs == [2]
    drawn = batched_jobs.render_jobs(plan, "one", "last").jobs
    assert sum("/steps/" in job.out for job in drawn) == 6
    scored = batched_jobs.score_jobs(plan, "one", "last").jobs
    assert sum("/steps/" in job.out for job in scored) == 6
    # Its steps have to be there before it can be drawn at all.
    drawn = batched_jobs.render_jobs(plan, "one", "chosen").jobs
    assert drawn and not any("/steps/" in job.out for job in drawn)
    assert not any(
        "/steps/" in job.out for job in batched_jobs.render_jobs(plan, "one", "plain").jobs
    )


def test_steps_chosen_by_held_out_loss_need_no_pictures(tmp_path):
    _, one = planned(tmp_path, FILE + HELD_OUT)
    early = one.variants["early"]
    assert early.train.selection.held_out == {"A+J": 1, "J": 1}
    told = scoring_specs.choice_spec(one, early, 2)
    assert told.judge is None and told.prompts == {} and told.variants["early"].held_out
    folder = "results/one/early/run-2"
    losses = [*paths.step_adapters("one", early, 2), f"{folder}/training.csv"]
    assert paths.read_to_choose("one", early, 2) == losses
    assert set(losses) <= set(paths.steps_compared(one))
    assert scoring_specs.series_spec(one).variants["last"].held_out is False
    assert scoring_specs.compare_spec(one).variants["early"].take == "held_out"


def test_without_a_selection_losses_are_compared_alone(tmp_path):
    before, _, after = FILE.partition("selection:")
    alone = after[after.index("variants:") :].replace("  chosen: {from: last, take: best}\n", "")
    plan, one = planned(tmp_path, before + alone + HELD_OUT)
    assert one.in_series == [] and one.compares_steps
    told = scoring_specs.series_spec(one)
    assert set(told.variants) == {"kept-away", "early"} and told.prompts == {}
    assert not any(
        "/steps/" in job.out for job in batched_jobs.render_jobs(plan, "one", "early").jobs
    )
    assert "selection" not in declaration.design_of(plan, one)


def test_composites_leave_held_out_photos_alone(tmp_path):
    compose = "{cells: {A+J: 3}}"
    _, one = planned(
        tmp_path,
        FILE + f"  made: {{compose: {compose}}}\n  kept: {{compose: {compose}, held_out: 1}}\n",
    )
    made, kept = one.variants["made"].made, one.variants["kept"].made
    assert made.spec.held_out is None and kept.spec.held_out.held_out == 1
    assert one.variants["made"].dataset != one.variants["kept"].dataset
