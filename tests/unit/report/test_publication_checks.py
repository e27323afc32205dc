"""What publishing refuses: each reason by itself, with its place and cure."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from kindred.common.errors import Problem, Problems
from kindred.evidence.amendments import hypothesis_changes
from kindred.report.publication_checks import Publication, check, figures_of

HYPOTHESIS = {"primary": True, "label": "supported", "claim": "Names matter."}
PROMPTS = {"card": {"text": "J, A and C", "asked": "A+C+J"}}


def line(variant: str, run: str, success: str = "0.5", prompt_set: str = "trio") -> dict[str, str]:
    figures = {"pictures": "4", "success": success, "identity": "0.6"}
    return {"variant": variant, "run": run, "prompt_set": prompt_set, **figures}


RUNS = [line(name, run) for name in ("all", "scrambled") for run in ("1", "2")]


def problems_of(tmp_path: Any, **changed: Any) -> list[Problem]:
    """What is refused of a publication that is right but for what is changed."""
    verdicts = {"hypotheses": {"names": HYPOTHESIS}, "pairing": "by prompt", "rules": "compare 1"}
    variants = {"all": {"control": ""}, "scrambled": {"control": "scrambled of all"}}
    given = {
        "experiment": {"name": "x", "judge": SimpleNamespace(kind="lab"), "casts": {}},
        "summary": {"variants": variants, "prompt_sets": {"trio": {"prompts": PROMPTS}}},
        "verdicts": verdicts,
        "runs": RUNS,
        "page": "# A page",
        "entries": [],
        "power": {"hypotheses": {"names": {"runs": 10}}},
    }
    for name, value in changed.items():
        given[name] = {**given[name], **value} if isinstance(value, dict) else value
    power, experiment = given.pop("power"), SimpleNamespace(**given.pop("experiment"))
    if power:
        (tmp_path / "power.json").write_text(json.dumps(power))
    problems = Problems("x is not published")
    check(Publication(experiment=experiment, results=tmp_path, **given), problems)
    return problems.found


def only(problems: list[Problem]) -> tuple[str, str, str]:
    (problem,) = problems
    return problem.where, problem.what, problem.cure


def published(*lines: dict[str, str]) -> dict[str, Any]:
    runs = {name: [int(run) for run in own] for name, own in figures_of(lines).items()}
    time = "2026-11-24T22:38:57Z"
    return {"kind": "published", "time": time, "runs": runs, "figures": figures_of(lines)}


def test_what_is_right_is_not_refused(tmp_path):
    assert problems_of(tmp_path) == []


def test_runs_that_were_published_are_refused_with_other_figures_alone(tmp_path):
    assert problems_of(tmp_path, entries=[published(*RUNS)]) == []
    assert problems_of(tmp_path, entries=[published(line("all", "7"), line("gone", "1"))]) == []
    before = published(line("all", "1"), line("all", "2", "0.9"), line("all", "30"))
    where, what, cure = only(problems_of(tmp_path, entries=[before]))
    assert where == "config/experiments/x.yaml: variants.all"
    assert what == "runs 2 were published on 2026-11-24 with different figures"
    assert cure == "train it again with new run numbers (`first_run: 31`)"


def test_a_prompt_set_that_is_new_for_old_runs_is_refused(tmp_path):
    more = [*RUNS, *(line(one["variant"], one["run"], prompt_set="new") for one in RUNS)]
    prompts = {"trio": {"prompts": PROMPTS}, "new": {"prompts": PROMPTS}}
    found = problems_of(
        tmp_path, runs=more, entries=[published(*RUNS)], summary={"prompt_sets": prompts}
    )
    assert [one.where.rpartition(".")[2] for one in found] == ["all", "scrambled"]
    assert all("runs 1–2 were published" in one.what for one in found)


@pytest.mark.parametrize("power", [None, {"hypotheses": {"other": {"variant": "names"}}}])
def test_primaries_without_their_power_are_refused(tmp_path, power):
    found = only(refused_with(tmp_path, power))
    assert found[0] == str(tmp_path / "power.json")
    assert found[1] == "has no power for these primary hypotheses: names"
    assert "snakemake power --config experiments=x" in found[2]
    secondary = {"hypotheses": {"names": {**HYPOTHESIS, "primary": False}}}
    assert problems_of(tmp_path, power=None, verdicts=secondary) == []


def refused_with(tmp_path: Any, power: Any) -> list[Problem]:
    """What is refused with this power.json, or with none."""
    if power:
        (tmp_path / "power.json").write_text(json.dumps(power))
    return problems_of(tmp_path, power=None)


@pytest.mark.parametrize("key", ["pairing", "rules"])
def test_primaries_without_pairing_or_rules_are_refused(tmp_path, key):
    where, what, _ = only(problems_of(tmp_path, verdicts={key: ""}))
    assert where == str(tmp_path / "verdicts.json") and f"hypotheses lack `{key}`" in what
    secondary = {"hypotheses": {"names": {**HYPOTHESIS, "primary": False}}}
    assert problems_of(tmp_path, verdicts={key: "", **secondary}) == []


def test_a_group_without_scrambled_is_refused(tmp_path):
    alone = {"variants": {"all": {"control": ""}}}
    where, what, cure = only(problems_of(tmp_path, summary=alone))
    assert where == "config/experiments/x.yaml: prompt_sets.trio"
    assert what.startswith("has figures of a group, but no training on scrambled captions")
    assert "pairing: scrambled" in cure
    pair = {"prompt_sets": {"trio": {"prompts": {"two": {"asked": "A+C"}, "none": {"asked": ""}}}}}
    assert problems_of(tmp_path, summary=alone | pair) == []
    found = problems_of(tmp_path, summary=alone | pair, experiment={"casts": {"trio": {}}})
    assert only(found)[1].startswith("has figures of casts, but no training on scrambled captions")


def test_the_word_refuted_is_refused_wherever_it_stands(tmp_path):
    label = {"hypotheses": {"names": {**HYPOTHESIS, "label": "refuted"}}}
    assert only(problems_of(tmp_path, verdicts=label))[1] == "the label of names is 'refuted'"
    claim = {"hypotheses": {"names": {**HYPOTHESIS, "claim": "It must be refuted."}}}
    where, what, _ = only(problems_of(tmp_path, verdicts=claim))
    assert (where, what) == ("config/experiments/x.yaml: hypotheses.names.claim", "says 'refuted'")
    found = only(problems_of(tmp_path, page="# Refuted: names"))
    assert found[:2] == (str(tmp_path / "report.md"), "says 'refuted'")
    assert problems_of(tmp_path, page="# irrefuted") == []


def test_what_a_claim_said_before_may_be_quoted(tmp_path):
    was = {"names": {"claim": "It must be refuted."}}
    (said,) = hypothesis_changes(was, {"names": {"claim": "No difference is expected."}})
    assert problems_of(tmp_path, page=f"- Mind: {said}") == []
    assert only(problems_of(tmp_path, page=f"- Mind: {said} It is refuted."))[1] == "says 'refuted'"


def test_labels_on_photos_are_refused(tmp_path):
    photos = {"judge": SimpleNamespace(kind="photo")}
    where, what, cure = only(problems_of(tmp_path, experiment=photos))
    assert where == "config/experiments/x.yaml: judge"
    assert (
        "can't run all of these tests yet" in what
        and ("publish only figures: remove `hypotheses:`") in cure
    )
    assert problems_of(tmp_path, experiment=photos, verdicts={"hypotheses": {}}) == []
