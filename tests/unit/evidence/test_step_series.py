"""Kept steps compared: each run's figures and their mean, the step to take, what lies nearest; and
what the loss on held-out photos says of it."""

from __future__ import annotations

import pytest
import torch
from step_tables import RUNS, STEPS, spec, tables

from kindred.common import safetensors_files
from kindred.common.errors import KindredError
from kindred.evidence.held_out_steps import spearman
from kindred.evidence.step_losses import StepLosses, read_losses
from kindred.evidence.step_series import series_figures, step_to_take, taken_step


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


@pytest.mark.parametrize(
    ("likeness", "step"),
    [
        ([0.6, 0.7, 0.8], 300),
        ([0.6, 0.795, 0.8], 200),  # 300 is hardly more alike
        ([0.9, 0.7, 0.6], 200),  # 100 is more alike, and wrong too often
        ([None, None, None], 200),
        ([None, None, 0.1], 300),
    ],
)
def test_of_steps_as_good_the_first_that_is_as_alike(likeness, step):
    assert step_to_take(STEPS, [0.5, 0.8, 0.79], likeness) == step


def test_steps_are_compared_over_runs_and_casts():
    (own,) = series_figures(spec(), tables(), {})["variants"].values()
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
    (own,) = series_figures(one, tables(), {})["variants"].values()
    assert own["step"] == 200 and own["measures"]["cast"]["mean"][0]["runs"] == 1


def test_written_prompts_are_compared_by_success():
    found = series_figures(spec(casts={}), tables(), {})
    assert found["measure"] == "success" and found["variants"]["v"]["step"] == 200


def test_nothing_judged_is_no_step():
    blank = {
        place: [one | {"cast_right": "", "success": ""} for one in rows]
        for place, rows in tables().items()
    }
    (own,) = series_figures(spec(), blank, {})["variants"].values()
    assert own["step"] is None


LOSSES = {("v", 1): [0.5, 0.3, 0.4], ("v", 2): [0.5, 0.45, 0.3]}


def held_out(take="last", losses=LOSSES, **changes):
    """What series.json says of the variant where photos are held out."""
    one = {"runs": RUNS, "steps": STEPS, "take": take, "held_out": True}
    told = {place: StepLosses(of, [0.9, 0.8, 0.7]) for place, of in losses.items()}
    asked = spec(variants={"v": one}, **changes)
    return series_figures(asked, tables() if asked.prompts else {}, told)["variants"]["v"]


def test_the_step_with_the_least_loss_stands_beside_the_judges():
    own = held_out()
    assert own["step"] == 200 and own["step_of_runs"] == [200, 200]
    assert own["held_out"] == {
        "step": 300, "value": 0.35, "last": 0.35, "step_of_runs": [200, 300],
    }  # fmt: skip
    assert own["measures"]["held_out_loss"]["runs"] == list(LOSSES.values())
    assert [one["mean"] for one in own["measures"]["training_loss"]["mean"]] == [0.9, 0.8, 0.7]
    told = own["agreement"]
    assert (told["runs"], told["same"], told["rank_correlation"]) == (2, 1, None)
    assert told["lost"] == pytest.approx((0.875 - 0.75) / 2, abs=1e-4)
    assert -1 <= told["within"] <= 1


def test_the_step_is_taken_by_what_a_variant_says():
    assert [taken_step(held_out(take)) for take in ("last", "best", "held_out")] == [300, 200, 300]


def test_without_prompts_losses_alone_tell():
    own = held_out("held_out", prompts={}, casts={})
    assert taken_step(own) == 300 and own["step"] is None and own["pairs"] == []
    assert set(own["measures"]) == {"held_out_loss", "training_loss"} and "agreement" not in own


def test_ranks_with_ties_and_what_does_not_vary():
    assert spearman([1, 2, 3, None], [10, 20, 30, 0]) == pytest.approx(1)
    assert spearman([1, 1, 2, 3], [4, 3, 2, 1]) == pytest.approx(-0.9487, abs=1e-4)
    assert spearman([1, 2], [3, 3]) is None and spearman([], []) is None


def written(folder, step, **header):
    file = folder / "v/run-1" / (f"steps/{step}" if step < 300 else ".") / "lora.safetensors"
    file.parent.mkdir(parents=True, exist_ok=True)
    safetensors_files.save(file, {"a": torch.zeros(1)}, header)


def test_losses_are_those_in_the_adapters_headers(tmp_path):
    for step, loss in zip(STEPS, (0.5, 0.25, 0.75), strict=True):
        written(tmp_path, step, held_out_loss=str(loss))
    rows = [f"{n},{n / 100},{0.1 if n == 100 else ''}" for n in range(50, 301, 50)]
    log = tmp_path / "v/run-1/training.csv"
    log.write_text("\n".join(["step,loss,held_out_loss", *rows]) + "\n")
    one = spec(variants={"v": {"runs": [1], "steps": STEPS, "held_out": True}})
    found = read_losses(one, tmp_path)["v", 1]
    assert found == StepLosses([0.5, 0.25, 0.75], [0.75, 1.75, 2.75])
    written(tmp_path, 200)
    with pytest.raises(KindredError, match="contains no loss on held-out photos"):
        read_losses(one, tmp_path)
    assert read_losses(spec(), tmp_path) == {}
