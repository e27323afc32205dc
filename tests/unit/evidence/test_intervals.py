"""Intervals against numbers by hand and by scipy, and how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from kindred.evidence.intervals import (
    Arm,
    Estimate,
    difference,
    holm,
    item_variance,
    level_of,
    mean,
    odds_ratio,
    ratio,
    run_variance,
    runs_to_decide,
    shared_pictures,
)
from kindred.evidence.power_simulation import Size, World, simulate
from kindred.evidence.variance import Part, Sample


def of(prompts: int, seeds: int) -> Sample:
    return Sample(np.arange(prompts).repeat(seeds))


def shares(world: World, trials: int, size: Size, level: float = 0.95):
    """(claimed above 0, supported above 0.10, true difference missed), shares of trials."""
    rng = np.random.default_rng(7)
    strata = size.of_cast if size.casts > 1 else None
    sample = Sample(size.of_prompt, strata, macro=strata is not None)
    gain, supported, missed = 0, 0, 0
    for _ in range(trials):
        a, b = simulate(world, size, rng)
        low, high = difference(Arm(a), Arm(b), sample, share=True).interval(level)
        gain += low > 0
        supported += low > 0.10
        missed += not low <= world.difference <= high
    return gain / trials, supported / trials, missed / trials


@pytest.mark.parametrize(
    "size",
    [
        Size((10, 10), 24, 8),
        Size((5, 10), 24, 8),
        Size((3, 3), 24, 8),
        Size((6, 6), 8, 2, casts=3),
        Size((10, 10), 8, 2, casts=12),
    ],
)
def test_intervals_of_published_designs_hold_the_truth(size):
    """Binomial error of 400 trials: 2.2 points."""
    gain, supported, missed = shares(World(), 400, size)
    assert gain <= 0.05 and supported <= 0.02
    assert 0.025 <= missed <= 0.075


@pytest.mark.long
def test_the_tail_of_six_hypotheses_is_as_thin_as_it_says():
    gain, _, missed = shares(World(), 1500, Size((2, 2), 12, 4), level_of(6))
    assert gain <= 0.025 / 6 * 3
    assert missed <= 0.05 / 6 * 3


def test_tails_are_right_where_one_arm_is_nearly_always_right_and_the_other_hardly_ever():
    """A plain t interval's lower end is above the true .9 in 5.5 % of cases here, not in 2.5."""
    rng, size, world = np.random.default_rng(3), Size((10, 10), 24, 8), World(0.5, 0.9)
    sample, above, below = Sample(size.of_prompt), 0, 0
    for _ in range(600):
        a, b = map(Arm, simulate(world, size, rng))
        low, high = difference(a, b, sample, share=True).interval()
        above += low > 0.9
        below += high < 0.9
    assert 5 <= above <= 27 and 5 <= below <= 27  # binomial: 15, 3 standard deviations


def test_a_planted_difference_of_0_3_is_found():
    _, supported, missed = shares(World(difference=0.4), 200, Size((10, 10), 24, 8))
    assert supported >= 0.90
    assert missed <= 0.09


def test_one_run_an_arm_would_claim_gains_that_are_not_there():
    """Why such comparisons are never more than numbers."""
    gain, _, _ = shares(World(), 200, Size((1, 1), 24, 8))
    assert gain >= 0.10


def test_runs_alone_are_welch_s_t_test():
    """Every picture of a run alike: prompts add nothing, two samples of runs are left."""
    rng = np.random.default_rng(2)
    a, b = rng.normal(1, 1, (6, 1)), rng.normal(0, 2, (4, 1))
    found = difference(Arm(a.repeat(20, 1)), Arm(b.repeat(20, 1)), of(10, 2))
    known = stats.ttest_ind(a[:, 0], b[:, 0], equal_var=False)
    for level in (0.95, 0.99):
        interval = known.confidence_interval(level)
        assert found.interval(level) == pytest.approx((interval.low, interval.high))
    assert 2 * min(found.p_below(0), found.p_above(0)) == pytest.approx(known.pvalue)


