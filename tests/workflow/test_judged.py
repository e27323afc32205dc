"""Scores, verdicts and the report in real Snakemake: what is made, and what a change makes anew."""

from __future__ import annotations

import json

import pytest
import tiny_judge
from workspace import EXPERIMENT_FILE, Workspace

from kindred.common.chained_log import read_log

pytestmark = pytest.mark.workflow

JUDGE_FILE = "config/judges/tiny.yaml"
VARIANTS = ["BASE", "both", "only-J"]
FIGURES = "tiny: what its design can find"
COMPARED = ["tiny: figures and verdicts", "tiny: report"]
SCORES = [f"tiny: scores of solo by {name}, run 1" for name in VARIANTS]
JUDGED = [
    "tiny: hypotheses",
    "tiny: reference photos of everybody",
    "tiny: vectors of ours",
    *SCORES,
    *COMPARED,
]


def test_a_judge_adds_these_jobs(built_judged: Workspace):
    planned = (built_judged.root.parent / "judged.jobs").read_text().splitlines()
    assert planned == sorted([FIGURES, *JUDGED])


def test_results_lie_where_the_layout_says(judged: Workspace):
    folder = judged.root / "results/tiny"
    verdict = json.loads((folder / "verdicts.json").read_text())["hypotheses"]["counts"]
    assert verdict["label"] == "one training"
    for variant in VARIANTS:
        assert (folder / variant / "run-1/scores/solo.csv").exists()
    for name in ("scores.csv", "summary.json", "declared.json", "power.json", "report.html"):
        assert (folder / name).exists(), name
    assert (folder / "references.json").exists()
    assert "What this design could find" in (folder / "report.html").read_text()
    assert judged.jobs() == []


def test_composites_added_are_vectors_of_their_own_and_score_only_who_meets_them(
    judged: Workspace,
):
    joined = "  joined: {compose: {cells: [A+J], per_cell: 2}}\nprompt_sets:\n"
    judged.replace(EXPERIMENT_FILE, "judge: tiny\n", "")
    judged.replace(EXPERIMENT_FILE, "\nbase: tiny", "\njudge: tiny\nbase: tiny")
    judged.replace(EXPERIMENT_FILE, "hypotheses:\n", joined.replace("prompt_sets", "hypotheses"))
    jobs = judged.jobs()
    assert len([job for job in jobs if job.startswith("tiny: vectors of ours-composed-")]) == 1
    assert "tiny: vectors of ours" not in jobs
    # The base is compared with all that anybody is trained on.
    scored = [f"tiny: scores of solo by {name}, run 1" for name in ("BASE", "joined")]
    assert [job for job in jobs if "scores of" in job] == scored
    assert not [job for job in jobs if "training both" in job or "solo by both" in job]


def test_another_threshold_scores_again_and_draws_nothing(judged: Workspace):
    judged.replace(JUDGE_FILE, "kind: lab", "recognised: 0.6\nkind: lab")
    assert judged.jobs() == sorted(JUDGED)


def test_another_model_under_the_same_name_scores_again(judged: Workspace):
    tiny_judge.build(judged.root / "judge", seed=1)
    assert judged.jobs() == sorted(JUDGED)


@pytest.mark.long
def test_a_judge_with_thresholds_draws_strangers_and_trains_nothing(judged: Workspace):
    judged.replace(JUDGE_FILE, "kind: lab\nmodel: judge", "kind: photo")
    jobs = judged.jobs()
    strangers = [job for job in jobs if "strangers" in job]
    name = strangers[0].removeprefix("class pictures of ")
    assert name.startswith("strangers-tiny-man+woman-")
    assert strangers == [
        f"class pictures of {name}",
        f"class prompts of {name}",
        "tiny: thresholds by strangers that the base draws",
    ]
    assert jobs == sorted([*JUDGED, *strangers])
    judged.run(f"resources/{name}/class.json")
    assert "144 pictures, 0 in the store, 144 drawn" in judged.log(f"prior/{name}.pictures")


@pytest.mark.long
def test_another_margin_only_compares_and_is_said(judged: Workspace):
    judged.replace(EXPERIMENT_FILE, "measure: count", "margin: 0.3\n    measure: count")
    assert judged.jobs() == sorted([FIGURES, "tiny: hypotheses", *COMPARED])
    judged.run()
    verdicts = json.loads((judged.root / "results/tiny/verdicts.json").read_text())
    assert verdicts["declared"]["changes"] == ["counts: margin was 0.1, is 0.3"]
    log = read_log(judged.root / "config/declared/tiny.jsonl")
    assert [entry["kind"] for entry in log] == ["declared", "looked", "amended", "looked"]
    (change,) = log[2]["changes"]
    assert change == {"path": ["hypotheses", "counts", "margin"], "before": None, "after": 0.3}
    assert (log[2]["seen"], log[2]["why"]) == ("pilot", "no reason given")
    assert judged.jobs() == []


@pytest.mark.long
def test_a_reason_is_given_on_the_command_line_and_nothing_more_is_run_for_it(judged: Workspace):
    assert judged.jobs("--config", "why=tried") == []
    judged.replace(JUDGE_FILE, "kind: lab", "recognised: 0.6\nkind: lab")
    judged.run("--config", "why=half was too strict")
    entry = read_log(judged.root / "config/declared/tiny.jsonl")[2]
    assert (entry["kind"], entry["why"]) == ("amended", "half was too strict")
    assert entry["changes"] == [{"path": ["judge", "recognised"], "before": None, "after": 0.6}]
    assert judged.jobs() == []


def test_ratings_only_compare(judged: Workspace):
    scores = (judged.root / "results/tiny/both/run-1/scores/solo.csv").read_text()
    key = scores.splitlines()[1].split(",")[8]
    file = judged.root / "config/experiments/tiny.ratings.csv"
    file.write_text(f"rater,key,rating\nann,{key},3\n")
    assert judged.jobs() == sorted(COMPARED)
    judged.run()
    summary = json.loads((judged.root / "results/tiny/summary.json").read_text())
    assert summary["ratings"]["raters"] == ["ann"]
    file.write_text("rater,key,rating\nann,nothing,3\n")
    assert "rates 1 picture, but none that this experiment has" in judged.run(fails=True)


def test_a_judge_that_is_not_there_is_said_and_nothing_else_is_lost(judged: Workspace):
    for file in (judged.root / "judge").iterdir():
        file.unlink()
    said = judged.run(fails=True)
    assert "judge: there is no model in judge. It comes with the repository" in said
    assert (judged.root / "results/tiny/both/run-1/lora.safetensors").exists()


@pytest.mark.long
def test_a_picture_lost_from_the_store_is_drawn_again(judged: Workspace):
    manifest = json.loads((judged.root / "results/tiny/both/run-1/images/solo.json").read_text())
    lost = judged.root / manifest["images"][0]["path"]
    before = lost.read_bytes()
    lost.unlink()
    told = judged.run("--forcerun", "score")
    assert "1 of the files that it names are gone" in told and "1 in the store, 1 drawn" in told
    assert lost.read_bytes() == before
