"""Copies by variant: shares, and how pictures rank among photos that were not trained on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm

from kindred.evidence.copies import copies_part, mann_whitney

TOLD = {
    "photos": 4,
    "composites": 2,
    "real_photos": 4,
    "line": 0.1,
    "line_bits": 12.0,
    "held_out": [0.05, 0.3, 0.4, 0.5],
    "held_out_bits": [30.0, 40.0, 11.0, 10.0],
}


def picture(run, near, composite="", copied="0", bits="0", layout=""):
    """A row of scores of kind image."""
    return {
        "kind": "image",
        "run": str(run),
        "nearest_distance": str(near),
        "nearest_composite_distance": str(composite),
        "copied": copied,
        "copied_by_bits": bits,
        "same_layout": layout,
    }


@pytest.mark.parametrize("seed", range(4))
def test_z_is_that_of_scipy(seed):
    rng = np.random.default_rng(seed)
    pictures, photos = rng.normal(0.2 * seed, 1, 40), rng.normal(0, 1, 15)
    if seed % 2:  # with ties
        pictures, photos = pictures.round(1), photos.round(1)
    nearer, z = mann_whitney(list(pictures), list(photos))
    for side, tail in (("less", norm.cdf(z)), ("greater", norm.sf(z))):
        options = {"alternative": side, "use_continuity": False, "method": "asymptotic"}
        u, p = mannwhitneyu(pictures, photos, **options)
        assert p == pytest.approx(tail)
    assert nearer == pytest.approx(1 - u / (40 * 15))


def test_pictures_nearer_than_all_photos_are_below_zero_by_hand():
    nearer, z = mann_whitney([0.1, 0.2], [0.3, 0.4, 0.5])
    # U = 0, mean 3, variance 2 * 3 * 6 / 12.
    assert nearer == 1 and z == pytest.approx(-3 / np.sqrt(3))
    assert mann_whitney([0.5], [0.5]) == (0.5, 0.0)


def test_a_variant_s_copies_and_those_among_other_photos():
    rows = [
        picture(1, 0.05, 0.5, copied="1", bits="1", layout="0"),
        picture(1, 0.6, 0.02, copied="1", layout="1"),
        picture(2, 0.35, 0.45, layout="0"),
        picture(2, 0.45, 0.6),
        {"kind": "person", "run": "2"},
    ]
    statistic = {"mean": 0.5, "low": 0.1, "high": 0.9, "runs": 2, "images": 4}
    part = copies_part({"all": rows}, {"all": TOLD}, {"all": {"all": statistic}})["all"]
    assert part["copied"] == statistic
    assert (part["photos"], part["composites"], part["line"]) == (4, 2, 0.1)
    assert part["copied_by_bits"] == 0.25
    assert part["same_layout"] == pytest.approx(1 / 3, abs=1e-4)
    held = part["held_out"]
    assert (held["photos"], held["copied"], held["copied_by_bits"]) == (4, 0.25, 0.5)
    # Run 1: .05 (a tie) and .02; run 2: .35 and .45, both run by run.
    runs = [mann_whitney(x, TOLD["held_out"]) for x in ([0.05, 0.02], [0.35, 0.45])]
    assert held["nearer"] == pytest.approx(np.mean([n for n, _ in runs]), abs=1e-4)
    assert held["z"] == pytest.approx(np.mean([z for _, z in runs]), abs=1e-4)


def test_without_other_photos_composites_or_training_pictures():
    rows = {"all": [picture(1, 0.2)], "BASE": [picture(1, "")]}
    told = {
        "all": {**TOLD, "composites": 0, "held_out": [], "held_out_bits": []},
        "BASE": {**TOLD, "photos": 0, "composites": 0},
    }
    part = copies_part(rows, told, {"all": {}, "BASE": {}})
    assert list(part) == ["all"]
    assert part["all"]["held_out"] is None and part["all"]["same_layout"] is None
