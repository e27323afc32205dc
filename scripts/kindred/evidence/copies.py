"""Copies of training photos and composites: how many, and whether that is more than chance.

A part of summary.json, `copies`: variant -> Q, the share of its pictures that lie nearer to a
picture trained on than the 1 % quantile of photos' distances to their nearest other photo, and what
Q is held against. Knows rows of scores and what scoring tells of the pictures trained on; knows
nothing of vectors.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

from kindred.evidence.variant_statistics import number

Json = dict[str, Any]
DISTANCES = ("nearest_distance", "nearest_composite_distance")


def copies_part(
    rows: Mapping[str, Sequence[Mapping[str, str]]],
    told: Mapping[str, Json],
    statistics: Mapping[str, Json],
) -> Json:
    """Variant -> its copies, for those with pictures and at least one picture trained on.

    rows: of scores, by variant. told: as scoring/training_pictures.py tells of each. statistics:
    by variant the measure `copied` by scope.
    """
    return {
        name: _of_variant(rows[name], known, statistics[name])
        for name, known in told.items()
        if rows.get(name) and known["photos"] + known["composites"]
    }


def _of_variant(rows: Sequence[Mapping[str, str]], told: Json, statistic: Json) -> Json:
    images = [row for row in rows if row["kind"] == "image"]
    return {
        "photos": told["photos"],
        "composites": told["composites"],
        "real_photos": told["real_photos"],
        "line": number(told["line"]),
        "line_bits": number(told["line_bits"]),
        "copied": statistic.get("all"),
        "copied_by_bits": _share(images, "copied_by_bits"),
        "same_layout": _share(images, "same_layout"),
        "held_out": _held_out(images, told),
    }


def _held_out(images: Sequence[Mapping[str, str]], told: Json) -> Json | None:
    """The same of photos that were not trained on, and how pictures rank among them; None without
    any."""
    photos = told["held_out"]
    by_run: dict[str, list[float]] = defaultdict(list)
    for row in images:
        known = [float(row[name]) for name in DISTANCES if row[name]]
        by_run[row["run"]] += [min(known)] if known else []
    runs = [mann_whitney(values, photos) for values in by_run.values() if values and photos]
    if not runs:
        return None
    return {
        "photos": len(photos),
        "copied": _below(photos, told["line"]),
        "copied_by_bits": _below(told["held_out_bits"], told["line_bits"]),
        "nearer": number(float(np.mean([nearer for nearer, _ in runs]))),
        "z": number(float(np.mean([z for _, z in runs]))),
    }


def mann_whitney(pictures: Sequence[float], photos: Sequence[float]) -> tuple[float, float]:
    """(Share of pairs in which the picture is nearer than the photo, equal ones counted half; z).

    z is Mann and Whitney's U of the pictures' distances, less its mean and over its deviation with
    the correction for ties and none for continuity: below 0 where pictures lie nearer to what was
    trained on than photos that were not, as Z_U of Meehan et al. 2020 (arXiv 2004.05675). 0 where
    all distances are equal.
    """
    m, n = len(pictures), len(photos)
    everything = np.concatenate([pictures, photos])
    above = float(rankdata(everything)[:m].sum()) - m * (m + 1) / 2
    _, ties = np.unique(everything, return_counts=True)
    total = m + n
    tied = float((ties**3 - ties).sum()) / (total * (total - 1))
    variance = m * n / 12 * (total + 1 - tied)
    z = (above - m * n / 2) / np.sqrt(variance) if variance > 0 else 0.0
    return 1 - above / (m * n), float(z)


def _share(images: Sequence[Mapping[str, str]], column: str) -> float | None:
    """Mean of a column of truth values where it says something; None where it never does."""
    known = [float(row[column]) for row in images if row[column]]
    return number(float(np.mean(known))) if known else None


def _below(values: Sequence[float], line: float | None) -> float | None:
    if line is None or not values:
        return None
    return number(float(np.mean(np.asarray(values) < line)))
