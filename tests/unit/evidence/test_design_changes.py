"""Changes of a design: found value by value, said in words, and which claims they touch."""

from __future__ import annotations

import pytest

from kindred.evidence.design_changes import changes_between, rows_of, scope_of, with_changes

DESIGN = {
    "hypotheses": {
        "heads": {"variant": "all", "against": "BASE", "prompt_set": "headshot", "margin": 0.1},
        "trio": {"variant": "all", "against": "few", "prompt_set": "trio", "margin": 0.1},
    },
    "variants": {
        "all": {"base": "lab", "datasets": ["russell"], "runs": [1, 2], "training": {"steps": 9}},
        "few": {"base": "small", "datasets": ["okorie"], "runs": [1, 2], "training": {"steps": 9}},
        "unasked": {"base": "lab", "datasets": ["russell"], "runs": [1, 2]},
        "BASE": {"base": "lab", "datasets": []},
    },
    "prompt_sets": {
        "headshot": {"seeds": [1, 2, 3, 4], "prompts": {"J": {"text": "headshot of J"}}},
        "trio": {"seeds": [1], "prompts": {"card": {"text": "J, A and C"}}},
    },
    "judge": {"kind": "lab"},
    "bases": {"lab": {"version": "a"}, "small": {"version": "a"}},
    "datasets": {"russell": {"seed": 1}, "okorie": {"seed": 1}},
    "versions": {"score": "score 1"},
}


def changed(path: list[str], value: object) -> dict:
    return with_changes(DESIGN, [{"path": path, "before": 0, "after": value}])


@pytest.mark.parametrize(
    ("path", "value", "what", "claims"),
    [
        (["hypotheses", "trio", "margin"], 0.2, "hypothesis trio: margin", ["trio"]),
        (["variants", "few", "training", "steps"], 18, "variant few: training steps", ["trio"]),
        (["variants", "all", "runs"], [1], "variant all: runs", ["heads", "trio"]),
        (["variants", "unasked", "runs"], [1], "variant unasked: runs", []),
        (["prompt_sets", "headshot", "seeds"], [1], "prompt set headshot: seeds", ["heads"]),
        (["prompt_sets", "trio", "width"], 192, "prompt set trio: width", ["trio"]),
        (["judge", "recognised"], 0.6, "judge recognised", ["heads", "trio"]),
        (["bases", "small", "version"], "b", "base small: version", ["trio"]),
        (["datasets", "okorie", "seed"], 2, "dataset okorie: seed", ["trio"]),
        (["versions", "score"], "score 2", "version of score", ["heads", "trio"]),
    ],
)
def test_each_value_is_said_with_the_claims_that_it_touches(path, value, what, claims):
    changes = changes_between(DESIGN, changed(path, value))
    before = DESIGN
    for key in path:
        before = before.get(key) if before else None
    assert changes[-1] == {"path": path, "before": before, "after": value}
    assert [change.get("path", path) for change in changes] == [path] * len(changes)
    assert rows_of(changes)[-1]["what"] == what
    assert scope_of(changes, DESIGN) == claims
    assert with_changes(DESIGN, changes) == changed(path, value)


def test_many_prompts_are_one_row_and_their_number():
    names = ["J", *(f"J-{n}" for n in range(8))]
    more = changed(["prompt_sets", "headshot", "prompts"], {n: {"text": n} for n in names})
    forth, back = changes_between(DESIGN, more), changes_between(more, DESIGN)
    counted, text, came = rows_of(forth)
    assert counted == {
        "what": "prompt set headshot: prompts x seeds",
        "before": "1 x 4",
        "after": "9 x 4",
    }
    assert text["what"] == "prompt set headshot: prompts J text"
    assert came == {
        "what": "prompt set headshot: prompts",
        "before": "–",
        "after": "8: J-0, J-1, J-2, J-3, J-4, J-5 and 2 more",
    }
    assert rows_of(back)[2] == {**came, "before": came["after"], "after": "–"}
    assert scope_of(forth, DESIGN) == ["heads"]
    assert with_changes(DESIGN, forth) == more and with_changes(more, back) == DESIGN


def test_variants_that_changed_alike_are_one_row():
    after = changed(["variants", "all", "training", "steps"], 18)
    after["variants"]["few"]["training"]["steps"] = 18
    after["variants"]["unasked"]["runs"] = [1]
    rows = rows_of(changes_between(DESIGN, after))
    assert rows == [
        {"what": "variants all, few: training steps", "before": "9", "after": "18"},
        {"what": "variant unasked: runs", "before": "[1, 2]", "after": "[1]"},
    ]


def test_what_is_not_on_this_computer_is_no_change():
    unknown = {**DESIGN, "bases": {**DESIGN["bases"], "lab": {"version": None}}}
    assert changes_between(DESIGN, unknown) == []


def test_a_hypothesis_that_came_or_went_is_in_scope():
    gone = with_changes(DESIGN, [{"path": ["hypotheses", "trio"], "before": 0, "after": None}])
    changes = changes_between(DESIGN, gone)
    assert rows_of(changes)[0]["after"] == "–"
    assert scope_of(changes, gone) == ["trio"] == scope_of(changes, DESIGN)


def test_long_values_are_cut_in_a_table_alone():
    changes = changes_between(DESIGN, changed(["hypotheses", "trio", "claim"], "word " * 100))
    assert len(rows_of(changes)[0]["after"]) <= 90
    assert changes[0]["after"] == "word " * 100
    long = "Nobody is left out. " * 5
    (row,) = rows_of(
        [{"path": ["hypotheses", "h", "claim"], "before": long + "a", "after": long + "b"}]
    )
    assert (row["before"], row["after"]) == ("…a", "…b")
    (row,) = rows_of([{"what": "a rule", "before": long, "after": "other"}])
    assert row == {"what": "a rule", "before": long.strip(), "after": "other"}
