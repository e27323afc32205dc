"""d' and bias with the log-linear correction, against figures worked out apart."""

from __future__ import annotations

import pytest
from casts_drawn import asked, drawn
from scipy import stats

from kindred.evidence.detection import Detection, detection, detections


@pytest.mark.parametrize(
    ("counts", "sensitivity", "bias"),
    [
        ((90, 96, 12, 80), 2.52, -0.24),
        ((66, 96, 50, 80), 0.17, None),
        ((96, 96, 0, 80), 5.07, None),
    ],
)
def test_figures_that_the_definition_gives(counts, sensitivity, bias):
    one = Detection(*counts)
    assert one.sensitivity == pytest.approx(sensitivity, abs=0.005)
    if bias is not None:
        assert one.bias == pytest.approx(bias, abs=0.005)


def test_all_right_is_the_ceiling_and_chance_is_nothing():
    assert Detection(96, 96, 0, 80).sensitivity == Detection(3, 96, 60, 80).ceiling
    assert Detection(40, 80, 40, 80).sensitivity == 0


def test_against_normal_quantiles_from_scipy():
    z = stats.norm.ppf
    one = Detection(5, 8, 2, 10)
    assert one.sensitivity == pytest.approx(z(5.5 / 9) - z(2.5 / 11))
    assert one.bias == pytest.approx(-(z(5.5 / 9) + z(2.5 / 11)) / 2)


def test_a_character_uncalled_is_a_false_alarm_wherever_it_appears():
    images = [drawn("A", "A"), drawn("J", "AJ"), drawn(asked("", 1), "A"), drawn("AJ", "J.")]
    one = detection(images, "A")
    assert (one.hits, one.asked, one.false_alarms, one.others) == (1, 2, 2, 2)


def test_twice_in_a_picture_is_one_hit():
    assert detection([drawn("A", "AA"), drawn("J", "J")], "A").hits == 1


def test_sensitivity_is_a_mean_over_runs():
    images = [drawn("A", "A", run=1), drawn("J", "J", run=1)]
    images += [drawn("A", "J", run=2), drawn("J", "A", run=2)]
    told = detections(images, ["A"])["A"]
    best = 2 * stats.norm.ppf(0.75)  # of one hit of one, and no false alarm of one
    assert told["sensitivity"]["mean"] == 0
    assert told["ceiling"] == pytest.approx(best, abs=1e-4)
    high = 2**0.5 * best / 2**0.5 * stats.t.ppf(0.975, 1)
    assert told["sensitivity"]["high"] == pytest.approx(high, rel=1e-3)


def test_a_character_asked_for_always_has_no_sensitivity():
    assert detections([drawn("A", "A")], ["A"]) == {}
