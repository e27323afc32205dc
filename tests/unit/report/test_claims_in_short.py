"""What stands below the title of a report: what became of the claims."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from kindred.evidence import labels
from kindred.report.claims_in_short import NOTHING, InShort, claims_in_short


def hypothesis(label, claim="Composites help.\n", **given):
    return {
        **{"claim": claim, "label": label, "label_words": label.capitalize(), "primary": True},
        **{"variant": "composed", "against": "all", "measure": "cast", "difference": 0.25},
        "adjusted": {"low": 0.05, "high": 0.45},
        "equivalence": {"low": 0.12, "high": 0.38},
        "estimate": {"variant": {"mean": 0.71}, "against": {"mean": 0.46}},
        **given,
    }


def in_short(chosen=False, trusted=None, variants=None, late=(), **hypotheses) -> InShort:
    summary = {"judge": {"trusted": trusted, "counts": "people"}}
    verdicts = {"declared": {"exploratory": dict.fromkeys(late, "")}}
    given = {"hypotheses": hypotheses, "variants": variants or {}}
    return claims_in_short(SimpleNamespace(summary=summary, verdicts=verdicts, **given), chosen)


@pytest.mark.parametrize(
    ("label", "said", "ends"),
    [
        (labels.SUPPORTED, "Shown", "+5 to +45"),
        (labels.ONE, "Undecided, because a variant was trained only once", "+5 to +45"),
        (labels.EQUAL, "No difference", "+12 to +38"),
        ("not separable", "Not separable", "+5 to +45"),
    ],
)
def test_a_claim_has_its_label_in_words_and_the_interval_that_it_rests_on(label, said, ends):
    told = in_short(h=hypothesis(label))
    figures = f"“composed” 71 %, “all” 46 %, a difference of +25 points ({ends})."
    assert told.claims == {said: [f"“Composites help”: {figures}"]}
    assert told.note.endswith("whom they were asked for (cast accuracy).") and not told.first
    told = in_short(trusted=False, h=hypothesis(label, difference=None))
    assert told.claims == {said: ["“Composites help”."]} and "not to be trusted" in told.first
    late = in_short(late=["h"], h=hypothesis(label)).claims[said][0]
    assert late.endswith("Declared or changed after results had been seen.")


def test_claims_of_one_label_stand_together_decided_ones_first_and_three_at_most():
    told = in_short(
        a=hypothesis(labels.UNDECIDED, "A."),
        b=hypothesis(labels.SUPPORTED, "B."),
        c=hypothesis(labels.UNDECIDED, "C."),
        d=hypothesis(labels.UNDECIDED, "D."),
        e=hypothesis(labels.SUPPORTED, "E.", primary=False),
    )
    found = [(label, [one[1] for one in own]) for label, own in told.claims.items()]
    assert found == [("Shown", ["B"]), ("Undecided", ["A", "C"])]
    assert told.note.endswith("“What came out” has 1 more claim.")


def test_without_claims_that_is_said_and_what_reads_best_where_no_lora_is_chosen():
    means = {"a": 0.2, "b": 0.6, "BASE": 0.9}
    variants = {
        name: {
            "kind": "base" if name == "BASE" else "elsewhere",
            "control": "",
            "measures": {"success": {"all": {"mean": mean, "low": 0.1, "high": 0.9}}},
        }
        for name, mean in means.items()
    }
    assert in_short(True, variants=variants) == in_short() == InShort({}, NOTHING)
    assert in_short(variants=variants).note.endswith(": “b” 60 % (10–90), the most of all.")
    variants["a"] = variants["b"]
    assert in_short(variants=variants).note.endswith(": “a” 60 % (10–90), as much as “b”.")
    assert "is primary." in in_short(h=hypothesis(labels.SUPPORTED, primary=False)).note
