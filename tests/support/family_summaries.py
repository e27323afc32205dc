"""Figures of cast sets as summary.json has them, for tests of what is compared over families."""

from __future__ import annotations

from typing import Any


def stat(mean: float | None) -> dict[str, Any] | None:
    """A statistic; None of None."""
    return None if mean is None else {"mean": mean, "low": None, "high": None}


def cast_figures(
    mean: float,
    casts: dict[str, float] | None = None,
    looks: dict[str, tuple[float, float]] | None = None,
) -> dict[str, Any]:
    """One variant's figures of a cast set: `mean` of all casts; casts: mean of each; looks: of each
    person alone and in groups."""
    looks = looks or {}
    alone, together = ([pair[n] for pair in looks.values()] for n in (0, 1))
    told = {who: {"alone": stat(a), "together": stat(b)} for who, (a, b) in looks.items()}
    both = {
        "alone": stat(sum(alone) / len(alone) if alone else None),
        "together": stat(sum(together) / len(together) if together else None),
    }
    return {
        "accuracy": {kind: stat(mean) for kind in ("all", "family", "others")},
        "worst": {"mean": mean, "casts": ["A"]},
        "casts": {name: {"mean": one, "images": 16} for name, one in (casts or {}).items()},
        "detection": {"A": {"sensitivity": stat(2.0)}, "J": {"sensitivity": stat(3.0)}},
        "bits": {"mean": 1.5},
        "order": None,
        "garments": {"right": stat(0.5)},
        "looks": {**told, "mean": both},
    }
