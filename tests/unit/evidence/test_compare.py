"""From score files to figures and verdicts, on made-up experiments with planted effects."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from synthetic import ARMS, PROMPTS, Arm, Made, compared, make

from kindred.common.errors import KindredError, ProblemsError
from kindred.evidence.hypothesis_tests import HypothesisTest
from kindred.evidence.intervals import Estimate
from kindred.evidence.preregistration import Found, preregister
from kindred.evidence.score_grids import Cell, ImageIndex, ScoreGrid
from kindred.evidence.summary import single_lora_variants
from kindred.evidence.variance import Part
from kindred.evidence.variant_statistics import measures, scopes
from kindred.evidence.verdict_sentences import sentence
from kindred.scoring.score_table import COLUMNS, read_scores
from kindred.specs.declaration import Declaration
from kindred.specs.measures import MEASURES
from kindred.specs.scoring import Hypothesis

MANY = {f"t{n}": f"JRussell, ARussell and CRussell, picture {n}" for n in range(12)}
LARGE = {"headshot": PROMPTS["headshot"], "trio": MANY}


def read(made: Made, name: str) -> Any:
    return json.loads((made.results / name).read_text())


def claim(variant: str, against: str, **changes: Any) -> Hypothesis:
    given = {"claim": "It is better.", "prompt_set": "trio"} | changes
    return Hypothesis(variant=variant, against=against, **given)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The usual made-up experiment, compared once."""
    return compared(make(tmp_path_factory.mktemp("whole"), pictures=False))


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Eight runs with clear effects."""
    arms = {
        "good": Arm(group=0.95, count=0.97, run_sd=0.2),
        "bad": Arm(group=0.6, count=0.7, run_sd=0.2),
        "good-again": Arm(group=0.95, count=0.97, run_sd=0.2, control="null of good"),
        "BASE": ARMS["BASE"],
    }
    hypotheses = {
        "better": claim("good", "bad"),
        "worse": claim("bad", "good"),
        "same": claim("good-again", "good", primary=False, margin=0.2),
        "over-base": claim("good", "BASE"),
        "likeness": claim("good", "bad", measure="identity"),
    }
    root = tmp_path_factory.mktemp("large")
    return compared(make(root, arms, runs=8, prompts=LARGE, hypotheses=hypotheses, pictures=False))


def test_planted_differences_are_decided(large):
    found = read(large, "verdicts.json")["hypotheses"]
    assert found["better"]["label"] == "supported"
    assert found["better"]["low"] > 0.10
    assert found["worse"]["label"] == "contradicted" and found["worse"]["beyond"]
    assert "it is the other way, by more than the margin" in found["worse"]["sentence"]
    assert found["over-base"]["label"] == "supported"
    assert found["over-base"]["estimate"]["against"]["mean"] < 0.1
    assert found["likeness"]["label"] == "supported"
    assert found["likeness"]["odds_ratio"] is None
    assert found["better"]["odds_ratio"]["low"] > 1
    for entry in (found["better"], found["worse"]):
        assert entry["advice"] == "" and entry["more_runs"] is None
        assert entry["resampled"] == "prompts" and entry["pairs"] == 48


def test_the_same_variant_again_reads_as_no_difference(large):
    found = read(large, "verdicts.json")["hypotheses"]["same"]
    assert found["label"] == "no difference" and found["equivalence"]["x"] == 0.2
    assert found["label_words"] == "No difference larger than 20 points"
    assert found["sentence"].startswith("No difference larger than 20 points. Pictures in which")
    assert 0 < found["equivalence"]["shown"] < 0.2


def test_verdicts_are_corrected_for_the_number_of_primaries(large):
    found = read(large, "verdicts.json")["hypotheses"]
    primary = [entry for entry in found.values() if entry["primary"]]
    assert len(primary) == 4
    assert all(entry["p_adjusted"] >= entry["p"] for entry in primary)
    levels = sorted(entry["adjusted"]["level"] for entry in primary)
    assert levels == pytest.approx([1 - 0.05 / left for left in (1, 2, 3, 4)], abs=1e-4)
    assert found["same"]["p_adjusted"] == found["same"]["p"]
    for entry in primary:
        wide = entry["adjusted"]
        assert wide["low"] <= entry["low"] and wide["high"] >= entry["high"]


def test_sentences_give_the_numbers_in_words(large):
    text = read(large, "verdicts.json")["hypotheses"]["better"]["sentence"]
    assert text.startswith("Supported. Pictures in which everyone asked for is there")
    assert "8 training runs each" in text and "margin of 10 points" in text
    text = read(large, "verdicts.json")["hypotheses"]["over-base"]["sentence"]
    assert "8 training runs;" in text


def decided(value: float, variance: float, left: int = 1, **changes: Any) -> HypothesisTest:
    """Ten runs each and ten degrees of freedom; `left` of three primary hypotheses."""
    estimate = Estimate(value, Part(variance, 10), "prompts")
    arms = (
        Estimate(0.5 + value / 2, Part(0.01, 9), ""),
        Estimate(0.5 - value / 2, Part(0.01, 9), ""),
    )
    given: dict[str, Any] = {"runs": (10, 10), "arms": arms, "left": left, "primaries": left}
    return HypothesisTest(claim("good", "bad"), estimate, **given | changes)


def test_sentences_argue_with_the_interval_that_decides():
    """A difference that would be supported alone, and is not as one of three."""
    text = sentence(decided(0.345, 0.01))
    assert text.startswith("Supported.") and "correct" not in text
    assert text.endswith("; the interval lies above the margin of 10 points.")
    text = sentence(decided(0.345, 0.01, left=3))
    assert text.startswith("Undecided.")
    assert "(95 % interval +12 to +57 points; after correction for 3 hypotheses +6 to +63 " in text
    assert text.endswith(
        "; the corrected interval decides nothing: a difference is there, but perhaps one below "
        "10 points."
    )
    text = sentence(decided(0.9, 0.01, left=3))
    assert text.endswith("; the corrected interval lies above the margin of 10 points.")


def test_labels_are_read_from_the_interval_that_decides():
    """Within the margin, or below 0, at 95 %, but not after the correction."""
    for value, variance, label in ((0.0, 0.0025, "no difference"), (-0.24, 0.01, "contradicted")):
        assert decided(value, variance).label.name == label
        assert decided(value, variance, left=3).label.name == "undecided"


def test_a_failed_control_concludes_nothing():
    one = decided(0.9, 0.01, control_failed=True)
    assert one.label.name == "control failed"
    assert "a control of this experiment read wrong" in sentence(one)


def test_product_of_the_parts_stands_beside_success(large):
    part = read(large, "summary.json")["variants"]["good"]["parts"]["trio"]
    alone = part["alone"]
    product = part["count"] * alone["A"] * alone["C"] * alone["J"]
    assert part["product"] == pytest.approx(product, abs=2e-4)
    assert part["interaction"] == pytest.approx(part["success"] - product, abs=3e-4)
    assert "headshot" not in read(large, "summary.json")["variants"]["good"]["parts"]


def test_summary_holds_what_the_rows_say(whole):
    summary = read(whole, "summary.json")
    rows = [row for row in read_scores(whole.scores("all", 1, "trio")) if row["kind"] == "image"]
    rows += [row for run in (2, 3) for row in read_scores(whole.scores("all", run, "trio"))]
    images = [row for row in rows if row["kind"] == "image"]
    mean = sum(int(row["success"]) for row in images) / len(images)
    variant = summary["variants"]["all"]
    stat = variant["measures"]["success"]["set:trio"]
    assert stat["mean"] == pytest.approx(mean, abs=1e-4)
    assert 0 <= stat["low"] < mean < stat["high"] <= 1
    assert stat["runs"] == 3 and stat["images"] == len(images)
    assert variant["images"] == sum(
        len(prompts) * 4 * 3 for prompts in whole.spec.prompt_sets.values()
    )
    assert set(variant["measures"]["success"]) == {
        *("all", "set:headshot", "set:pair", "set:trio", "asked:1", "asked:2", "asked:3"),
        *("cell:A", "cell:C", "cell:J", "cell:A+C", "cell:A+J", "cell:C+J", "cell:A+C+J"),
    }
    assert set(variant["measures"]["pull"]) == {"all", "set:plain"}
    assert variant["training"]["steps"] == 60
    both = sum(int(row["success"]) * float(row["adherence"]) for row in images) / len(images)
    fulfilled = variant["measures"]["fulfilled"]["set:trio"]
    assert fulfilled["mean"] == pytest.approx(both, abs=1e-4) and both < mean
    assert summary["baseline"] == "all"
    assert summary["judge"]["trusted"] is True
    assert summary["prompt_sets"]["pair"]["prompts"]["A-J"]["asked"] == "A+J"


def test_bleed_counts_every_appearance_asked_for(whole):
    found = read(whole, "summary.json")["variants"]
    bleed = found["scrambled"]["bleed"]
    assert bleed["found"] == ["A", "C", "J", "stranger", "missing"]
    assert all(sum(row) == pytest.approx(1, abs=1e-3) for row in bleed["shares"])
    asked = read_scores(whole.scores("scrambled", 1, "trio"))
    images = sum(row["kind"] == "image" for row in asked)
    assert bleed["appearances"] == [3 * (images + 4 + 2 * 4)] * 3
    diagonal = [found["all"]["bleed"]["shares"][n][n] for n in range(3)]
    assert min(diagonal) > max(bleed["shares"][n][n] for n in range(3))


def test_identity_by_number_of_people(whole):
    found = read(whole, "summary.json")["variants"]["all"]["identity"]
    assert set(found) == {"A", "C", "J"}
    assert set(found["J"]) == {"1", "2", "3"}
    assert found["J"]["1"]["images"] == 12


def test_likeness_is_told_as_a_share_of_a_lora_of_their_own(tmp_path, whole):
    arms = {
        "BASE": ARMS["BASE"],
        "all": Arm(alone=0.95, group=0.6, count=1.0),
        "only-J-broken": Arm(alone=0.3, control="scrambled", only="J"),
        "only-J": Arm(alone=1.0, group=0.9, only="J"),
        "only-J-zoom": Arm(alone=0.8, only="J"),
        "only-A": Arm(alone=0.0, only="A"),
    }
    many = {"headshot": PROMPTS["headshot"], "trio": MANY}
    found = read(compared(make(tmp_path, arms, prompts=many, pictures=False)), "summary.json")
    assert found["own"] == {"A": "only-A", "J": "only-J"}
    for name, variant in found["variants"].items():
        assert set(variant["of_own"]) == {"J"}, name  # of A's own nothing can be a share
    own = found["variants"]["only-J"]["identity"]["J"]["1"]["mean"]
    for size in ("1", "3"):
        share = found["variants"]["all"]["of_own"]["J"][size]
        identity = found["variants"]["all"]["identity"]["J"][size]
        assert share["mean"] == pytest.approx(identity["mean"] / own, abs=2e-4)
        assert share["low"] < share["mean"] < share["high"]
        assert share["images"] == identity["images"]
    assert found["variants"]["only-J"]["of_own"]["J"]["1"]["mean"] == 1
    assert found["variants"]["only-J"]["only"] == "J" and found["variants"]["all"]["only"] is None
    assert read(whole, "summary.json")["own"] == {}


def test_a_lora_of_their_own_is_of_the_baseline_s_base_and_photos(tmp_path):
    arms = {"all": Arm(), "b": Arm(only="J"), "c": Arm(only="J"), "a": Arm(only="J")}
    spec = make(tmp_path, arms, runs=1, pictures=False, hypotheses={"x": claim("b", "all")}).spec

    def own(**changes: dict[str, str]) -> dict[str, str]:
        variants = {n: v.model_copy(update=changes.get(n, {})) for n, v in spec.variants.items()}
        return single_lora_variants(spec.model_copy(update={"variants": variants}))

    assert own() == {"J": "a"}
    assert own(a={"dataset": "other"}) == {"J": "b"}
    assert own(a={"dataset": "other"}, b={"base": "other"}) == {"J": "c"}
    assert own(a={"only": None}, b={"only": None}, c={"only": None}) == {}
    alone = {"characters": {"J": spec.characters["J"]}}
    assert single_lora_variants(spec.model_copy(update=alone)) == {}


def test_a_mark_of_one_run_gives_shares_without_an_interval(tmp_path):
    arms = {"all": Arm(), "only-J": Arm(alone=1.0, only="J")}
    many = {"headshot": PROMPTS["headshot"], "trio": MANY}
    made = make(tmp_path, arms, runs=1, prompts=many, pictures=False, hypotheses={})
    share = read(compared(made), "summary.json")["variants"]["all"]["of_own"]["J"]["3"]
    assert share["mean"] > 0 and share["low"] is None and share["high"] is None


def test_controls_are_read(large, whole):
    found = {row["kind"]: row for row in read(large, "summary.json")["controls"]}
    assert found["null"]["passes"] is True and found["null"]["x"] < 0.15
    assert "no difference larger than 15 points" in found["null"]["sentence"]
    assert found["base"]["passes"] is True
    scrambled = [
        row for row in read(whole, "summary.json")["controls"] if row["kind"] == "scrambled"
    ]
    assert scrambled[0]["passes"] is True and scrambled[0]["difference"] < -0.3


def test_broken_training_is_looked_for_where_the_baseline_succeeds(tmp_path):
    able = {"all": Arm(alone=0.95, group=0.05, run_sd=0.1), "BASE": ARMS["BASE"]}
    made = compared(make(tmp_path / "able", able, 4, prompts=LARGE, pictures=False))
    (control,) = read(made, "summary.json")["controls"]
    assert control["prompt_set"] == "headshot" and control["passes"] is True
    useless = {"all": Arm(alone=0.05, group=0.05, run_sd=0.1), "BASE": ARMS["BASE"]}
    made = compared(make(tmp_path / "useless", useless, 4, prompts=LARGE, pictures=False))
    (control,) = read(made, "summary.json")["controls"]
    assert control["passes"] is None and "hardly ever right" in control["sentence"]


def test_names_are_tested_where_fewest_are_asked_for(tmp_path):
    """Whoever draws everybody at every prompt is right about the trio, and knows no name."""
    arms = {
        "all": Arm(alone=0.8, group=0.97, run_sd=0.1),
        "nameless": Arm(alone=0.1, group=0.97, run_sd=0.1, control="scrambled of all"),
    }
    made = compared(make(tmp_path / "able", arms, 4, prompts=LARGE, pictures=False))
    (control,) = read(made, "summary.json")["controls"]
    assert control["prompt_set"] == "headshot" and control["passes"] is True
    arms["all"] = Arm(alone=0.02, group=0.97, run_sd=0.1)
    made = compared(make(tmp_path / "groups", arms, 10, prompts=LARGE, pictures=False))
    (control,) = read(made, "summary.json")["controls"]
    assert control["prompt_set"] == "trio" and control["passes"] is False


def test_controls_of_one_run_ask_runs_only_of_what_is_trained(tmp_path):
    arms = {name: ARMS[name] for name in ("all", "scrambled", "BASE")}
    made = compared(make(tmp_path, arms, 1, hypotheses={}, pictures=False))
    found = {row["kind"]: row["sentence"] for row in read(made, "summary.json")["controls"]}
    assert found["base"] == (
        "BASE is no control yet: all was trained once, and two trainings are needed."
    )
    assert found["scrambled"] == "scrambled is no control yet: it and all need two trainings each."


def test_intervals_stay_within_the_scale_of_their_measure():
    """Two runs far apart: Student's t with one degree of freedom reaches far."""
    cells = [Cell("trio", f"p{n}", 1, ("A", "C")) for n in range(6)]
    pictures = ImageIndex(cells)
    apart = np.array([[0.1] * 6, [0.9] * 6])
    names = (*MEASURES, "identity:A")
    grid = ScoreGrid([1, 2], dict.fromkeys(names, apart), np.zeros((1, 3), dtype=int))
    table = measures(grid, False, pictures, scopes(pictures, ["trio"]))
    for name in ("missing", "rating", "adherence"):
        assert (table[name]["all"]["low"], table[name]["all"]["high"]) == (0, 1), name
    assert table["identity"]["all"]["low"] < 0 and table["identity"]["all"]["high"] > 1
    grid.values["adherence"] = apart - 0.2  # a cosine
    table = measures(grid, False, pictures, scopes(pictures, ["trio"]))
    assert table["adherence"]["all"]["low"] < 0


