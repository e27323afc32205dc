"""What is said of an experiment's design, hypothesis by hypothesis."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import power
from kindred.config.load_plan import load_plan
from kindred.evidence import power_figures
from kindred.evidence.pilot_variances import Pilot
from kindred.evidence.power_figures import beyond, design_of, figures, warnings
from kindred.evidence.power_words import HEADINGS, amount, row, runs_said, table
from kindred.specs.power import AskedPrompts, PowerSpec
from kindred.specs.scoring import Hypothesis
from kindred.workflow.scoring_specs import power_spec

REPOSITORY = Path(__file__).parents[3]
CASTS = AskedPrompts(
    pictures={f"{cast}.{n}": 2 for cast in range(12) for n in range(8)},
    asked={f"{cast}.{n}": f"cast {cast}" for cast in range(12) for n in range(8)},
    casts=True,
)


def spec_of(runs: dict[str, int], **hypotheses: Hypothesis) -> PowerSpec:
    return PowerSpec(
        experiment="mine", hypotheses=hypotheses, runs=runs, prompt_sets={"casts": CASTS}
    )


def claim(**given) -> Hypothesis:
    told = {"claim": "b is better", "variant": "b", "against": "a", "prompt_set": "casts"}
    return Hypothesis(**told | {"measure": "cast"} | given)


def nothing(prompt_set: str, measure: str) -> list[Pilot]:
    return []


def test_ten_runs_decide_a_margin_of_ten_and_five_do_not():
    ten = figures(spec_of({"a": 10, "b": 10}, main=claim()), nothing)
    found = ten["hypotheses"]["main"]
    assert (found["prompts"], found["casts"], found["pictures"]) == (96, 12, 192)
    assert found["finds"] == pytest.approx(0.09, abs=0.01)
    assert found["finds_beyond"] == pytest.approx(0.19, abs=0.01)
    assert found["decides"] and found["needs"] == {} and found["cure"] == ""
    assert found["label_equivalence"]["x"] == 0.10 and found["equivalence"] < 0.10
    assert found["label_equivalence"]["power"] > 0.8
    assert warnings(ten) == []
    five = figures(spec_of({"a": 5, "b": 5}, main=claim()), nothing)
    assert not five["hypotheses"]["main"]["decides"]
    assert five["hypotheses"]["main"]["needs"]["runs"] == 7
    (warning,) = warnings(five)
    assert warning.startswith("config/experiments/mine.yaml: hypotheses.main: its margin of 10 ")
    assert "true difference of 20 points" in warning and "-> 7 runs of each variant or " in warning
    wider = figures(spec_of({"a": 5, "b": 5}, main=claim(margin=0.15)), nothing)
    assert warnings(wider) == []
    assert five["hypotheses"]["main"]["label_equivalence"]["x"] == 0.15  # below ten runs


def test_primaries_are_corrected_for_their_number():
    four = {f"h{n}": claim() for n in range(4)} | {"beside": claim(primary=False)}
    found = figures(spec_of({"a": 10, "b": 10}, **four), nothing)
    assert found["primaries"] == 4
    levels = {name: one["level"] for name, one in found["hypotheses"].items()}
    assert levels["h0"] == levels["h3"] == 0.9875 and levels["beside"] == 0.95
    assert found["hypotheses"]["h0"]["finds"] > found["hypotheses"]["beside"]["finds"]
    assert "as one of 4 primary hypotheses" in found["hypotheses"]["h0"]["sentence"]
    assert "as one of" not in found["hypotheses"]["beside"]["sentence"]
    assert "Corrected for 4 primary hypotheses" in table(found)


def test_two_runs_are_a_pilot_and_one_tells_nothing():
    two = figures(spec_of({"a": 2, "b": 10}, main=claim()), nothing)["hypotheses"]["main"]
    assert two["pilot"] and two["finds"] and "a pilot: 2 training runs" in two["warning"]
    one = figures(spec_of({"a": 1, "b": 10}, main=claim()), nothing)["hypotheses"]["main"]
    assert one["pilot"] and one["finds"] is None and one["equivalence"] is None
    assert "one training of a variant gives figures, neither" in one["warning"]
    assert "one training" in row("main", one) and "pilot" in row("main", two)
    assert "7 runs of each variant would do" in one["warning"]
    three = figures(spec_of({"a": 3, "b": 3}, main=claim(margin=0.3)), nothing)
    assert three["hypotheses"]["main"]["decides"]
    assert three["hypotheses"]["main"]["label_equivalence"] is None
    several = {"main": claim(margin=0.3), "other": claim(margin=0.3)}
    two_of_three = figures(spec_of({"a": 3, "b": 3}, **several), nothing)["hypotheses"]["main"]
    assert two_of_three["pilot"] and two_of_three["needs"] == {
        "runs": 5,
        "prompts": None,
        "both": None,
    }
    base = figures(spec_of({"a": 0, "b": 10}, main=claim()), nothing)["hypotheses"]["main"]
    assert not base["pilot"] and base["finds"] and base["runs"] == [10, 0]


def test_arms_with_the_same_adapters_find_more_when_they_are_declared_paired():
    found = figures(
        spec_of({"a": 5, "b": 5}, apart=claim(primary=False), same=claim(paired=True)), nothing
    )["hypotheses"]
    assert found["same"]["finds"] < found["apart"]["finds"] - 0.01


def test_of_likeness_nothing_is_known_without_a_pilot():
    spec = spec_of({"a": 5, "b": 5}, alike=claim(measure="identity"))
    found = figures(spec, nothing)["hypotheses"]["alike"]
    assert found["variances"] == "unknown" and "finds" not in found and found["warning"] == ""
    assert "not known beforehand" in found["sentence"] and "two runs" in found["cure"]
    assert row("alike", found).count("unknown") == 5 and len(row("alike", found)) == len(HEADINGS)
    prompts = {name: 0.1 * (n % 3) for n, name in enumerate(CASTS.pictures)}
    seen = Pilot(
        "docs/old",
        {"a": [0.5, 0.6, 0.55]},
        {"a": prompts, "b": dict.fromkeys(prompts, 0.4)},
        frozenset(prompts),
    )
    known = figures(spec, lambda *_: [seen])["hypotheses"]["alike"]
    assert known["variances"] == "docs/old" and 0 < known["finds"] < known["finds_beyond"]
    assert known["unit"] == "units" and "0.10" in known["sentence"]
    other = Pilot("docs/old", seen.runs, seen.prompts, frozenset({"other"}))
    assert "finds" not in figures(spec, lambda *_: [other])["hypotheses"]["alike"]


def test_a_pilot_of_shares_moves_the_model_s_variances():
    prompts = {"a": dict.fromkeys(CASTS.pictures, 0.5), "b": dict.fromkeys(CASTS.pictures, 0.7)}
    calm = Pilot("x", {"a": [0.5] * 9, "b": [0.7] * 9}, prompts, frozenset(CASTS.pictures))
    wild = Pilot("y", {"a": [0.1, 0.9] * 4, "b": [0.7] * 2}, prompts, calm.names)
    spec = spec_of({"a": 5, "b": 5}, main=claim())
    found = [
        figures(spec, lambda *_, seen=seen: seen)["hypotheses"]["main"]
        for seen in ([calm], [], [wild])
    ]
    finds = [one["finds"] for one in found]
    assert finds[0] < finds[1] < finds[2]
    assert [one["mean"] for one in found] == pytest.approx([0.6, 0.55, 0.6])
    assert [one["variances"] for one in found] == ["x", "model", "y"]


def test_strata_are_casts_and_people_alone():
    alone = AskedPrompts(
        pictures=dict.fromkeys("abcd", 3), asked=dict(zip("abcd", "JJAA", strict=1))
    )
    design = design_of((2, 3), alone)
    assert design.strata and not design.macro and design.casts == (2, 2) and design.pictures == 3
    groups = AskedPrompts(pictures={"a": 1, "b": 1}, asked={"a": "A+J", "b": "C+J"})
    assert not design_of((2, 3), groups).strata
    assert design_of((2, 3), CASTS).strata
    of_casts, of_pictures = (
        power_figures._case(spec_of({"a": 2, "b": 3}), claim(measure=name), 0.95, nothing).design
        for name in ("cast", "success")
    )
    assert of_casts.macro and not of_pictures.macro


def test_what_a_margin_is_tried_with():
    assert beyond(0.10, 0.96) == pytest.approx(0.20)
    assert beyond(0.0, 0.96) == pytest.approx(0.10)
    assert beyond(0.50, 0.96) == pytest.approx(0.70)
    assert beyond(0.90, 0.96) == pytest.approx(0.93)


def test_words():
    assert amount(0.174, "points") == "17 points" and amount(0.174, "units") == "0.17"
    assert amount(None, "points") == "none" and amount(0.174, "points", with_unit=False) == "17"
    assert (
        runs_said([10, 10]) == "10" and runs_said([10, 2]) == "10, 2" and runs_said([0, 0]) == "-"
    )


def test_the_default_experiment_trains_once_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    experiment = load_plan(REPOSITORY, {"experiments": ["family"]}).experiments["family"]
    out = tmp_path / "power.json"
    told = ["--spec", power_spec(experiment).canonical(), "--results", str(tmp_path)]
    assert power.main([*told, "--docs", str(REPOSITORY / "docs/findings"), "--out", str(out)]) == 0
    said = capsys.readouterr().err
    assert experiment.hypotheses
    for name in experiment.hypotheses:
        assert f"warning: config/experiments/family.yaml: hypotheses.{name}: one training " in said
    found = json.loads(out.read_text())
    assert found["hypotheses"].keys() == experiment.hypotheses.keys()
    assert power.main(["--show", str(out)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("family: what this design finds in 80 % of cases")
    assert shown.count(" one training ") == len(experiment.hypotheses)


def test_a_variant_that_no_hypothesis_is_about_changes_nothing():
    experiment = load_plan(REPOSITORY, {"experiments": ["coverage"]}).experiments["coverage"]
    spec = power_spec(experiment)
    about = {name for h in experiment.hypotheses.values() for name in (h.variant, h.against)}
    assert spec.runs.keys() == about and len(about) < len(experiment.variants)
    assert spec.prompt_sets["trio"].pictures["beach"] == 8
    assert spec.prompt_sets["headshot"].asked["J-park"] == "J"


def test_the_command_line_wants_all_it_needs():
    with pytest.raises(SystemExit):
        power.main(["--spec", "{}"])
