"""Whether the right people stand where they were asked to, and wear what they were asked to wear.

Knows pictures of casts; knows nothing of judges or of words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import factorial, prod

import numpy as np

from kindred.evidence.cast_images import CastImage, over_casts, over_runs
from kindred.evidence.variant_statistics import Stat, number


def order(images: Sequence[CastImage]) -> Stat | None:
    """Of prompts that say who stands where among two people or more: `share` of the pictures whose
    cast is right that have the order too, `chance` of those if people stood at random (1/k! of k
    different people; strangers count as equal), and `both`: cast and order right, of all pictures
    (mean over casts). None where no prompt says an order."""
    told = [image for image in images if len(image.asked.order) > 1]
    if not told:
        return None
    right = [image for image in told if image.right]
    return {
        "images": len(told),
        "right": len(right),
        "share": over_runs(right, lambda own: float(np.mean([_ordered(one) for one in own]))),
        "chance": number(np.mean([_order_chance(one) for one in right])) if right else None,
        "both": over_runs(told, lambda own: over_casts(own, lambda x: x.right and _ordered(x))),
    }


def _ordered(image: CastImage) -> bool:
    return image.found == tuple(image.asked.order)


def _order_chance(image: CastImage) -> float:
    """One over the number of rows in which the people asked for can stand."""
    alike = Counter(image.asked.order).values()
    return prod(factorial(n) for n in alike) / factorial(len(image.asked.order))


def garments(images: Sequence[CastImage]) -> Stat | None:
    """Of prompts that say what two members or more wear: of every member asked for who is found,
    the share that wear their own garment (`right`), whose garment somebody else wears instead
    (`swapped`), and that are in a picture in which everybody wears one and the same of them
    (`same`); `chance`: own garment if the garments were dealt at random, 1/k. None where no prompt
    says garments, or none of these people was found."""
    told = [image for image in images if len(image.asked.wears) > 1]
    found = [(image, letter) for image in told for letter in image.asked.wears]
    found = [(image, letter) for image, letter in found if letter in image.shown]
    if not found:
        return None
    runs = [image for image, _ in found]

    def share(of: str) -> Stat | None:
        return over_runs(runs, lambda own: _mean_of(own, of))

    return {
        "people": len(found),
        "asked": sum(len(image.asked.wears) for image in told),
        "right": share("right"),
        "swapped": share("swapped"),
        "same": share("same"),
        "chance": number(np.mean([1 / len(image.asked.wears) for image, _ in found])),
    }


def _mean_of(images: Sequence[CastImage], of: str) -> float:
    """Share of people in distinct pictures of whom something is true."""
    distinct = {(image.prompt, image.seed): image for image in images}.values()
    told = [
        _worn(image, letter)[of]
        for image in distinct
        for letter in image.asked.wears
        if letter in image.shown
    ]
    return float(np.mean(told))


def _worn(image: CastImage, letter: str) -> dict[str, bool]:
    """What is true of a member's garment; of somebody there twice one in it is enough."""
    wanted = image.asked.wears[letter]
    own = [worn for who, worn in zip(image.found, image.wears, strict=True) if who == letter]
    others = [worn for who, worn in zip(image.found, image.wears, strict=True) if who != letter]
    right = wanted in own
    return {
        "right": right,
        "swapped": not right and wanted in others,
        "same": len(image.wears) > 1 and len(set(image.wears)) == 1 and bool(image.wears[0]),
    }


def reads_garments(images: Sequence[CastImage]) -> bool:
    """Whether the judge saw any garment asked for on anybody: one that can't read clothes never
    does."""
    return any(worn for image in images for worn in image.wears)