def test_prompts_alone_are_a_paired_t_test():
    """Runs alike: what is left is a sample of prompts, which both arms share."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(0.3, 1, 12), rng.normal(0, 1, 12)
    arms = [Arm(np.tile(x, (3, 1))) for x in (a, b)]
    found = difference(*arms, of(12, 1))
    known = stats.ttest_rel(a, b).confidence_interval(0.9)
    assert found.interval(0.9) == pytest.approx((known.low, known.high))
    assert found.resampled == "prompts"


def test_strata_are_fixed_and_each_adds_its_variance_over_its_prompts():
    """Two characters of 3 prompts each, by hand: means 1 and 5 (the plain 3); within, variances 1
    and 4, so V = (1/3 + 4/3) / 4 with nu by Satterthwaite; what lies between them adds nothing."""
    values = np.array([[0.0, 1, 2, 3, 5, 7]])
    sample = Sample(np.arange(6), np.array(["A"] * 3 + ["B"] * 3))
    found = mean(Arm(values), sample)
    variance = (1 / 3 + 4 / 3) / 4
    parts = (1 / 12, 4 / 12)
    freedom = variance**2 / (parts[0] ** 2 / 2 + parts[1] ** 2 / 2)
    half = stats.t.ppf(0.975, freedom) * variance**0.5
    assert found.interval() == pytest.approx((3 - half, 3 + half))
    whole = mean(Arm(values), Sample(np.arange(6)))
    assert whole.interval() == pytest.approx(stats.t.interval(0.95, 5, 3, stats.sem(values[0])))


def test_a_macro_mean_is_the_mean_over_strata_of_the_mean_within():
    values = np.array([[1.0, 1, 1, 1, 0, 1]])
    sample = Sample(np.arange(6), np.array([0, 0, 0, 0, 1, 1]), macro=True)
    assert mean(Arm(values), sample).value == pytest.approx(0.75)
    assert mean(Arm(values), Sample(np.arange(6), sample.strata)).value == pytest.approx(5 / 6)


def test_a_stratum_of_one_prompt_makes_all_one_stratum():
    """Variance within cannot be told, so that between strata counts too: never too sure."""
    values = np.array([[0.0, 1, 2, 3, 5, 7]])
    one = Sample(np.arange(6), np.array([0, 0, 0, 0, 0, 1]))
    plain = mean(Arm(values), Sample(np.arange(6)))
    assert mean(Arm(values), one).interval() == pytest.approx(plain.interval())


def test_chance_of_single_pictures_is_counted_once():
    """Variance of runs .25, of prompts .25, of single pictures 4: what the mean of 8 runs and 24
    prompts has. Runs and prompts added would have 4 / 192 twice."""
    rng = np.random.default_rng(5)

    def values() -> np.ndarray:
        spread = rng.normal(0, 0.5, (8, 1)) + rng.normal(0, 0.5, 24)
        return spread + rng.normal(0, 2, (8, 24))

    found = [mean(Arm(values()), Sample(np.arange(24))).error.variance for _ in range(400)]
    true = 0.25 / 8 + 0.25 / 24 + 4 / 192
    assert np.mean(found) == pytest.approx(true, rel=0.1)


def test_runs_that_share_adapters_are_paired_where_it_is_said():
    rng = np.random.default_rng(4)
    run, noise = rng.normal(0, 1, (6, 1)), rng.normal(0, 0.05, (2, 6, 20))
    a, b = Arm(run + 0.3 + noise[0]), Arm(run + noise[1])
    apart = difference(a, b, of(10, 2)).interval()
    together = difference(a, b, of(10, 2), paired_runs=True)
    assert apart[0] < 0 < 0.2 < together.interval()[0] < 0.3 < together.interval()[1] < 0.4
    even = [Arm(x.values.mean(1, keepdims=True).repeat(20, 1)) for x in (a, b)]
    known = stats.ttest_rel(even[0].values[:, 0], even[1].values[:, 0]).confidence_interval(0.95)
    paired = difference(*even, of(10, 2), paired_runs=True).interval()
    assert paired == pytest.approx((known.low, known.high))


def test_pairing_on_prompts_takes_their_noise_out():
    rng = np.random.default_rng(3)
    hard = rng.normal(0, 1, 12).repeat(4)
    noise = rng.normal(0, 0.05, (2, 6, 48))
    a, b = hard + 0.5 + noise[0], hard + noise[1]
    low, high = difference(Arm(a), Arm(b), of(12, 4)).interval()
    alone = mean(Arm(a), of(12, 4)).interval()
    assert 0.4 < low < 0.5 < high < 0.6
    assert alone[1] - alone[0] > 5 * (high - low)


def test_runs_widen_the_interval_and_a_fixed_arm_has_none_of_it():
    rng = np.random.default_rng(4)
    values = rng.normal(0, 1, (8, 1)) + rng.normal(0, 0.1, (8, 40))
    wide = mean(Arm(values), of(10, 4)).interval()
    narrow = mean(Arm(values, fixed=True), of(10, 4)).interval()
    assert wide[1] - wide[0] > 5 * (narrow[1] - narrow[0])
    assert wide[0] < values.mean() < wide[1]


def test_few_prompts_are_taken_as_given():
    values = np.random.default_rng(5).random((3, 12))
    assert mean(Arm(values), of(3, 4)).resampled == "pictures"
    assert mean(Arm(values), of(6, 2)).resampled == "prompts"


def test_all_pictures_right_in_both_arms_is_no_certainty():
    ones = np.ones((2, 8))
    found = difference(Arm(ones), Arm(ones), of(2, 4), share=True)
    share = 17 / 18  # Agresti and Caffo: one more success and one more failure
    half = 1.959964 * (share * (1 - share) / 18) ** 0.5
    log_odds, slope = np.log(9), 0.9 * 0.1  # of 18 in 20: two more of either
    down = 0.9 - 1 / (1 + np.exp(-(log_odds - half / slope)))
    up = 1 / (1 + np.exp(-(log_odds + half / slope))) - 0.9
    both = (down**2 + up**2) ** 0.5
    assert found.interval() == pytest.approx((-both, both), abs=1e-6)
    more = np.ones((10, 200))
    low, high = difference(Arm(more), Arm(more), of(25, 8), share=True).interval()
    assert -0.02 < low < high < 0.02


def test_missing_values_are_left_out_and_not_counted_as_0():
    a = np.array([[1.0, np.nan, 1.0], [np.nan, np.nan, 1.0]])
    assert Arm(a).mean == 1.0
    assert shared_pictures(a, np.ones((1, 3))).tolist() == [True, False, True]
    found = mean(Arm(a[:, [0, 2]]), Sample(np.array([0, 1])))
    assert found.value == 1.0 and found.interval() == (1.0, 1.0)


def test_a_run_without_values_is_no_run():
    values = np.random.default_rng(1).random((4, 10))
    lacking = np.vstack([values, np.full((1, 10), np.nan)])
    assert mean(Arm(lacking), of(10, 1)) == mean(Arm(values), of(10, 1))


def test_p_and_interval_agree():
    found = Estimate(0.3, Part(0.04, 7), "prompts")
    for level in (0.95, 0.99):
        low, high = found.interval(level)
        assert found.p_below(low) == pytest.approx((1 - level) / 2)
        assert found.p_above(high) == pytest.approx((1 - level) / 2)
    assert found.p_below(0.1) == pytest.approx(stats.t.sf(1, 7))
    certain = Estimate(0.3, Part(0.0), "prompts")
    assert certain.p_below(0.2) == 0 and certain.p_below(0.3) == 1 and certain.p_above(0.4) == 0


def test_p_and_interval_agree_of_shares_too():
    a, b = map(Arm, simulate(World(0.8, 0.3), Size((4, 5), 8, 4), np.random.default_rng(2)))
    found = difference(a, b, of(8, 4), share=True)
    for level in (0.95, 0.995):
        low, high = found.interval(level)
        assert found.p_below(low) == pytest.approx((1 - level) / 2, rel=1e-6)
        assert found.p_above(high) == pytest.approx((1 - level) / 2, rel=1e-6)
    assert found.p_below(found.value) == pytest.approx(0.5) == found.p_above(found.value)
    assert found.p_below(-2) < 1e-3 and found.p_below(2) > 0.999


def test_odds_ratio_by_hand():
    """3 of 4 against 1 of 4, no runs: Woolf's variance of four independent pictures."""
    a, b = np.array([[1.0, 1, 1, 0]]), np.array([[1.0, 0, 0, 0]])
    found = odds_ratio(Arm(a), Arm(b), Sample(np.arange(4)))
    assert found.value == pytest.approx((3.5 / 1.5) / (1.5 / 3.5))
    low, high = found.interval()
    assert 0 < low < found.value < high
    assert low * high == pytest.approx(found.value**2)
    assert found.error.variance >= 2 * (1 / 3.5 + 1 / 1.5) - 1e-9
    assert found.p_below(1) == pytest.approx(
        stats.t.sf(np.log(found.value) / found.error.variance**0.5, found.error.freedom)
    )


