"""Figures of how many trainings are needed: each says of which measure and difference."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import reported
from synthetic import ARMS, Arm

from kindred.evidence.adapter_choice import AdapterChoice, Contender
from kindred.evidence.power_figures import figures
from kindred.report.trainings_needed import for_choice, for_margin, for_verdict
from kindred.specs.power import AskedPrompts, PowerSpec

OVER_BASE = (0.4, 0.2, 0.6)
OPEN = {"measure": "success", "difference": 0.12, "more_runs": None}
FIVE = "Train each variant at least 5 times."


def test_a_choice_names_measure_and_lead():
    rival = Contender("short", 2, 0.33, (0.09, -0.2, 0.4), more_runs=14)
    choice = AdapterChoice("cast", (Contender("long", 2, 0.42), rival), 1, OVER_BASE)
    assert for_choice(choice) == (
        "To choose between these LoRAs: 14 trainings of each. If the lead over “short” in cast "
        "accuracy stays as it is (9 points), so many show it in 80 % of cases."
    )
    unknown = replace(choice, contenders=(choice.leader, replace(rival, more_runs=None)))
    assert "5 trainings of each, the fewest that can tell a better LoRA" in for_choice(unknown)
    assert "lead in cast accuracy" in for_choice(unknown)
    # Where none is shown to be better than the base, neither trainings nor ratings decide.
    assert "train longer" in for_choice(replace(choice, over_base=(0.1, -0.2, 0.4)))
    assert for_choice(replace(choice, contenders=(choice.leader,))) == ""


@pytest.mark.parametrize("label", ["one training", "pilot"])
def test_a_verdict_says_that_its_figure_is_the_fewest_for_one(label):
    one = OPEN | {"label": label, "advice": FIVE}
    said = for_verdict(one, forecast=False)
    assert said.startswith(f"{FIVE} 5 is the fewest with which every verdict on “success” is pos")
    assert for_verdict(one, forecast=True).startswith(f"{said} “What this design could find”")


def test_a_verdict_that_follows_the_difference_seen_says_so():
    seven = "7 training runs of each variant would probably decide it."
    one = OPEN | {"label": "undecided", "advice": seven, "more_runs": 7}
    assert for_verdict(one, forecast=True) == (
        "7 training runs of each variant would probably decide it: if the difference in “success” "
        "stays as it is (+12 points), they do in 80 % of cases."
    )
    for label, advice in (("supported", ""), ("undecided", "Ask more prompts.")):
        assert for_verdict(OPEN | {"label": label, "advice": advice}, forecast=True) == advice


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    """(page, Markdown, power.json) of an experiment of one training a variant."""
    root = tmp_path_factory.mktemp("single")
    arms = {name: ARMS[name] for name in ("all", "scrambled")} | {"plain": Arm(group=0.5)}
    made = reported.build(root, arms=arms, runs=1, seeds=(1, 2))
    spec = PowerSpec(
        experiment=made.spec.experiment,
        hypotheses=made.spec.hypotheses,
        runs={name: len(one.runs) for name, one in made.spec.variants.items()},
        prompt_sets={
            name: AskedPrompts(pictures=dict.fromkeys(texts, 2), asked=dict.fromkeys(texts, "A+J"))
            for name, texts in made.spec.prompt_sets.items()
        },
    )
    power = figures(spec, lambda *_: [])
    (made.results / "power.json").write_text(json.dumps(power))
    return *reported.run_report(made, root / "out"), power


def test_every_figure_on_the_page_says_what_it_is_for(single):
    page, markdown, power = single
    for text in (page, markdown):
        assert "To choose between these LoRAs: " in text
        assert "the fewest with which every verdict on “success” is possible" in text
        assert "would probably decide it" not in text
    told = [one for one in power["hypotheses"].values() if "runs of each" in one["warning"]]
    assert told
    for one in told:
        line = for_margin(one)
        assert line.startswith(one["warning"]) and line in markdown
        assert f"true difference of 20 points in “{one['measure']}” to be above the" in line
        assert line.endswith("margin of 10 points in 80 % of cases")


def test_a_design_that_falls_short_says_of_which_measure():
    one = {"warning": "its margin …", "measure": "cast", "needs": {"runs": 7}, "pilot": False}
    one |= {"margin": 0.1, "aim": 0.2, "unit": "points"}
    assert for_margin(one) == "its margin …: they find it in 80 % of cases in “cast”"
    assert for_margin(one | {"needs": {}}) == "its margin …"
    assert for_margin(one | {"warning": ""}) == ""
