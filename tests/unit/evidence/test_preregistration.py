"""What was declared when, what is logged of each change, and what a log amounts to."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path

import pytest

from kindred.common import experiment_log
from kindred.common.chained_log import read_log
from kindred.common.experiment_log import NO_REASON, note_runs
from kindred.common.files import write_jsonl
from kindred.evidence.amendments import (
    amended,
    current_declaration,
    exploratory,
    hypothesis_changes,
    statement,
    summed_up,
    table,
)
from kindred.evidence.preregistration import (
    CARRIED,
    Found,
    design_of,
    preregister,
    runs_looked_at,
)
from kindred.specs.declaration import Declaration
from kindred.training.start_marker import trainings_begun, write_start_markers

HYPOTHESIS = {"claim": "a", "against": "BASE", "prompt_set": "trio", "margin": 0.1}
DESIGN = {
    "hypotheses": {
        "trio": {**HYPOTHESIS, "variant": "all"},
        "heads": {**HYPOTHESIS, "variant": "all", "prompt_set": "headshot"},
    },
    "variants": {"all": {"base": "lab", "runs": [1, 2, 3], "training": {"steps": 9}}, "BASE": {}},
    "prompt_sets": {
        "headshot": {"seeds": [1, 2], "prompts": {"J": {"text": "J"}}},
        "trio": {"seeds": [1, 2], "prompts": {"card": {"text": "J, A and C"}}},
    },
    "judge": {"kind": "lab"},
    "versions": {"score": "score 1"},
}
RUNS = {"all": [1, 2, 3]}
FILES = {"config/experiments/x.yaml": "1" * 64}


@pytest.fixture
def log(tmp_path) -> Path:
    return tmp_path / "declared" / "x.jsonl"


def declare(log: Path, *path: str, to: object = None, why: str = "", **found: object) -> list[dict]:
    """Declare the design, with the value under `path` another one."""
    design = copy.deepcopy(DESIGN)
    place = design
    for key in path[:-1]:
        place = place[key]
    if path:
        place[path[-1]] = to
    files = {"config/experiments/x.yaml": str(len(path)) * 64}
    return preregister(log, Declaration(design, RUNS, files, why), Found(**found))


def test_declared_once_and_an_unchanged_rerun_adds_nothing(log):
    first = declare(log)
    assert [one["kind"] for one in first] == ["declared"]
    assert first[0]["seen"] == "nothing" and first[0]["runs"] == RUNS
    assert design_of(first) == DESIGN
    before = log.read_bytes()
    assert declare(log) == first
    assert declare(log, begun=RUNS, looked=RUNS) == first
    assert log.read_bytes() == before
    assert statement(first) == f"declared {first[0]['time']}, unchanged since"


@pytest.mark.parametrize(
    ("path", "to", "before", "scope"),
    [
        (("hypotheses", "trio", "margin"), 0.3, 0.1, ["trio"]),
        (("hypotheses", "heads", "claim"), "b", "a", ["heads"]),
        (("prompt_sets", "trio", "prompts", "card", "text"), "A", "J, A and C", ["trio"]),
        (("prompt_sets", "headshot", "seeds"), [1], [1, 2], ["heads"]),
        (("prompt_sets", "trio", "width"), 192, None, ["trio"]),
        (("prompt_sets", "trio", "guidance_scale"), 2.5, None, ["trio"]),
        (("variants", "all", "training", "steps"), 18, 9, ["heads", "trio"]),
        (("variants", "all", "runs"), [1], [1, 2, 3], ["heads", "trio"]),
        (("judge", "recognised"), 0.6, None, ["heads", "trio"]),
        (("versions", "score"), "score 2", "score 1", ["heads", "trio"]),
    ],
)
def test_each_change_is_logged_with_before_and_after(log, path, to, before, scope):
    declare(log)
    entry = declare(log, *path, to=to)[-1]
    assert entry["kind"] == "amended" and entry["scope"] == scope
    assert entry["changes"][-1] == {"path": list(path), "before": before, "after": to}
    assert (entry["why"], entry["seen"]) == (NO_REASON, "nothing")
    assert len(declare(log, *path, to=to)) == 2
    back = declare(log, why="it was a slip")[-1]
    assert back["changes"][-1] == {"path": list(path), "before": to, "after": before}
    assert back["why"] == "it was a slip"
    assert design_of(read_log(log)) == DESIGN


def test_a_file_that_means_the_same_is_named_with_its_hashes(log):
    declare(log)
    other = Declaration(DESIGN, RUNS, {"config/experiments/x.yaml": "2" * 64})
    entries = preregister(log, other, Found())
    assert [row["what"] for row in entries[-1]["changes"]] == [
        "config/experiments/x.yaml: wording alone, the design is the same"
    ]
    assert (entries[-1]["changes"][0]["before"], entries[-1]["scope"]) == ("0" * 12, [])


def test_changes_before_training_are_free_and_later_ones_are_counted(log):
    declare(log)
    blind = declare(log, "judge", to={"kind": "other"})[-1]
    note_runs(log, "began", {"all": [1]})
    assert statement(read_log(log)) == f"declared {blind['time']}, unchanged since"
    entries = declare(log)
    assert current_declaration(entries)["time"] == blind["time"]
    assert (amended(entries), entries[-1]["seen"]) == (1, "nothing")
    assert statement(entries) == f"declared {blind['time']}, amended 1 time since"


def test_what_had_been_seen_follows_from_the_log(log):
    declare(log)
    note_runs(log, "looked", {"all": [1, 2]})
    assert declare(log, "versions", to={})[-1]["seen"] == "pilot"
    note_runs(log, "looked", {"all": [1, 2, 3]})
    assert declare(log)[-1]["seen"] == "results"
    assert [row["seen"] for row in table(read_log(log))] == ["nothing", "a pilot", "results"]


def test_runs_are_logged_once_after_each_change(log):
    note_runs(log, "began", RUNS)
    assert not log.exists()  # nothing was declared
    declare(log)
    for _ in range(2):
        note_runs(log, "began", {"all": [1, 2]})
    note_runs(log, "began", {"all": [2, 3]})
    assert [one["runs"] for one in read_log(log)[1:]] == [{"all": [1, 2]}, {"all": [3]}]
    declare(log, "judge", to={})
    note_runs(log, "began", {"all": [1]})
    assert read_log(log)[-1]["runs"] == {"all": [1]}


def test_a_declaration_after_trainings_or_figures_is_late(log, tmp_path):
    late = declare(log, begun={"all": [1, 2]})
    assert current_declaration(late)["trained"] == 2
    assert statement(late).endswith("when 2 of its trainings had begun")
    assert exploratory(late, RUNS) == {}
    other = tmp_path / "other.jsonl"
    seen = declare(other, begun=RUNS, looked=RUNS)
    assert seen[0]["seen"] == "results"
    assert {*exploratory(seen, RUNS)} == {"trio", "heads"}
    assert exploratory(seen, {"all": [4, 5, 6]}) == {}


def test_a_claim_changed_after_its_runs_were_seen_is_exploratory(log):
    declare(log)
    note_runs(log, "looked", RUNS)
    entries = declare(log, "prompt_sets", "headshot", "seeds", to=[1])
    assert {*exploratory(entries, RUNS)} == {"heads"}
    assert (
        "when results of the same runs of all had been seen" in exploratory(entries, RUNS)["heads"]
    )
    assert exploratory(entries, {"all": [3, 4]}) != {}
    assert exploratory(entries, {"all": [4, 5, 6]}) == {}


def test_a_table_says_number_date_change_seen_claims_and_reason(log):
    declare(log)
    note_runs(log, "published", RUNS)
    entries = declare(log, "prompt_sets", "headshot", "seeds", to=[1], why="six were too few")
    rows = table(entries)
    assert [row["number"] for row in rows] == ["1", "2", "3", "3"]
    assert [row["what"] for row in rows] == [
        "declared",
        "published",
        "prompt set headshot: prompts x seeds",
        "prompt set headshot: seeds",
    ]
    assert (rows[0]["after"], rows[2]["before"], rows[2]["after"]) == ("runs 1–3", "1 x 2", "1 x 1")
    assert rows[3] == {
        "number": "3",
        "date": entries[-1]["time"][:16].replace("T", " "),
        "what": "prompt set headshot: seeds",
        "before": "[1, 2]",
        "after": "[1]",
        "seen": "results",
        "claims": "heads",
        "why": "six were too few",
    }


def test_a_log_of_the_older_form_is_carried_over_once(log, tmp_path):
    old = tmp_path / "old.jsonl"
    claims = {"trio": {**HYPOTHESIS, "variant": "all", "prompts": {"card": "J"}}}
    other = {"trio": {**claims["trio"], "margin": 0.2}}
    stamp = "2026-11-25T00:3{}:00Z".format
    write_jsonl(
        old,
        [
            {"time": stamp(0), "hash": "a", "hypotheses": claims, "trained": 0},
            {"compared": stamp(1)},
            {"time": stamp(2), "hash": "b", "hypotheses": other, "trained": 3},
        ],
    )
    now = Declaration(DESIGN, RUNS, FILES)
    entries = preregister(log, now, Found(), old)
    kinds = [(one["kind"], one["time"]) for one in entries[:3]]
    assert kinds == [("declared", stamp(0)), ("looked", stamp(1)), ("amended", stamp(2))]
    assert entries[2]["changes"] == [
        {"path": ["hypotheses", "trio", "margin"], "before": 0.1, "after": 0.2}
    ]
    assert [one["seen"] for one in entries[2:]] == ["results", "results"]
    assert (entries[3]["kind"], entries[3]["why"], len(entries)) == ("declared", CARRIED, 4)
    assert current_declaration(entries)["hypotheses"] == claims
    assert statement(entries) == (
        f"declared {stamp(0)}, declared again {entries[3]['time']}, amended 1 time since"
    )
    assert {*exploratory(entries, RUNS)} == {"trio", "heads"}  # of which runs, nobody wrote down
    assert preregister(log, now, Found(), old) == entries


def test_changes_of_hypotheses_are_said_one_by_one():
    first = {"h": {"claim": "a", "margin": 0.1, "variant_spec": "x", "prompts": {"card": "one"}}}
    now = {"h": {"claim": "b", "margin": 0.05, "variant_spec": "y", "prompts": {}}, "k": {}}
    assert hypothesis_changes(first, now) == [
        "k: added",
        "h: claim was a, is b",
        "h: margin was 0.1, is 0.05",
        "h: prompts changed",
        "h: settings of its variant changed",
    ]
    assert hypothesis_changes(now, {"h": now["h"]}) == ["k: removed"]
    assert hypothesis_changes(first, first) == []


def test_a_training_that_begins_leaves_its_mark_and_is_logged(tmp_path, log, monkeypatch):
    declare(log)
    results = tmp_path / "results" / "x"
    folders = [results / "all" / f"run-{run}" for run in (1, 2)]
    write_start_markers(folders[:1])  # not by Snakemake: nothing is logged
    assert len(read_log(log)) == 1
    monkeypatch.setitem(os.environ, experiment_log.LOGS_VARIABLE, str(log.parent))
    mark = (folders[0] / "begun.json").read_text()
    write_start_markers(folders)
    assert (folders[0] / "begun.json").read_text() == mark
    (results / "all" / "run-5").mkdir()
    assert trainings_begun(results) == {"all": [1, 2]}
    began = read_log(log)[-1]
    assert (began["kind"], began["runs"]) == ("began", {"all": [1, 2]})


def test_figures_that_are_there_say_which_runs_were_looked_at(tmp_path):
    assert runs_looked_at(tmp_path) == {}
    variants = {"all": {"kind": "trained", "runs": [1, 2]}, "BASE": {"kind": "base", "runs": [1]}}
    (tmp_path / "summary.json").write_text(json.dumps({"variants": variants}))
    assert runs_looked_at(tmp_path) == {"all": [1, 2]}


def test_a_log_without_any_hypothesis_claims_nothing(log):
    for hypotheses, said in (({}, ""), (DESIGN["hypotheses"], "declared ")):
        path = log.with_name(f"{len(hypotheses)}.jsonl")
        declare(path, "hypotheses", to=hypotheses)
        told = summed_up(read_log(path), RUNS)
        assert told["statement"].startswith(said) and bool(told["statement"]) == bool(said)
        assert bool(told["hash"]) == bool(said) and len(told["table"]) == 1
    assert summed_up([], RUNS)["statement"] == "not declared: no log was kept"