def test_ratio_s_interval_holds_the_truth_as_often_as_it_says():
    """Ten runs each of 0.9 and 1.0 on average; spread of runs, prompts and pictures as in the lab's
    likeness in the trio and alone."""
    rng = np.random.default_rng(3)
    trio, alone = np.arange(24).repeat(8), np.arange(8).repeat(2)

    def arm(mean: float, prompts: np.ndarray) -> Arm:
        of_run, of_prompt = rng.normal(0, 0.05, (10, 1)), rng.normal(0, 0.05, prompts.max() + 1)
        return Arm(mean + of_run + of_prompt[prompts] + rng.normal(0, 0.1, (10, len(prompts))))

    held = 0
    for _ in range(400):
        above = mean(arm(0.9, trio), Sample(trio))
        low, high = ratio(above, mean(arm(1.0, alone), Sample(alone))).interval()
        held += low <= 0.9 <= high
        assert high - low < 0.25
    assert 0.92 <= held / 400 <= 0.98


def test_ratio_by_hand():
    found = ratio(Estimate(0.5, Part(0.01, 9), "prompts"), Estimate(0.8, Part(0.04, 4), "pictures"))
    assert found.value == pytest.approx(0.625) and found.resampled == "prompts"
    above, below = 0.01 / 0.64, 0.04 * 0.625**2 / 0.64
    assert found.error.variance == pytest.approx(above + below)
    assert found.error.freedom == pytest.approx(
        (above + below) ** 2 / (above**2 / 9 + below**2 / 4)
    )
    with pytest.raises(ValueError, match="no ratio"):
        ratio(found, Estimate(-0.1, Part(0.01), "prompts"))


