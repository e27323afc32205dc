"""What was claimed when, and what is said when claims change afterwards."""

from __future__ import annotations

import json

import preregister as declare_program
from kindred.evidence.preregistration import (
    changes,
    current_declaration,
    declarations,
    note_comparison,
    preregister,
    read_log,
)
from kindred.specs.scoring import DeclareSpec
from kindred.training.start_marker import trainings_begun, write_start_marker

FIRST = {"h": {"claim": "a", "margin": 0.1, "variant_spec": "x", "prompts": {"card": "one"}}}
OTHER = {"h": {**FIRST["h"], "margin": 0.05}}


def test_the_same_declaration_is_written_once(tmp_path):
    log = tmp_path / "log.jsonl"
    first = preregister(log, FIRST, 0)
    assert preregister(log, FIRST, 5) == first
    assert len(read_log(log)) == 1
    preregister(log, OTHER, 5)
    preregister(log, FIRST, 5)
    assert [entry["trained"] for entry in declarations(read_log(log))] == [0, 5, 5]


def test_changes_before_training_are_free_and_later_ones_are_not(tmp_path):
    log = tmp_path / "log.jsonl"
    assert current_declaration(read_log(log)) is None
    preregister(log, FIRST, 0)
    before = preregister(log, OTHER, 0)
    preregister(log, FIRST, 2)
    assert current_declaration(read_log(log))["hash"] == before["hash"]


def test_after_results_were_seen_no_declaration_counts_as_made_before(tmp_path):
    """Also not when results/ was removed, so that nothing seems to be trained."""
    log = tmp_path / "log.jsonl"
    first = preregister(log, FIRST, 0)
    note_comparison(log)
    note_comparison(log)
    assert len(read_log(log)) == 2
    preregister(log, OTHER, 0)
    assert current_declaration(read_log(log))["hash"] == first["hash"]


def test_without_a_blind_declaration_the_first_stands(tmp_path):
    log = tmp_path / "log.jsonl"
    late = preregister(log, FIRST, 3)
    preregister(log, OTHER, 3)
    assert current_declaration(read_log(log))["hash"] == late["hash"]
    note_comparison(tmp_path / "nothing.jsonl")
    assert not (tmp_path / "nothing.jsonl").exists()


def test_changes_are_said_one_by_one():
    now = {"h": {"claim": "b", "margin": 0.05, "variant_spec": "y", "prompts": {}}, "k": {}}
    assert changes(FIRST, now) == [
        "k: added",
        "h: claim was a, is b",
        "h: margin was 0.1, is 0.05",
        "h: prompts changed",
        "h: settings of its variant changed",
    ]
    assert changes(now, {"h": now["h"]}) == ["k: removed"]
    assert changes(FIRST, FIRST) == []


def test_program_counts_what_is_trained(tmp_path):
    results = tmp_path / "results"
    (results / "all" / "run-1").mkdir(parents=True)
    (results / "all" / "run-1" / "lora.safetensors").touch()
    spec = DeclareSpec(hypotheses=FIRST).canonical()
    out, log = tmp_path / "declared.json", tmp_path / "log.jsonl"
    command = ["--spec", spec, "--results", str(results), "--log", str(log), "--out", str(out)]
    assert declare_program.main(command) == 0
    assert json.loads(out.read_text()) == read_log(log)[0]
    assert read_log(log)[0]["trained"] == 1


def test_a_training_that_has_begun_counts_before_anything_is_finished(tmp_path):
    results, log = tmp_path / "results", tmp_path / "log.jsonl"
    assert trainings_begun(results) == 0
    first = preregister(log, FIRST, trainings_begun(results))
    write_start_marker(results / "all" / "run-1")
    mark = (results / "all" / "run-1" / "begun.json").read_text()
    write_start_marker(results / "all" / "run-1")
    assert (results / "all" / "run-1" / "begun.json").read_text() == mark
    (results / "all" / "run-1" / "lora.safetensors").touch()
    (results / "all" / "run-2").mkdir()
    assert trainings_begun(results) == 1
    preregister(log, OTHER, trainings_begun(results))
    assert current_declaration(read_log(log))["hash"] == first["hash"]
