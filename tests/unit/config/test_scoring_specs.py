"""Which slice of an experiment goes to scoring, comparing and declaring."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kindred.common.errors import ProblemsError
from kindred.config import declaration
from kindred.config.load_plan import load_plan
from kindred.config.plan import Plan
from kindred.evidence import comparison
from kindred.workflow import scoring_specs

EXPERIMENT = """
title: t
characters:
  J: {name: JRussell, class: man, age: adult}
  A: {name: ARussell, class: woman}
datasets:
  ours: {lab: {family: russell, coverage: "J: 1, A: 1"}}
base: tiny
recipe: tiny
judge: tiny
variants:
  all: {runs: 2}
  again: {from: all, first_run: 11}
  mixed: {from: all, control: {pairing: scrambled}}
  only-J: {characters: [J]}
  both: {adapters: {all: 1.0, only-J: 0.5}}
prompt_sets:
  solo: {prompts: {J: "headshot of {J}"}, seeds: 2, size: [64, 64]}
  plain: {prompts: [a man, "{J}"], seeds: 1, size: [64, 64]}
hypotheses:
  h: {claim: c, variant: all, against: only-J, prompt_set: solo}
"""
FILES = {
    "config/config.yaml": "experiments: [e]\n",
    "config/bases/tiny.yaml": "model: base\n",
    "config/recipes/tiny.yaml": "rank: 2\n",
    "config/judges/tiny.yaml": "kind: lab\nmodel: judge\n",
    "config/experiments/e.yaml": EXPERIMENT,
}


def plan(root: Path, *changes: tuple[str, str, str]) -> Plan:
    for file, text in FILES.items():
        for where, old, new in changes:
            if where == file:
                assert old in text
                text = text.replace(old, new)
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)
    return load_plan(root)


def experiment(root: Path, *changes: tuple[str, str, str]):
    return plan(root, *changes).experiments["e"]


E, J = "config/experiments/e.yaml", "config/judges/tiny.yaml"


def slices(planned: Plan) -> dict[str, str]:
    e = planned.experiments["e"]
    return {
        "references": scoring_specs.reference_spec(e).canonical(),
        "score": scoring_specs.score_spec(e, "all", "solo").canonical(),
        "compare": scoring_specs.compare_spec(e).canonical(),
        "declare": declaration.design_hash(planned, "e"),
        "train": e.variants["all"].spec,
    }


@pytest.mark.parametrize(
    ("change", "reached"),
    [
        ((E, "title: t", "title: other"), {"compare"}),
        ((E, "claim: c", "claim: d"), {"compare", "declare"}),
        ((E, "prompt_set: solo", "prompt_set: solo, margin: 0.2"), {"compare", "declare"}),
        (
            (J, "kind: lab", "recognised: 0.7\nkind: lab"),
            {"references", "score", "compare", "declare"},
        ),
        ((E, "seeds: 2", "seeds: 3"), {"declare"}),
        ((E, "size: [64, 64]", "size: [64, 80]"), {"declare"}),
        ((E, "age: adult", "age: child"), set()),
        ((E, '"headshot of {J}"', '"portrait of {J}"'), {"compare", "declare"}),
        ((E, "only-J: {", "more: {rank: 3}\n  only-J: {"), {"compare", "declare"}),
        ((E, "title: t", "title: t # a comment"), set()),
    ],
)
def test_a_change_reaches_what_depends_on_it(tmp_path, change, reached):
    before = slices(plan(tmp_path / "a"))
    after = slices(plan(tmp_path / "b", change))
    assert {name for name in before if before[name] != after[name]} == reached


def test_kinds_and_controls_are_recognised(tmp_path):
    found = scoring_specs.compare_spec(experiment(tmp_path)).variants
    kinds = {name: (v.kind, v.control) for name, v in found.items()}
    assert kinds == {
        "all": ("trained", ""),
        "again": ("trained", "null of all"),
        "mixed": ("trained", "scrambled of all"),
        "only-J": ("trained", ""),
        "both": ("loaded", ""),
        "BASE": ("base", "base"),
    }
    assert {name: v.only for name, v in found.items() if v.only} == {"only-J": "J"}
    assert found["again"].runs == [11, 12]
    assert found["all"].spec == found["again"].spec != found["mixed"].spec
    assert found["both"].dataset is None and found["all"].dataset == "ours"


def test_the_same_runs_again_are_no_control(tmp_path):
    alike = (E, "again: {from: all, first_run: 11}", "again: {from: all}")
    spec = scoring_specs.compare_spec(experiment(tmp_path / "a", alike))
    assert spec.variants["again"].control == ""
    (warning,) = comparison.shared_runs(spec)
    assert warning.startswith("variants.again: trains the same as all") and "first_run" in warning
    assert comparison.shared_runs(scoring_specs.compare_spec(experiment(tmp_path / "b"))) == []
    overlapping = (E, "first_run: 11", "first_run: 2")
    found = scoring_specs.compare_spec(experiment(tmp_path / "c", overlapping)).variants
    assert found["again"].control == "" and found["again"].runs == [2, 3]
    with pytest.raises(ProblemsError, match=r"first_run` \(e\.g\. 101\) under variants\.again"):
        plan(tmp_path / "d", alike, (E, "against: only-J", "against: again"))


def test_drift_needs_the_base_only_where_a_prompt_names_nobody(tmp_path):
    e = experiment(tmp_path)
    assert scoring_specs.plain_pictures(e, "all", "plain") == [
        "results/e/BASE/run-1/images/plain.json"
    ]
    assert scoring_specs.plain_pictures(e, "all", "solo") == []
    assert scoring_specs.plain_pictures(e, "BASE", "plain") == []
    assert scoring_specs.plain_pictures(e, "both", "plain")


def test_files_of_scores_and_ratings(tmp_path):
    e = experiment(tmp_path)
    files = scoring_specs.scores_of(e)
    runs = {"all": 2, "again": 2, "mixed": 2, "only-J": 1, "both": 1, "BASE": 1}
    assert {name: len(v.runs) for name, v in e.variants.items()} == runs
    assert len(files) == len(set(files)) == 2 * sum(runs.values())
    assert "results/e/again/run-12/scores/plain.csv" in files
    assert scoring_specs.ratings_of("e", tmp_path) == []
    for name in ("e.ratings.csv", "e.ratings-bob.csv", "other.ratings.csv"):
        (tmp_path / "config/experiments" / name).touch()
    assert scoring_specs.ratings_of("e", tmp_path) == [
        "config/experiments/e.ratings-bob.csv",
        "config/experiments/e.ratings.csv",
    ]


def test_judges_that_are_wrong_or_missing_are_explained(tmp_path):
    with pytest.raises(ProblemsError) as error:
        plan(tmp_path / "a", (E, "judge: tiny", "judge: tinny"))
    assert "no file config/judges/tinny.yaml. Did you mean 'tiny'?" in str(error.value)
    with pytest.raises(ProblemsError) as error:
        plan(tmp_path / "b", (E, "judge: tiny\n", ""))
    assert "hypotheses: need a judge, and none is set" in str(error.value)
    with pytest.raises(ProblemsError) as error:
        plan(tmp_path / "c", (J, "kind: lab", "kind: lap\nrecognized: 1"))
    assert "tiny.yaml" in str(error.value) and "Did you mean 'recognised'?" in str(error.value)


def test_without_a_judge_nothing_is_judged(tmp_path):
    text = EXPERIMENT.replace("judge: tiny\n", "").split("hypotheses:")[0]
    found = plan(tmp_path, (E, EXPERIMENT, text))
    assert scoring_specs.judged(found) == []
    assert found.experiments["e"].references == ["ours"]


def test_references_come_from_declared_photos_where_nothing_is_trained(tmp_path):
    e = experiment(tmp_path)
    assert e.photos == ("ours",)
    base_alone = replace(e, variants={"BASE": e.variants["BASE"]}, hypotheses={})
    assert base_alone.datasets == [] and base_alone.references == ["ours"]
    assert scoring_specs.reference_spec(base_alone).datasets == ["ours"]


def test_copies_are_looked_for_among_what_a_variant_is_trained_on(tmp_path):
    found = scoring_specs.compare_spec(experiment(tmp_path)).variants
    told = {
        name: [part.model_dump(exclude_unset=True) for part in v.trained_on]
        for name, v in found.items()
    }
    own = {"dataset": "ours"}
    of_j = {"dataset": "ours", "selection": {"characters": ["J"]}}
    assert told == {
        "all": [own],
        "again": [own],
        "mixed": [own],
        "only-J": [of_j],
        "both": [own, of_j],
        "BASE": [own],
    }


def test_drawn_photos_have_an_album_that_nothing_is_trained_on(tmp_path):
    found = plan(tmp_path / "a")
    one, album = found.experiments["e"], found.datasets["ours-held-out"]
    assert {v.held_out[0] for v in scoring_specs.compare_spec(one).variants.values()} == {
        album.name
    }
    assert album.lab.seed != found.datasets["ours"].lab.seed
    assert album.lab.coverage == found.datasets["ours"].lab.coverage
    assert album.preprocess == found.datasets["ours"].preprocess
    assert one.datasets == one.references == ["ours"]
    files = {f"results/e/vectors/{name}.json" for name in ("ours", "ours-held-out")}
    assert set(scoring_specs.vectors_compared(one)) == files
    assert scoring_specs.vectors_trained_on(one, "BASE") == ["results/e/vectors/ours.json"]
    without = EXPERIMENT[EXPERIMENT.index("hypotheses:") :]
    unjudged = plan(tmp_path / "b", (E, "judge: tiny\n", ""), (E, without, ""))
    assert set(unjudged.datasets) == {"ours"}


def test_the_name_of_the_other_album_is_taken(tmp_path):
    mine = (
        E,
        "datasets:\n",
        'datasets:\n  ours-held-out: {lab: {family: russell, coverage: "J: 1"}}\n',
    )
    only = (E, "base: tiny", "dataset: ours\nbase: tiny")
    with pytest.raises(ProblemsError, match="the name 'ours-held-out' is needed"):
        plan(tmp_path, mine, only)


def test_composites_are_looked_at_and_photos_of_a_person_s_own_have_no_other_album(tmp_path):
    (tmp_path / "mine").mkdir()
    mine = (E, '{lab: {family: russell, coverage: "J: 1, A: 1"}}', "{source: mine}")
    made = (E, "all: {runs: 2}", "all: {runs: 2, compose: {cells: [A+J]}}")
    one = plan(tmp_path, mine, made).experiments["e"]
    (composed,) = {part.dataset for part in one.trained_on("all")}
    assert composed.startswith("ours-composed-")
    assert [part.dataset for part in one.trained_on("BASE")] == sorted([composed, "ours"])
    assert one.held_out == {} and one.held_out_for("all") == []


def test_dealt_captions_are_a_control_of_the_same_training(tmp_path):
    one = experiment(tmp_path, (E, "pairing: scrambled", "pairing: dealt"))
    assert scoring_specs.compare_spec(one).variants["mixed"].control == "scrambled of all"
