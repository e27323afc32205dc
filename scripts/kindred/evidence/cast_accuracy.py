"""How often exactly the people asked for are there: by cast, at worst, by the judge's threshold.

A picture is right when the members found are those asked for, each once, and the number of heads is
right. Knows pictures of casts; knows nothing of intervals or of words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from kindred.evidence.cast_images import (
    CastImage,
    grouped,
    over_casts,
)
from kindred.evidence.variant_statistics import Stat, number

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
# Two arms less than this apart are not said to be in any order.
TOLERANCE = 0.02
FEWEST_OF_HALF = 4  # pictures of a cast in each half, for the worst cast to be named


def by_cast(images: Sequence[CastImage]) -> Stat:
    """Share of right pictures of each cast, with the number of pictures."""
    return {
        name: {"mean": number(over_casts(own)), "images": len(own)}
        for name, own in grouped(images, lambda image: image.asked.name).items()
    }


def worst_cast(images: Sequence[CastImage]) -> Stat | None:
    """The cast that is right least often, named on one half of the pictures and read on the other,
    both ways, mean of both: the least of several means is too low by chance, one that was named
    elsewhere is not. Casts that tie count equally. None where a half has fewer than FEWEST_OF_HALF
    pictures of a cast."""
    each = [by_cast(half) for half in _halves(images)]
    casts = {image.asked.name for image in images}
    fewest = min((half.get(x, {"images": 0})["images"] for half in each for x in casts), default=0)
    if fewest < FEWEST_OF_HALF:
        return None
    values, named = [], []
    for naming, reading in (each, each[::-1]):
        least = min(one["mean"] for one in naming.values())
        worst = [name for name, one in naming.items() if one["mean"] == least]
        values.append(sum(reading[name]["mean"] for name in worst) / len(worst))
        named += [name for name in worst if name not in named]
    return {"mean": number(sum(values) / 2), "casts": named}


def _halves(images: Sequence[CastImage]) -> tuple[list[CastImage], list[CastImage]]:
    """Every second picture of each cast and canvas; which half begins turns with canvas and run, so
    that canvases are spread over both where each has one picture a run."""
    halves: tuple[list[CastImage], list[CastImage]] = ([], [])
    canvases = {canvas: n for n, canvas in enumerate(grouped(images, _canvas))}
    runs = {run: n for n, run in enumerate(grouped(images, lambda image: image.run))}
    places = grouped(images, lambda image: (image.asked.name, image.asked.canvas, image.run))
    for (_, canvas, run), own in places.items():
        for place, image in enumerate(own):
            halves[(place + canvases[canvas] + runs[run]) % 2].append(image)
    return halves


def _canvas(image: CastImage) -> str:
    return image.asked.canvas


def recognised_at(image: CastImage, threshold: float) -> tuple[str, ...]:
    """Who is found where identity must reach `threshold`: the most similar character or ''."""
    found = []
    for likeness in image.likeness:
        best = max(likeness, key=lambda letter: likeness[letter], default="")
        found.append(best if best and likeness[best] >= threshold else "")
    return tuple(found)


def right_at(image: CastImage, threshold: float) -> bool:
    """Whether a picture is right where identity must reach `threshold`."""
    members = sorted(letter for letter in recognised_at(image, threshold) if letter)
    return (tuple(members), len(image.found)) == image.outcome


def threshold_curve(images: Sequence[CastImage]) -> dict[str, float | None]:
    """Cast accuracy by the identity from which somebody counts as recognised."""
    return {
        f"{threshold:g}": number(over_casts(images, lambda one, t=threshold: right_at(one, t)))
        for threshold in THRESHOLDS
    }


def turning(curves: Mapping[str, Mapping[str, float | None]]) -> list[Stat]:
    """Pairs of arms whose order turns along the curve: one is above the other by more than
    TOLERANCE at one threshold, and below by more at another. Their order is no result."""
    found = []
    for one, other in combinations(curves, 2):
        gaps = {
            at: curves[one][at] - curves[other][at]
            for at in curves[one]
            if curves[one][at] is not None and curves[other].get(at) is not None
        }
        above = [at for at, gap in gaps.items() if gap > TOLERANCE]
        below = [at for at, gap in gaps.items() if gap < -TOLERANCE]
        if above and below:
            found.append({"arms": [one, other], "above": above, "below": below})
    return found
