"""The decay of averaged weights by step, with the usual young-age correction. Pure numbers."""

from __future__ import annotations


def decay_at(step: int, decay: float) -> float:
    """The decay of optimizer step `step` (0-based): min(decay, (1 + t) / (10 + t)), so that the
    random start is soon forgotten."""
    return min(decay, (1 + step) / (10 + step))


def share_taken(step: int, decay: float) -> float:
    """Share of the newest weights in the average after optimizer step `step` (0-based)."""
    return 1 - decay_at(step, decay)
