"""Families as the unit: against scipy's t test, and what one or two may say."""

from __future__ import annotations

from typing import Any

import pytest
from family_summaries import cast_figures
from scipy import stats

from kindred.common.errors import ProblemsError
from kindred.evidence.families import families_verdicts
from kindred.specs.families import FamiliesSpec

CLAIM = {"claim": "It is better.", "variant": "a", "against": "b", "prompt_set": "casts"}


def spec(number: int, **changes: Any) -> FamiliesSpec:
    names = [f"f{n}" for n in range(number)]
    told = {"title": "t", "families": names, "hypotheses": {"h": {**CLAIM, "measure": "cast"}}}
    return FamiliesSpec.model_validate({**told, **changes})


def summary(a: float, b: float, passes: bool = True) -> dict[str, Any]:
    def one(mean: float) -> dict[str, Any]:
        return {"measures": {"cast": {"set:casts": {"mean": mean}}}}

    control = {"kind": "null", "passes": passes, "sentence": "null is a trained again."}
    return {"variants": {"a": one(a), "b": one(b)}, "controls": [control]}


def decided(pairs: list[tuple[float, float]], **changes: Any) -> dict[str, Any]:
    summaries = {f"f{n}": summary(*pair) for n, pair in enumerate(pairs)}
    return families_verdicts(spec(len(pairs), **changes), summaries)["hypotheses"]["h"]


def test_families_are_a_paired_t_test():
    pairs = [(0.62, 0.30), (0.55, 0.31), (0.71, 0.33), (0.58, 0.20)]
    found = decided(pairs)
    a, b = zip(*pairs, strict=True)
    known = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert (found["low"], found["high"]) == pytest.approx((known.low, known.high), abs=1e-4)
    assert found["label"] == "supported" and found["by_family"]["f1"] == pytest.approx(0.24)
    assert found["p"] == pytest.approx(
        stats.ttest_1samp([x - y for x, y in pairs], 0.1, alternative="greater").pvalue, abs=1e-5
    )
    assert "by family: f0 +32 points, f1 +24 points" in found["sentence"]


def test_one_family_or_two_say_nothing_of_others():
    one, two = decided([(0.9, 0.1)]), decided([(0.9, 0.1), (0.8, 0.1)])
    assert one["label"] == "in this family" and two["label"] == "in these two families"
    assert two["difference"] == pytest.approx(0.75) and two["low"] is None
    assert two["sentence"].endswith("3 families or more tell of families in general.")


def test_families_that_differ_much_leave_it_undecided():
    assert decided([(0.9, 0.1), (0.3, 0.2), (0.5, 0.6)])["label"] == "undecided"
    alike = [(0.5, 0.49), (0.52, 0.53), (0.47, 0.46), (0.5, 0.5)]
    found = decided(alike)
    assert found["label"] == "no difference" and found["x"] == 0.1


def test_a_family_whose_control_read_wrong_concludes_nothing():
    summaries = {f"f{n}": summary(0.9, 0.1, passes=n != 1) for n in range(3)}
    found = families_verdicts(spec(3), summaries)
    assert found["hypotheses"]["h"]["label"] == "control failed"
    assert found["warnings"] == ["null is a trained again."]


def test_primaries_are_corrected_for_their_number():
    two = {"h": {**CLAIM, "measure": "cast"}, "k": {**CLAIM, "measure": "cast", "margin": 0.2}}
    pairs = [(0.62, 0.30), (0.55, 0.31), (0.71, 0.33), (0.58, 0.20)]
    found = decided(pairs, hypotheses=two)
    assert found["adjusted"]["level"] == pytest.approx(0.975)


def test_what_an_experiment_lacks_is_said_of_all_at_once():
    lacking = summary(0.5, 0.4)
    del lacking["variants"]["b"]
    with pytest.raises(ProblemsError) as caught:
        families_verdicts(spec(2), {"f0": lacking, "f1": {"variants": {}, "controls": []}})
    assert len(caught.value.problems) == 3
    assert "results/f0/summary.json" in str(caught.value)


def test_a_sequence_is_read_in_full_until_one_is_not_supported():
    claims = {
        name: {**CLAIM, "measure": "cast", "margin": margin}
        for name, margin in (("first", 0.1), ("second", 0.5), ("third", 0.1), ("fourth", 0.1))
    }
    pairs = [(0.62, 0.30), (0.55, 0.31), (0.71, 0.33), (0.58, 0.20), (0.6, 0.3)]
    summaries = {f"f{n}": summary(*pair) for n, pair in enumerate(pairs)}

    def labels(*sequence: str) -> dict[str, str]:
        told = families_verdicts(spec(5, hypotheses=claims, sequence=sequence), summaries)
        return {name: one["label"] for name, one in told["hypotheses"].items()}

    assert labels("first")["third"] == "supported"
    stopped = labels("first", "second")
    assert stopped["first"] == "supported" and stopped["second"] != "supported"
    assert stopped["third"] == stopped["fourth"] == "not tested"
    found = families_verdicts(spec(5, hypotheses=claims, sequence=["first"]), summaries)
    levels = {name: one["adjusted"]["level"] for name, one in found["hypotheses"].items()}
    # The sequence in full; the others by Holm, three at first.
    assert levels["first"] == 0.95 and levels["third"] == pytest.approx(1 - 0.05 / 3, abs=1e-4)
    assert found["hypotheses"]["third"]["p_adjusted"] >= found["hypotheses"]["first"]["p_adjusted"]