def test_holm_by_hand():
    adjusted, left = zip(*holm([0.004, 0.02, 0.01]), strict=True)
    assert adjusted == pytest.approx([0.012, 0.02, 0.02]) and left == (3, 1, 2)
    adjusted, left = zip(*holm([0.5, 0.001, 0.02]), strict=True)
    assert adjusted == pytest.approx([0.5, 0.003, 0.04])
    assert left == (2, 3, 2)  # 2 x 0.02 misses 0.025: nothing is decided any more
    assert holm([]) == []
    assert level_of(1) == pytest.approx(0.95) and level_of(6) == pytest.approx(1 - 0.05 / 6)


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
    world, sample, margin, foretold, decided = World(difference=0.4), of(24, 8), 0.10, 0, 0
    for _ in range(120):
        a, b = map(Arm, simulate(world, Size((3, 3), 24, 8), rng))
        found = difference(a, b, sample, share=True)
        low, high = found.interval()
        spread = (run_variance(a) or 0) + (run_variance(b) or 0)
        items = item_variance(a, b, sample)
        runs = runs_to_decide(found.value - margin, spread, items, 3)
        if low <= margin <= high and runs:
            a, b = map(Arm, simulate(world, Size((runs, runs), 24, 8), rng))
            again = difference(a, b, sample, share=True).interval()
            foretold += 1
            decided += not again[0] <= margin <= again[1]
    assert foretold >= 15
    assert decided / foretold >= 0.7


def test_variances_of_runs_and_of_prompts():
    values = np.array([[0.0, 0.0], [1.0, 1.0]])
    assert run_variance(Arm(values)) == pytest.approx(0.5)
    assert run_variance(Arm(values[:1])) is None
    assert run_variance(Arm(values[:1], fixed=True)) == 0
    even = np.zeros((2, 10))
    assert item_variance(Arm(even), Arm(even), of(10, 1)) == 0
    hard = np.tile(np.arange(10.0), (2, 1))
    assert item_variance(Arm(hard), Arm(even), of(10, 1)) == pytest.approx(
        np.var(np.arange(10.0), ddof=1) / 10
    )


def test_simulated_shares_are_what_was_asked_for():
    rng = np.random.default_rng(1)
    world, size = World(share=0.6, difference=0.2), Size((40, 30), 6, 4, casts=4)
    a, b = simulate(world, size, rng)
    assert a.shape == (40, 96) and b.shape == (30, 96) and len(np.unique(size.of_prompt)) == 24
    grids = [simulate(world, size, rng) for _ in range(60)]
    assert np.mean([g[0].mean() for g in grids]) == pytest.approx(0.7, abs=0.03)
    assert np.mean([g[1].mean() for g in grids]) == pytest.approx(0.5, abs=0.03)
