"""Bits: known tables by hand, no bits where names say nothing, no number from few pictures."""

from __future__ import annotations

import numpy as np
import pytest
from casts_drawn import LANDSCAPE, WIDE, asked, drawn

from kindred.evidence.mutual_information import bits, corrected, entropy, plug_in

SUBSETS = ("", "A", "C", "J", "AC", "AJ", "CJ", "ACJ")


def test_a_table_by_hand():
    """Counts 3 1 / 1 3 of 8: 1 bit minus the entropy of (3/4, 1/4)."""
    a = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    b = np.array([0, 0, 0, 1, 0, 1, 1, 1])
    inner = -(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25))
    assert plug_in(a, b) == pytest.approx(1 - inner)
    assert entropy(a) == 1


def test_few_pictures_read_bits_by_chance_and_the_correction_takes_them_off():
    rng = np.random.default_rng(3)
    plain, mended = [], []
    for _ in range(20):
        a, b = rng.integers(0, 8, 192), rng.integers(0, 8, 192)
        plain.append(plug_in(a, b))
        mended.append(corrected(a, b, 50))
    assert np.mean(plain) > 0.15  # 49 / (2 * 192 ln 2) = 0.18 by Miller and Madow
    assert abs(np.mean(mended)) < 0.02


def _pictures(number: int, found, canvases=(WIDE, LANDSCAPE)):
    return [
        drawn(_asked(SUBSETS[n % 8], canvas), found(n), seed=n)
        for canvas in canvases
        for n in range(number)
    ]


def _asked(letters, canvas):
    return asked(letters, 0 if letters else 1, canvas)


def test_always_who_was_asked_for_is_all_bits_that_there_are():
    told = bits(_pictures(192, lambda n: SUBSETS[n % 8] or "."))
    assert told["most"] == pytest.approx(3.0)
    assert told["mean"] == pytest.approx(3.0, abs=0.25)  # the permutations' mean is taken off
    assert told["mean"] < 3


def test_a_consistent_swap_keeps_all_bits():
    swapped = str.maketrans("ACJ", "CJA")
    right = bits(_pictures(192, lambda n: SUBSETS[n % 8] or "."))
    assert bits(_pictures(192, lambda n: SUBSETS[n % 8].translate(swapped) or ".")) == right


def test_what_the_canvas_alone_decides_is_no_bit():
    """One thing on each canvas whoever is asked for."""
    images = [
        drawn(_asked(SUBSETS[n % 8], canvas), found, seed=n)
        for canvas, found in ((WIDE, "ACJ"), (LANDSCAPE, "A"))
        for n in range(192)
    ]
    assert bits(images)["mean"] == 0


def test_fewer_pictures_give_no_number_but_how_many_are_missing():
    told = bits(_pictures(100, lambda n: "A"))
    assert told["mean"] is None
    assert told["more"] == {WIDE: 92, LANDSCAPE: 92}
    assert told["images"] == {WIDE: 100, LANDSCAPE: 100}