def test_a_claim_may_be_about_some_of_the_families():
    summaries = {f"f{n}": summary(0.6 + n / 100, 0.3) for n in range(4)}
    del summaries["f3"]["variants"]["b"]
    own = {"h": {**CLAIM, "measure": "cast", "families": ["f0", "f1", "f2"]}}
    found = families_verdicts(spec(4, hypotheses=own), summaries)["hypotheses"]["h"]
    assert sorted(found["by_family"]) == ["f0", "f1", "f2"] and found["label"] == "supported"


GATE = {"says": "again", "figure": "casts", "variant": "a", "against": "b", "prompt_set": "casts"}


def test_gates_over_families_stand_in_place_of_each_familys_controls():
    summaries = {f"f{n}": summary(0.9, 0.1 + n / 50, passes=n != 1) for n in range(3)}
    for one in summaries.values():
        for variant in one["variants"].values():
            mean = variant["measures"]["cast"]["set:casts"]["mean"]
            variant["casts"] = {"casts": cast_figures(mean)}
        one["casts"] = {"casts": {"casts": [], "drawers": {"canvas": {"all": 0.08}}}}

    def label(within: float) -> str:
        gated = spec(3, gates={"again": {**GATE, "within": within}})
        found = families_verdicts(gated, summaries)
        assert bool(found["warnings"]) == (not found["gates"]["again"]["holds"])
        return found["hypotheses"]["h"]["label"]

    assert label(0.9) == "supported"
    assert label(0.1) == "control failed"
    assert [one["mean"] for one in read_arms(summaries).values()] == pytest.approx([0.9, 0.12])


def read_arms(summaries: dict[str, Any]) -> dict[str, Any]:
    arms = families_verdicts(spec(3), summaries)["arms"]["casts"]["variants"]
    return {name: one["figures"]["casts"] for name, one in arms.items()}


def copied_families(kept: dict[str, dict[str, list[int]]]) -> tuple[dict[str, Any], Any]:
    """Three families of which `a` copies. kept: variant -> cast -> whether right, of the pictures
    that copy nothing; beside each cast one picture that copies and is right."""
    scores = []
    for variant, casts in kept.items():
        told = {"kind": "image", "variant": variant, "prompt_set": "casts"}
        for cast, right in casts.items():
            rows = [(1, "1"), *((one, "0") for one in right)]
            scores += [
                {**told, "cast": cast, "cast_right": str(one), "copied": copied}
                for one, copied in rows
            ]
    summaries = {}
    for n in range(3):
        one = summary(0.75, 0.5)
        for name, mean in (("a", 0.75), ("b", 0.5)):
            more = {"runs": [1], "casts": {"casts": cast_figures(mean)}, "kind": "trained"}
            one["variants"][name] |= more
        one["casts"] = {"casts": {"casts": [{"name": x, "strangers": 0} for x in ("A", "J")]}}
        one["copies"] = {"a": {"copied": {"mean": 0.75}, "held_out": {"copied": 0.0}}}
        summaries[f"f{n}"] = one
    return summaries, lambda name: scores


def test_figures_with_copies_stand_beside_those_without():
    """Without copies the difference is .5, with them .25."""
    summaries, scores = copied_families({"a": {"A": [1]}, "b": {"A": [1, 0]}})
    changed = spec(3, copies={"variant": "a", "above": 0.05})
    found = families_verdicts(changed, summaries, scores)
    assert found["hypotheses"]["h"]["difference"] == 0.5
    told = found["copies"]
    assert told["counted"]["hypotheses"]["h"]["difference"] == 0.25
    arms = told["counted"]["arms"]["casts"]["variants"]
    assert arms["a"]["by_family"] == dict.fromkeys(("f0", "f1", "f2"), 0.75)
    assert told["left"] == {f"f{n}": (1, 2) for n in range(3)}


def test_casts_count_where_both_variants_have_enough_pictures_left():
    kept = {"a": {"A": [1, 1], "J": [0]}, "b": {"A": [1, 0], "J": [1, 1]}}
    summaries, scores = copied_families(kept)

    def difference(fewest: int) -> float:
        told = spec(3, copies={"variant": "a", "above": 0.05, "fewest": fewest})
        return families_verdicts(told, summaries, scores)["hypotheses"]["h"]["difference"]

    # All casts: (1 + 0) / 2 - (.5 + 1) / 2. From two pictures on A alone: 1 - .5.
    assert (difference(0), difference(1), difference(2)) == (-0.25, -0.25, 0.5)
    with pytest.raises(ProblemsError, match="no cast has 3 pictures of both variants"):
        difference(3)
