"""Kept steps compared: each run's figures and their mean, the step to take, what lies nearest."""

from __future__ import annotations

import pytest
from step_tables import STEPS, spec, tables

from kindred.evidence.step_series import series_figures, step_to_take


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([0.5, 0.8, 0.8], 200),
        ([0.78, 0.8, 0.7], 100),
        ([0.77, 0.8, 0.7], 200),
        ([None, 0.1, 0.2], 300),
        ([None, None, None], None),
    ],
)
def test_the_first_within_two_points_of_the_best(values, step):
    assert step_to_take(STEPS, values) == step


def test_steps_are_compared_over_runs_and_casts():
    (own,) = series_figures(spec(), tables())["variants"].values()
    cast = own["measures"]["cast"]
    assert cast["runs"] == [[0.5, 1.0, 1.0], [0.625, 0.875, 0.75]]
    assert [one["mean"] for one in cast["mean"]] == [0.5625, 0.9375, 0.875]
    assert all(one["low"] <= one["mean"] <= one["high"] for one in cast["mean"])
    assert (own["step"], own["value"], own["last"], own["lost"]) == (200, 0.9375, 0.875, 0.0625)
    assert own["step_of_runs"] == [200, 200]
    assert own["measures"]["copied"]["runs"][0] == [0.25] * 3
    assert {pair["photo"] for pair in own["pairs"][:4]} == {"photo-0"}
    assert own["pairs"][0]["copy"] and own["pairs"][0]["distance"] == pytest.approx(0.07)


def test_one_training_has_intervals_over_its_prompts_alone():
    one = spec(variants={"v": {"runs": [1], "steps": STEPS}})
    (own,) = series_figures(one, tables())["variants"].values()
    assert own["step"] == 200 and own["measures"]["cast"]["mean"][0]["runs"] == 1


def test_written_prompts_are_compared_by_success():
    found = series_figures(spec(casts={}), tables())
    assert found["measure"] == "success" and found["variants"]["v"]["step"] == 200


def test_nothing_judged_is_no_step():
    blank = {
        place: [one | {"cast_right": "", "success": ""} for one in rows]
        for place, rows in tables().items()
    }
    (own,) = series_figures(spec(), blank)["variants"].values()
    assert own["step"] is None
