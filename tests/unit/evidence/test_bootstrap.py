"""Intervals, corrections, and how often verdicts on made-up results are right."""

from __future__ import annotations

import numpy as np
import pytest

from kindred.evidence.bootstrap import (
    Arm,
    bootstrap_difference,
    bootstrap_mean,
    bootstrap_odds_ratio,
    holm,
    item_variance,
    paired,
    ratio,
    run_variance,
    runs_to_decide,
)
from kindred.evidence.power_simulation import World, simulate

DRAWS = 1000


def shares(world: World, trials: int, runs: int = 10, prompts: int = 24, seeds: int = 8):
    """(claimed above 0, supported above 0.10, true difference missed), shares of trials."""
    rng = np.random.default_rng(7)
    gain, supported, missed = 0, 0, 0
    for _ in range(trials):
        a, b, of_prompt = simulate(world, runs, prompts, seeds, rng)
        low, high = bootstrap_difference(Arm(a), Arm(b), of_prompt, DRAWS, share=True).interval()
        gain += low > 0
        supported += low > 0.10
        missed += not low <= world.difference <= high
    return gain / trials, supported / trials, missed / trials


def test_without_a_difference_hardly_any_trial_claims_one():
    gain, supported, missed = shares(World(), 300)
    assert gain <= 0.05
    assert supported <= 0.05
    assert missed <= 0.08


def test_a_planted_difference_of_0_3_is_found():
    _, supported, missed = shares(World(difference=0.3), 200)
    assert supported >= 0.90
    assert missed <= 0.08


def test_few_runs_are_not_surer_than_they_may_be():
    gain, _, missed = shares(World(), 200, runs=3)
    assert gain <= 0.06
    assert missed <= 0.10


def test_one_run_an_arm_would_claim_gains_that_are_not_there():
    """Why such comparisons are never more than a pilot."""
    gain, _, _ = shares(World(), 200, runs=1)
    assert gain >= 0.10


def test_simulated_shares_are_what_was_asked_for():
    rng = np.random.default_rng(1)
    a, b, of_prompt = simulate(World(share=0.6, difference=0.2), 200, 30, 4, rng)
    assert a.shape == b.shape == (200, 120) and len(np.unique(of_prompt)) == 30
    grids = [simulate(World(share=0.6, difference=0.2), 40, 24, 4, rng) for _ in range(60)]
    assert np.mean([g[0].mean() for g in grids]) == pytest.approx(0.7, abs=0.03)
    assert np.mean([g[1].mean() for g in grids]) == pytest.approx(0.5, abs=0.03)


def test_pairing_on_prompts_takes_their_noise_out():
    rng = np.random.default_rng(3)
    hard = rng.normal(0, 1, 12).repeat(4)
    noise = rng.normal(0, 0.05, (2, 6, 48))
    a, b = hard + 0.5 + noise[0], hard + noise[1]
    prompts = np.arange(12).repeat(4)
    low, high = bootstrap_difference(Arm(a), Arm(b), prompts, DRAWS).interval()
    alone = bootstrap_mean(Arm(a), prompts, DRAWS).interval()
    assert 0.4 < low < 0.5 < high < 0.6
    assert alone[1] - alone[0] > 5 * (high - low)


def test_runs_widen_the_interval_and_a_fixed_arm_has_none_of_it():
    rng = np.random.default_rng(4)
    values = rng.normal(0, 1, (8, 1)) + rng.normal(0, 0.1, (8, 40))
    prompts = np.arange(10).repeat(4)
    wide = bootstrap_mean(Arm(values), prompts, DRAWS).interval()
    narrow = bootstrap_mean(Arm(values, fixed=True), prompts, DRAWS).interval()
    assert wide[1] - wide[0] > 5 * (narrow[1] - narrow[0])
    assert wide[0] < values.mean() < wide[1]


def test_few_prompts_are_taken_as_given():
    values = np.random.default_rng(5).random((3, 12))
    assert bootstrap_mean(Arm(values), np.arange(3).repeat(4), DRAWS).resampled == "pictures"
    assert bootstrap_mean(Arm(values), np.arange(6).repeat(2), DRAWS).resampled == "prompts"


def test_all_pictures_right_in_both_arms_is_no_certainty():
    ones = np.ones((2, 8))
    prompts = np.arange(2).repeat(4)
    low, high = bootstrap_difference(Arm(ones), Arm(ones), prompts, DRAWS, share=True).interval()
    assert -0.5 < low < -0.02 and 0.02 < high < 0.5
    more = np.ones((10, 200))
    prompts = np.arange(25).repeat(8)
    low, high = bootstrap_difference(Arm(more), Arm(more), prompts, DRAWS, share=True).interval()
    assert -0.02 < low < high < 0.02


def test_missing_values_are_left_out_and_not_counted_as_0():
    a = np.array([[1.0, np.nan, 1.0], [np.nan, np.nan, 1.0]])
    assert Arm(a).mean == 1.0
    assert paired(a, np.ones((1, 3))).tolist() == [True, False, True]
    drawn = bootstrap_mean(Arm(a[:, [0, 2]]), np.array([0, 1]), DRAWS)
    assert drawn.value == 1.0 and np.isfinite(drawn.draws).all()


