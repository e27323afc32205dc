"""Whether a character comes when called, and stays away when not: sensitivity and bias.

A picture that asks for x and shows x is a hit, one that asks for others and shows x a false alarm
(Green and Swets 1966, "Signal Detection Theory and Psychophysics"). Shares of 0 and 1 have no
normal quantile, so half a picture is added to both counts of each share (the log-linear correction,
Hautus 1995, doi 10.3758/BF03203619). Knows pictures of casts; knows nothing of words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import ndtri

from kindred.evidence.cast_images import CastImage, over_runs
from kindred.evidence.variant_statistics import Stat, number


@dataclass(frozen=True)
class Detection:
    """How often a character is there in the pictures that ask for it, and in the others."""

    hits: int
    asked: int
    false_alarms: int
    others: int

    @property
    def known(self) -> bool:
        """Whether pictures of both sorts exist."""
        return self.asked > 0 and self.others > 0

    @property
    def sensitivity(self) -> float:
        """d': z(hits) - z(false alarms); 0 where the name changes nothing."""
        return self._hit - self._alarm

    @property
    def bias(self) -> float:
        """c: above 0 where the character is shown rarely whatever is asked, below 0 often."""
        return -(self._hit + self._alarm) / 2

    @property
    def ceiling(self) -> float:
        """The largest d' that so few pictures can give: every hit, no false alarm."""
        return Detection(self.asked, self.asked, 0, self.others).sensitivity

    @property
    def _hit(self) -> float:
        return float(ndtri((self.hits + 0.5) / (self.asked + 1)))

    @property
    def _alarm(self) -> float:
        return float(ndtri((self.false_alarms + 0.5) / (self.others + 1)))


def detection(images: Sequence[CastImage], letter: str) -> Detection:
    """Hits and false alarms of one character."""
    asked = [letter in image.shown for image in images if letter in image.asked.members]
    others = [letter in image.shown for image in images if letter not in image.asked.members]
    return Detection(sum(asked), len(asked), sum(others), len(others))


def detections(images: Sequence[CastImage], letters: Sequence[str]) -> Stat:
    """Of every character: counts of all runs together, d' and c as means over runs, and the largest
    d' that one run of this size can give (of the smallest run)."""
    found: Stat = {}
    runs = sorted({image.run for image in images})
    for letter in letters:
        every = detection(images, letter)
        each = [detection([one for one in images if one.run == run], letter) for run in runs]
        if not every.known:
            continue
        found[letter] = {
            "hits": every.hits,
            "asked": every.asked,
            "false_alarms": every.false_alarms,
            "others": every.others,
            "sensitivity": over_runs(images, lambda own, x=letter: _known(own, x, "sensitivity")),
            "bias": over_runs(images, lambda own, x=letter: _known(own, x, "bias")),
            "ceiling": number(min(one.ceiling for one in each if one.known)),
        }
    return found


def _known(images: Sequence[CastImage], letter: str, figure: str) -> float | None:
    one = detection(images, letter)
    return getattr(one, figure) if one.known else None
