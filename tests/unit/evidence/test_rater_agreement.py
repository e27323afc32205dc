"""Krippendorff's alpha against the values of his own example."""

from __future__ import annotations

import pytest

from kindred.evidence.rater_agreement import alpha, nominal, ordinal

# Krippendorff 2011, data of four observers and twelve units ('.': no rating).
OBSERVERS = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
UNITS = [[int(x) - 1 for x in unit if x != "."] for unit in zip(*OBSERVERS, strict=True)]


@pytest.mark.parametrize(("distance", "value"), [(nominal, 0.743), (ordinal, 0.815)])
def test_it_is_that_of_the_example(distance, value):
    assert alpha(UNITS, 5, distance) == pytest.approx(value, abs=5e-4)


def test_nothing_is_said_of_one_rater_or_of_equal_answers():
    assert alpha([[0], [1]], 2, nominal) is None
    assert alpha([[1, 1], [1, 1]], 2, nominal) is None
    assert alpha([[0, 0], [1, 1]], 2, nominal) == 1