def test_p_and_interval_agree():
    rng = np.random.default_rng(6)
    a, b = rng.normal(0.3, 0.4, (5, 60)), rng.normal(0, 0.4, (5, 60))
    drawn = bootstrap_difference(Arm(a), Arm(b), np.arange(20).repeat(3), 4000)
    low, high = drawn.interval()
    assert drawn.p_below(low) == pytest.approx(0.025, abs=0.002)
    assert drawn.p_above(high) == pytest.approx(0.025, abs=0.002)
    assert drawn.p_below(-5) == pytest.approx(1 / 4001)


def test_the_same_draws_at_every_call():
    values = np.random.default_rng(8).random((4, 24))
    prompts = np.arange(6).repeat(4)
    first = bootstrap_mean(Arm(values), prompts, DRAWS).draws
    np.testing.assert_array_equal(first, bootstrap_mean(Arm(values), prompts, DRAWS).draws)


def test_odds_ratio_by_hand():
    a, b = np.array([[1.0, 1, 1, 0]]), np.array([[1.0, 0, 0, 0]])
    drawn = bootstrap_odds_ratio(Arm(a), Arm(b), np.arange(4), DRAWS)
    assert drawn.value == pytest.approx((3.5 / 1.5) / (1.5 / 3.5))
    assert (drawn.draws > 0).all()


def test_ratio_s_interval_holds_the_truth_as_often_as_it_says():
    """Ten runs each of 0.9 and 1.0 on average; spread of runs, prompts and pictures as in the lab's
    likeness in the trio and alone."""
    rng = np.random.default_rng(3)
    trio, alone = np.arange(24).repeat(8), np.arange(8).repeat(2)

    def arm(mean: float, prompts: np.ndarray) -> Arm:
        of_run, of_prompt = rng.normal(0, 0.05, (10, 1)), rng.normal(0, 0.05, prompts.max() + 1)
        return Arm(mean + of_run + of_prompt[prompts] + rng.normal(0, 0.1, (10, len(prompts))))

    held = 0
    for _ in range(300):
        above = bootstrap_mean(arm(0.9, trio), trio, DRAWS)
        low, high = ratio(above, bootstrap_mean(arm(1.0, alone), alone, DRAWS)).interval()
        held += low <= 0.9 <= high
        assert high - low < 0.25
    assert 0.92 <= held / 300 <= 0.995


def test_ratio_by_hand():
    a, b = Arm(np.array([[0.4, 0.6], [0.4, 0.6]])), Arm(np.array([[0.8], [0.8]]))
    above = bootstrap_mean(a, np.arange(2), DRAWS)
    drawn = ratio(above, bootstrap_mean(b, np.arange(1), DRAWS))
    assert drawn.value == pytest.approx(0.5 / 0.8)
    assert drawn.draws.std() > 0
    with pytest.raises(ValueError, match="no ratio"):
        ratio(above, bootstrap_mean(Arm(-b.values), np.arange(1), DRAWS))


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_runs_needed_fall_with_distance_and_never_come_for_prompts_that_differ():
    near = runs_to_decide(0.1, 0.02, 1e-4, 3)
    far = runs_to_decide(0.3, 0.02, 1e-4, 3)
    assert near is not None and far is not None and 3 < far < near < 100
    assert runs_to_decide(0.1, 0.02, 0.01, 3) is None
    assert runs_to_decide(0.0, 0.02, 0.0, 3) is None
    spread = (0.02 / near + 1e-4) ** 0.5
    assert (1.96 + 0.84) * spread <= 0.1


def test_the_number_of_runs_foretold_decides_most_of_the_time():
    rng = np.random.default_rng(11)
    world, margin, foretold, decided = World(difference=0.3), 0.10, 0, 0
    for _ in range(80):
        a, b, prompts = simulate(world, 3, 24, 8, rng)
        drawn = bootstrap_difference(Arm(a), Arm(b), prompts, DRAWS, share=True)
        low, high = drawn.interval()
        spread = (run_variance(Arm(a)) or 0) + (run_variance(Arm(b)) or 0)
        items = item_variance(Arm(a), Arm(b), prompts, DRAWS)
        runs = runs_to_decide(drawn.value - margin, spread, items, 3)
        if low <= margin <= high and runs:
            a, b, prompts = simulate(world, runs, 24, 8, rng)
            again = bootstrap_difference(Arm(a), Arm(b), prompts, DRAWS, share=True).interval()
            foretold += 1
            decided += not again[0] <= margin <= again[1]
    assert foretold >= 15
    assert decided / foretold >= 0.75


def test_variances_of_runs_and_of_prompts():
    values = np.array([[0.0, 0.0], [1.0, 1.0]])
    assert run_variance(Arm(values)) == pytest.approx(0.5)
    assert run_variance(Arm(values[:1])) is None
    assert run_variance(Arm(values[:1], fixed=True)) == 0
    even = np.zeros((2, 10))
    assert item_variance(Arm(even), Arm(even), np.arange(10), 200) == 0