def test_every_variant_is_compared_with_the_baseline(whole):
    rows = read(whole, "summary.json")["comparisons"]
    assert {row["variant"] for row in rows} == set(ARMS) - {"all"}
    assert {row["against"] for row in rows} == {"all"}


def test_all_rows_come_together(whole):
    with open(whole.results / "scores.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    images = [row for row in rows if row["kind"] == "image"]
    variants = read(whole, "summary.json")["variants"]
    assert len(images) == sum(variant["images"] for variant in variants.values())


def test_one_run_an_arm_gives_numbers_however_clear(tmp_path):
    arms = {"good": Arm(group=0.99, count=0.99), "bad": Arm(group=0.05, count=0.3)}
    hypotheses = {"h": claim("good", "bad")}
    made = compared(make(tmp_path, arms, 1, prompts=LARGE, hypotheses=hypotheses, pictures=False))
    found = read(made, "verdicts.json")["hypotheses"]["h"]
    assert found["label"] == "one training"
    assert found["sentence"].startswith("One training. Pictures in which everyone")
    assert "shows nothing of how much trainings differ" in found["sentence"]
    assert found["advice"] == "Train each variant at least 5 times."


def test_two_runs_are_a_pilot_that_says_how_many_would_do(tmp_path):
    arms = {
        "good": Arm(group=0.9, count=0.95, run_sd=0.8),
        "bad": Arm(group=0.75, count=0.85, run_sd=0.8),
    }
    hypotheses = {"h": claim("good", "bad")}
    made = compared(make(tmp_path, arms, 2, prompts=LARGE, hypotheses=hypotheses, pictures=False))
    found = read(made, "verdicts.json")["hypotheses"]["h"]
    assert found["label"] == "pilot" and found["label_words"] == "Pilot"
    assert found["more_runs"] is None or found["more_runs"] >= 5
    assert found["advice"]


def test_few_prompts_are_said(whole):
    made = read(whole, "verdicts.json")["hypotheses"]["names-matter"]
    assert made["resampled"] == "prompts" and made["warnings"] == []


def test_hypothesis_on_three_prompts_is_about_these(tmp_path):
    hypotheses = {"h": claim("all", "scrambled", prompt_set="headshot")}
    made = compared(make(tmp_path, runs=2, hypotheses=hypotheses, pictures=False))
    found = read(made, "verdicts.json")["hypotheses"]["h"]
    assert found["resampled"] == "pictures"
    assert found["warnings"] == [
        "3 prompts only: the verdict is about these, not about prompts in general."
    ]


@pytest.fixture(scope="module")
def small_made(tmp_path_factory):
    """Two variants, two runs. Nobody may change them."""
    root = tmp_path_factory.mktemp("small")
    arms = {name: ARMS[name] for name in ("all", "scrambled")}
    hypotheses = {
        "seen": claim("all", "scrambled", measure="rating"),
        "main": claim("all", "scrambled"),
    }
    return make(root, arms, 2, hypotheses=hypotheses, pictures=False)


@pytest.fixture
def small(small_made, tmp_path):
    """A copy of them, whose files may be changed."""
    shutil.copytree(small_made.root, tmp_path, dirs_exist_ok=True)
    return Made(tmp_path, small_made.spec)


def test_what_nobody_measured_is_said(small):
    compared(small)
    found = read(small, "verdicts.json")["hypotheses"]["seen"]
    assert found["label"] == "not measured" and found["difference"] is None
    assert found["sentence"].startswith("Not measured: no picture of 'trio'")
    assert "rating page" in found["advice"]


def test_ratings_become_a_measure_with_agreement(small, tmp_path, capsys):
    ratings = tmp_path / "ratings.csv"
    lines = ["rater,key,rating"]
    for variant, grade in (("all", 3), ("scrambled", 1)):
        for run in (1, 2):
            rows = read_scores(small.scores(variant, run, "trio"))
            keys = [row["key"] for row in rows if row["kind"] == "image"]
            lines += [f"ann,{key},{grade}" for key in keys]
            lines += [f"bob,{key},{grade if n % 4 else 2}" for n, key in enumerate(keys)]
    lines.append("ann,unknown-picture,2")
    ratings.write_text("\n".join(lines) + "\n")
    compared(small, "--ratings", str(ratings))
    found = read(small, "verdicts.json")["hypotheses"]["seen"]
    assert found["label"] == "pilot" and found["difference"] == pytest.approx(0.875)
    part = read(small, "summary.json")["ratings"]
    assert part["raters"] == ["ann", "bob"]
    assert 0.5 < part["alpha"] < 1
    assert part["judge"]["auc"] > 0.6
    assert "1 rated picture is not in this experiment" in capsys.readouterr().err
    assert read(small, "summary.json")["variants"]["all"]["measures"]["rating"]["set:trio"]["mean"]


def declared(made: Made) -> Declaration:
    """Its hypotheses, written down."""
    return Declaration({"hypotheses": made.spec.resolved_hypotheses()}, {}, {})


def test_hypotheses_changed_after_training_are_said(small, tmp_path):
    log = tmp_path / "log.jsonl"
    preregister(log, declared(small), Found())
    compared(small, "--declared", str(log))
    assert read(small, "verdicts.json")["declared"]["changes"] == []
    changed = {**small.spec.hypotheses, "main": claim("all", "scrambled", margin=0.02)}
    other = replace(small, spec=small.spec.model_copy(update={"hypotheses": changed}))
    compared(other, "--declared", str(log))
    said = read(other, "verdicts.json")["declared"]
    assert said["changes"] == ["main: margin was 0.1, is 0.02"]
    found = read(other, "verdicts.json")["hypotheses"]
    assert found["main"]["warnings"][0] == (
        "Not as declared before training: margin was 0.1, is 0.02."
    )
    assert not any("declared" in text.lower() for text in found["seen"]["warnings"])
    compared(other)
    assert read(other, "verdicts.json")["declared"] is None


def test_a_declaration_after_training_is_said(small, tmp_path):
    log = tmp_path / "log.jsonl"
    preregister(log, declared(small), Found(begun={"all": [1, 2, 3, 4]}))
    compared(small, "--declared", str(log))
    found = read(small, "verdicts.json")
    assert found["declared"]["trained"] == 4
    for entry in found["hypotheses"].values():
        assert entry["warnings"][0] == "Declared when 4 trainings had begun already."


def test_a_judge_below_its_gates_is_not_to_be_trusted(small):
    path = small.results / "references.json"
    facts = json.loads(path.read_text())
    facts["gates"]["failures"] = ["count: 0.900 is below 0.98"]
    path.write_text(json.dumps(facts))
    compared(small)
    assert read(small, "summary.json")["judge"]["trusted"] is False
    found = read(small, "verdicts.json")
    assert found["judge"]["why"] == ["count: 0.900 is below 0.98"]
    assert "not to be trusted" in found["hypotheses"]["main"]["warnings"][0]
    facts["gates"] = {"measured": False, "figures": {}, "failures": []}
    path.write_text(json.dumps(facts))
    compared(small)
    assert read(small, "summary.json")["judge"]["trusted"] is None


def test_a_judge_of_faces_does_not_speak_of_people(small):
    path = small.results / "references.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"counts": "faces"}))
    hypotheses = {"count": claim("all", "scrambled", measure="count")}
    faces = replace(small, spec=small.spec.model_copy(update={"hypotheses": hypotheses}))
    compared(faces)
    found = read(faces, "verdicts.json")["hypotheses"]["count"]
    assert "pictures with the right number of faces" in found["sentence"].lower()
    assert any("who looks away is missed" in warning for warning in found["warnings"])


def test_every_score_file_that_does_not_fit_is_named(small):
    small.scores("all", 1, "trio").unlink()
    old = small.scores("all", 2, "pair")
    old.write_text(old.read_text().replace("people_found", "people"))
    other = small.scores("scrambled", 1, "pair")
    other.write_text(other.read_text().replace("0123456789ab", "ffffffffffff"))
    with pytest.raises(ProblemsError) as error:
        compared(small)
    text = str(error.value)
    assert "all/run-1/scores/trio.csv: no such file" in text
    assert "all/run-2/scores/pair.csv: contains scores of another version" in text
    assert (
        "scrambled/run-1/scores/pair.csv: was scored by another judge or with other references"
        in text
    )
    assert len(error.value.problems) == 3
    assert not (small.results / "verdicts.json").exists()


def test_pictures_that_one_arm_lacks_are_left_out_and_said(small):
    path = small.scores("scrambled", 1, "trio")
    for run in (1, 2):
        path = small.scores("scrambled", run, "trio")
        rows = path.read_text().splitlines()
        path.write_text("\n".join(r for r in rows if ",card,1," not in r) + "\n")
    compared(small)
    found = read(small, "verdicts.json")["hypotheses"]["main"]
    assert found["dropped"] == 1 and found["pairs"] == 23
    assert "1 picture that one variant lacks is left out." in found["warnings"]


def test_equal_inputs_give_equal_files(small, tmp_path):
    compared(small)
    names = ("scores.csv", "summary.json", "verdicts.json")
    first = {name: (small.results / name).read_bytes() for name in names}
    shutil.rmtree(small.results)
    again = make(tmp_path, {n: ARMS[n] for n in ("all", "scrambled")}, 2, pictures=False)
    compared(replace(again, spec=small.spec))
    assert first == {name: (small.results / name).read_bytes() for name in names}


def test_an_experiment_without_hypotheses_has_figures_all_the_same(tmp_path):
    made = compared(make(tmp_path, {"all": ARMS["all"]}, 1, hypotheses={}, pictures=False))
    assert read(made, "verdicts.json")["hypotheses"] == {}
    assert read(made, "summary.json")["variants"]["all"]["measures"]["success"]["all"]["mean"] > 0


def test_spec_mistakes_are_explained(tmp_path):
    import compare

    with pytest.raises(KindredError, match="unknown key"):
        compare.main(
            [
                *("--spec", '{"experimnt": "x"}', "--results", str(tmp_path)),
                *("--references", "r", "--scores", "s", "--summary", "u", "--verdicts", "v"),
            ]
        )
