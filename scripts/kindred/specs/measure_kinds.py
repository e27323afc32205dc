"""What kind of number a measure is: a proportion, a likeness, a distance.

Knows numbers and their scales; knows no measure.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """What kind of number a measure is.

    binary: a picture's value is 0 or 1, so that counting statistics bound an interval. bounds: the
    mean can't lie outside, so its interval ends there; None: it can, or the judge decides, as
    `by_values`. ends: where the scale begins and ends; an interval that reaches beyond one is shown
    as reaching it. percent: written as a share of 100. bar: drawn as a bar in tables. says: a
    picture's number in words, with its unit.
    """

    binary: bool = False
    bounds: tuple[float, float] | None = None
    by_values: bool = False
    ends: tuple[float | None, float | None] = (None, None)
    percent: bool = False
    bar: bool = False
    says: str = ""

    def reaches(self, mean: float, low: float, high: float) -> tuple[bool, bool]:
        """Whether an interval reaches below the scale's begin, and above its end, from a mean that
        does not. Where bounds hold it can't."""
        begin, end = self.ends
        return (
            begin is not None and low < begin <= mean,
            end is not None and mean <= end < high,
        )

    def bounded(self, lowest: float, highest: float) -> bool:
        """Whether the mean of values from `lowest` to `highest` lies between 0 and 1 for sure."""
        return self.bounds is not None or (self.by_values and lowest >= 0 and highest <= 1)


UNIT = (0.0, 1.0)
SHARE = Kind(
    binary=True,
    bounds=UNIT,
    ends=UNIT,
    percent=True,
    bar=True,
    says="0 or 1 a picture; the mean is a proportion, written in %",
)
FRACTION = Kind(
    bounds=UNIT, ends=UNIT, percent=True, bar=True, says="0 to 1 a picture, written in %"
)
GRADE = Kind(bounds=UNIT, ends=UNIT, says="0 to 1 a picture")
# Two marks make this scale, and single values lie beyond them: who is less alike than a stranger.
LIKENESS = Kind(ends=UNIT, bar=True, says="no unit; 0 a stranger, 1 another photo of the person")
# A probability or a cosine, by the judge.
FIT = Kind(
    by_values=True,
    says="the lab’s judge: a probability, 0 to 1; judges of photos: a cosine, −1 to 1",
)
DISTANCE = Kind(
    ends=(0.0, None), says="by d: 1 − cosine, 0 to 2; or a difference of pixels, 0 to 1"
)
RATIO = Kind(percent=True, bar=True)  # of one mean to another; no measure of a picture
