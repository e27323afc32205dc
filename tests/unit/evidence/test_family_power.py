"""What claims about families can find: against simulation, and by what it grows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from kindred.evidence.family_power import family_power, family_power_rows, family_power_table
from kindred.evidence.power import found_over
from kindred.specs.power import FamiliesPowerSpec

DESIGN = {"runs": (2, 2), "casts": [8] * 12, "pictures": 2, "strata": True, "macro": True}
CLAIM = {"claim": "c", "variant": "a", "against": "b", "measure": "cast", "prompt_set": "casts"}


def power(families: int, sequence: tuple[str, ...] = ("h",), **changes: Any) -> dict[str, Any]:
    names = ("h", "j", "k", "l", "m")
    told = {name: {**CLAIM, "margin": 0.1, **changes} for name in names}
    designs = {name: {f"f{n}": DESIGN for n in range(families)} for name in names}
    spec = FamiliesPowerSpec(name="x", hypotheses=told, sequence=list(sequence), designs=designs)
    return family_power(spec)["hypotheses"]


def test_the_first_of_four_finds_what_was_simulated():
    ten, six = power(10)["j"]["by_sd"], power(6)["j"]["by_sd"]
    assert 100 * ten["0.10"]["finds"] == pytest.approx(16, abs=1.5)
    assert 100 * six["0.10"]["finds"] == pytest.approx(24, abs=1.5)
    found = power(10)["h"]["by_sd"]["0.10"]
    assert 100 * found["finds"] == pytest.approx(12, abs=1) and power(10)["h"]["level"] == 0.95
    assert found["finds_beyond"] == pytest.approx(found["finds"] + 0.1)


def test_it_is_what_a_t_test_of_made_up_families_finds():
    one = power(10)["h"]
    found = one["by_sd"]["0.05"]
    deviation = (0.05**2 + one["within"] ** 2) ** 0.5
    drawn = np.random.default_rng(1).normal(found["finds"], deviation, (4000, 10))
    low = drawn.mean(1) - stats.t.ppf(0.975, 9) * drawn.std(1, ddof=1) / 10**0.5
    assert (low > 0).mean() == pytest.approx(0.8, abs=0.02)
    none = drawn - found["finds"]
    half = stats.t.ppf(0.95, 9) * none.std(1, ddof=1) / 10**0.5
    shown = (abs(none.mean(1)) + half < 0.1).mean()
    assert shown == pytest.approx(found["equal"], abs=0.02)


@pytest.mark.parametrize("level", [0.95, 1 - 0.05 / 3, 1 - 0.05 / 10])
def test_more_families_find_less(level):
    found = [found_over(n, 0.1, level) for n in range(2, 30)]
    assert found == sorted(found, reverse=True)


def test_two_families_find_nothing_and_likeness_has_no_model():
    assert power(2)["h"]["by_sd"]["0.05"] == {"finds": None, "finds_beyond": None, "equal": None}
    assert power(4, measure="identity")["h"]["by_sd"] == {}
    table = family_power_table({"name": "x", "power": 0.8, "hypotheses": power(4)})
    assert table.count("\n") == 16 and "if the effect's standard deviation" in table
    unknown = family_power_rows({"hypotheses": {"h": power(4, measure="identity")["h"]}})
    assert unknown[0][4] == "unknown"
