"""Gates and what was to be reached: means over families beside their limits."""

from __future__ import annotations

from typing import Any

import pytest
from family_summaries import cast_figures
from pydantic import ValidationError
from scipy import stats

from kindred.evidence.family_limits import limit_read
from kindred.specs.families import Limit

CASTS = {"A": 0.9, "J": 0.9, "A+J": 0.6, "pair+1": 0.8}
LOOKS = {"A": (0.8, 0.8), "J": (0.8, 0.6)}


def summaries(*means: float) -> dict[str, Any]:
    """A family each: `a` reads the mean, `b` half of it."""
    return {
        f"f{n}": {
            "variants": {
                name: {"casts": {"casts": cast_figures(mean * part, CASTS, LOOKS)}}
                for name, part in (("a", 1.0), ("b", 0.5))
            }
        }
        for n, mean in enumerate(means)
    }


def limit(**changes: Any) -> Limit:
    told = {"says": "s", "figure": "casts", "variant": "a", "prompt_set": "casts"}
    return Limit.model_validate({**told, **changes})


def test_a_mean_over_families_and_how_far_it_is_from_its_limit():
    found = limit_read(limit(at_least=0.9), summaries(0.8, 0.9, 0.85, 0.89))
    known = stats.ttest_1samp([0.8, 0.9, 0.85, 0.89], 0).confidence_interval(0.95)
    assert found["value"] == pytest.approx(0.86) and found["low"] == pytest.approx(
        known.low, abs=1e-4
    )
    assert not found["holds"] and found["short"] == pytest.approx(0.04)
    assert found["sentence"].endswith("asked for at least 90 %: no, 4.0 points short.")
    assert limit_read(limit(at_least=0.85), summaries(0.8, 0.9, 0.9))["holds"]


def test_a_difference_within_a_limit_is_read_at_90_percent():
    one = limit(against="b", within=0.5)
    found = limit_read(one, summaries(0.8, 0.9, 0.85))
    known = stats.ttest_1samp([0.4, 0.45, 0.425], 0).confidence_interval(0.9)
    assert (found["low"], found["high"]) == pytest.approx((known.low, known.high), abs=1e-4)
    assert found["holds"] and found["short"] == 0
    found = limit_read(limit(against="b", within=0.4), summaries(0.8, 0.9, 0.85))
    assert found["holds"] is False and found["short"] == pytest.approx(known.high - 0.4, abs=1e-4)
    assert limit_read(one, summaries(0.8, 0.9))["holds"] is None


def test_every_kind_of_cast_has_to_reach_it():
    found = limit_read(limit(at_least=0.75, every=True), summaries(0.8, 0.8, 0.8))
    assert found["parts"][0] == {"name": "2 people", "value": 0.6, "families": 3}
    assert {one["name"] for one in found["parts"]} == {"1 person", "2 people", "pair+1"}
    assert found["short"] == pytest.approx(0.15) and "of 3, 2 reach it" in found["sentence"]


def test_people_are_each_familys_own():
    found = limit_read(limit(figure="likeness", at_least=0.9, every=True), summaries(0.8, 0.8))
    assert len(found["parts"]) == 4 and found["parts"][0]["value"] == pytest.approx(0.75)
    assert found["parts"][0]["name"].startswith("J of f")


def test_what_was_not_measured_is_neither_yes_nor_no():
    found = limit_read(limit(figure="order", at_least=0.8), summaries(0.8, 0.8))
    assert found["holds"] is None and found["sentence"] == "a: not measured in any family."


@pytest.mark.parametrize("wrong", [{}, {"at_least": 1, "at_most": 1}, {"within": 1, "every": True}])
def test_a_limit_is_one(wrong):
    with pytest.raises(ValidationError):
        limit(**wrong)
