"""What designs find, against scipy and against simulated tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from kindred.evidence import power
from kindred.evidence.design_variance import Design, Forecast, forecast
from kindred.evidence.power import Reach, found_over_families
from kindred.evidence.power_simulation import World
from kindred.evidence.variance import Part, Parts, total

TRIO = (24,), 8
CASTS = (8,) * 12, 2


def reach(runs: int, casts: tuple[int, ...], pictures: int, plain: bool = True) -> Reach:
    """Of a design at means of 55 %. `plain`: variances are added up, as the tables were made."""

    def outlook(design: Design, truth: float) -> Forecast:
        share = min(max(0.55, truth / 2 + 0.01), 0.99 - truth / 2)
        found = forecast(design, World(share=share, difference=truth))
        return replace(found, chance=0.0) if plain else found

    return Reach(outlook, Design((runs, runs), casts, pictures, macro=True), largest=0.96)


# Simulated with another program before this one was written: beyond 0, beyond a margin of 10.
@pytest.mark.parametrize(
    ("layout", "runs", "found", "beyond"),
    [
        (CASTS, 2, 31, None),
        (CASTS, 3, 17, 27),
        (CASTS, 5, 13, 23),
        (CASTS, 10, 9, 19),
        (TRIO, 3, 37, 44),
        (TRIO, 5, 26, 35),
        (TRIO, 10, 18, 28),
    ],
)
def test_points_found_are_those_of_simulated_experiments(layout, runs, found, beyond):
    made = reach(runs, *layout)
    assert 100 * made.smallest() == pytest.approx(found, abs=2.1)
    if beyond:
        assert 100 * made.smallest(0.10) == pytest.approx(beyond, abs=2.1)


@pytest.mark.parametrize(
    ("layout", "runs", "of_10", "of_15"),
    [(CASTS, 3, 17, 65), (CASTS, 5, 49, 91), (CASTS, 10, 87, 100), (TRIO, 10, 3, 45)],
)
def test_equivalence_is_shown_as_often_as_in_simulated_experiments(layout, runs, of_10, of_15):
    made = reach(runs, *layout)
    assert 100 * made.within(0.10) == pytest.approx(of_10, abs=4)
    assert 100 * made.within(0.15) == pytest.approx(of_15, abs=4)


def test_chance_counted_once_finds_a_little_more():
    plain, exact = (reach(10, *CASTS, plain=flag) for flag in (True, False))
    assert plain.smallest() - 0.02 < exact.smallest() < plain.smallest()
    assert exact.within(0.10) > plain.within(0.10)


@pytest.mark.parametrize("freedom", [2, 4, 18])
@pytest.mark.parametrize("level", [0.95, 1 - 0.05 / 6])
def test_with_one_part_it_is_the_noncentral_t(freedom, level):
    found = Forecast(0.01, (), (Part(0.01, freedom),))
    for truth in (0.1, 0.3, 0.5):
        needed = stats.t.ppf((1 + level) / 2, freedom)
        exact = stats.nct.sf(needed, freedom, (truth - 0.05) / 0.1)
        assert power.above(found, truth, 0.05, level) == pytest.approx(exact, abs=0.002)


def test_equivalence_with_one_part_is_two_one_sided_tests():
    found = Forecast(0.01, (), (Part(0.01, 9),))
    rng = np.random.default_rng(3)
    estimates = rng.normal(0, 0.1, 200_000)
    errors = (0.01 * rng.chisquare(9, 200_000) / 9) ** 0.5
    shown = np.abs(estimates) + stats.t.ppf(0.95, 9) * errors < 0.25
    assert power.within(found, 0.25, 0.90) == pytest.approx(shown.mean(), abs=0.005)


def test_errors_are_put_together_as_verdicts_do():
    """Of many estimates at once what variance.Parts.error says of each."""
    made = forecast(Design((2, 3), *CASTS, macro=True), World(difference=0.2))
    variances, freedoms = power._estimates(made)
    parts, runs = [*made.runs, *made.items], len(made.runs)
    drawn = power._chi_squares(tuple(part.freedom for part in parts))
    for n in range(0, power.DRAWS, 50):
        turned = [part.times(float(drawn[k, n])) for k, part in enumerate(parts)]
        error = Parts(tuple(turned[:runs]), total(turned[runs:]), made.chance).error()
        assert (variances[n], freedoms[n]) == pytest.approx((error.variance, error.freedom))


def test_quantiles_are_student_s():
    freedoms = np.array([1.0, 1.7, 2.0, 4.3, 18.0, 84.0, 1e9])
    for tail in (0.95, 0.975, 1 - 0.025 / 6):
        assert power._student(freedoms, tail) == pytest.approx(stats.t.ppf(tail, freedoms), 1e-3)


def test_what_is_needed_is_enough_and_one_less_is_not():
    made = reach(3, *CASTS)
    runs = made.runs_needed(0.10, 0.20)
    assert made.above(0.10, 0.20) < 0.8
    assert made.above(0.10, 0.20, made.design.with_runs(runs)) >= 0.8
    assert made.above(0.10, 0.20, made.design.with_runs(runs - 1)) < 0.8
    prompts = reach(5, *CASTS).prompts_needed(0.10, 0.20)
    assert prompts % 96 == 0 and prompts > 96
    few = reach(3, (2,) * 12, 1)
    assert few.runs_needed(0.05, 0.10) is None and few.prompts_needed(0.05, 0.10) is None
    both_runs, both_prompts = few.both_needed(0.05, 0.10)
    larger = replace(few.design, casts=(both_prompts // 12,) * 12).with_runs(both_runs)
    assert few.above(0.05, 0.10, larger) >= 0.8


def test_one_training_finds_nothing_and_no_runs_help_the_base():
    single = Reach(reach(3, *CASTS).outlook, Design((3, 1), *CASTS))
    assert single.smallest() is None and single.equivalence() is None
    assert single.above(0.0, 0.9) == single.within(0.9) == 0.0
    base = Reach(reach(3, *CASTS).outlook, Design((0, 0), *CASTS))
    assert base.runs_needed(0.1, 0.2) is None


# Simulated beforehand, with 1, 2, 3 runs an arm in each family.
@pytest.mark.parametrize(
    ("families", "points"),
    [
        (3, ((34, 27, 25), (44, 39, 38), (57, 54, 52))),
        (6, ((15, 12, 11), (19, 17, 17), (25, 24, 23))),
        (10, ((10, 8, 8), (13, 12, 11), (17, 16, 16))),
    ],
)
def test_points_found_over_families(families, points):
    for sd, row in zip((0.05, 0.10, 0.15), points, strict=True):
        for runs, expected in zip((1, 2, 3), row, strict=True):
            found = found_over_families(families, sd, 0.06, 0.03, runs)
            assert 100 * found == pytest.approx(expected, abs=0.7)


def test_two_families_find_nothing_that_there_is_and_one_is_none():
    assert found_over_families(2, 0.05, 0.06, 0.03, 3) > 0.85
    assert found_over_families(1, 0.05, 0.06, 0.03, 3) is None
