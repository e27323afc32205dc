"""Count, product of parts and looks, against figures by hand."""

from __future__ import annotations

import pytest
from casts_drawn import LANDSCAPE, WIDE, asked, drawn

from kindred.evidence.cast_parts import counts, looks, products


def test_heads_found_minus_asked_keep_their_sign():
    images = [
        drawn(asked("A", canvas=WIDE), "AAA"),
        drawn(asked("AJ", canvas=WIDE), "AJ"),
        drawn(asked("AJ", canvas=LANDSCAPE), "A", seed=2),
        drawn(asked("AJ", canvas=LANDSCAPE), ".J", seed=3),
    ]
    told = counts(images)
    assert told["canvases"][WIDE]["difference"]["mean"] == pytest.approx(1.0)
    assert told["canvases"][LANDSCAPE]["difference"]["mean"] == pytest.approx(-0.5)
    assert told["canvases"][LANDSCAPE]["right"]["mean"] == pytest.approx(0.5)
    # mean over casts: A +2; A+J of three pictures 0, -1, 0
    assert told["difference"]["mean"] == pytest.approx((2 - 1 / 3) / 2, abs=1e-4)


def test_a_group_beside_the_product_of_its_parts_on_the_same_canvas():
    single = [("A", "A."), ("J", "JJJ.")]  # right in 1/2 and 3/4
    images = [
        drawn(asked(letter, canvas=WIDE), x, seed=n)
        for letter, found in single
        for n, x in enumerate(found)
    ]
    pair = asked("AJ", canvas=WIDE)
    images += [drawn(pair, found, seed=n) for n, found in enumerate(["AJ", "A.", "A", "J."])]
    images += [drawn(asked("A", canvas=LANDSCAPE), "A")]
    told = products(images)
    assert set(told) == {WIDE}
    assert told[WIDE]["success"]["mean"] == pytest.approx(1 / 4)
    assert told[WIDE]["count"]["mean"] == pytest.approx(3 / 4)
    assert told[WIDE]["product"]["mean"] == pytest.approx(3 / 4 * 1 / 2 * 3 / 4, abs=1e-4)
    assert told[WIDE]["gap"]["mean"] == pytest.approx(1 / 4 - 9 / 32, abs=1e-4)


def test_a_group_without_its_singles_has_no_product():
    assert products([drawn("AJ", "AJ")]) == {}


def test_looks_are_of_those_found_and_every_character_weighs_the_same():
    images = [drawn("A", "A", seed=n, likeness=0.8) for n in range(9)]
    images += [drawn("J", "J", likeness=0.6), drawn("J", "A", seed=2, likeness=0.9)]
    images += [drawn("AJ", "A.", likeness=0.7)]
    told = looks(images, "ACJ")
    assert told["A"]["alone"]["mean"] == pytest.approx(0.8)
    assert told["J"]["alone"]["mean"] == pytest.approx(0.6)
    assert told["mean"]["alone"]["mean"] == pytest.approx(0.7)
    assert told["A"]["together"]["mean"] == pytest.approx(0.7)
    assert told["J"]["together"] is None
    assert "C" not in told
