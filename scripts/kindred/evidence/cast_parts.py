"""What a right picture of a cast is made of: heads, each member alone, how alike they are.

Knows pictures of casts; knows nothing of words.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod

import numpy as np

from kindred.evidence.cast_images import (
    CastImage,
    grouped,
    over_casts,
    over_runs,
)
from kindred.evidence.variant_statistics import Stat


def counts(images: Sequence[CastImage]) -> Stat:
    """Share of pictures with as many heads as were asked for, and the mean of heads found minus
    asked (`difference`); the same on each canvas, because a canvas alone may set the number."""

    def of(own: Sequence[CastImage]) -> Stat:
        return {
            "right": over_runs(own, partial(over_casts, value=_counted)),
            "difference": over_runs(own, partial(over_casts, value=_surplus)),
        }

    canvases = grouped(images, lambda image: image.asked.canvas)
    return {**of(images), "canvases": {canvas: of(own) for canvas, own in canvases.items()}}


def _counted(image: CastImage) -> float:
    return float(len(image.found) == image.asked.heads)


def _surplus(image: CastImage) -> float:
    return float(len(image.found) - image.asked.heads)


def products(images: Sequence[CastImage]) -> Stat:
    """Canvas -> of groups of members: cast accuracy beside the product of its parts on the same
    canvas, which are the count and each member alone right; `gap`: accuracy minus product. Below 0
    people disturb each other. Canvases where some part was not asked for are left out."""
    found: Stat = {}
    family = [image for image in images if image.family]
    for canvas, own in grouped(family, lambda image: image.asked.canvas).items():
        told = {
            key: over_runs(own, lambda run, k=key: _parts(run)[k])
            for key in ("success", "count", "product", "gap")
        }
        if told["product"]:
            found[canvas] = told
    return found


def _parts(images: Sequence[CastImage]) -> dict[str, float]:
    """Of one run's pictures on one canvas; NaN where a part is missing."""
    alone = {
        own[0].asked.members[0]: float(np.mean([one.right for one in own]))
        for own in grouped(images, lambda image: image.asked.name).values()
        if len(own[0].asked.members) == 1
    }
    groups = [image for image in images if len(image.asked.members) > 1]
    casts = grouped(groups, lambda image: image.asked.name).values()
    success, count, product = [], [], []
    for own in casts:
        success.append(np.mean([one.right for one in own]))
        count.append(np.mean([_counted(one) for one in own]))
        singles = prod(alone.get(letter, float("nan")) for letter in own[0].asked.members)
        product.append(count[-1] * singles)
    if not success:
        return dict.fromkeys(("success", "count", "product", "gap"), float("nan"))
    means = {
        "success": float(np.mean(success)),
        "count": float(np.mean(count)),
        "product": float(np.mean(product)),
    }
    return means | {"gap": means["success"] - means["product"]}


def looks(images: Sequence[CastImage], letters: Sequence[str]) -> Stat:
    """Character -> identity where it was asked for and found: `alone`, and `together` with others;
    'mean': over characters, so that who is found most does not weigh most."""
    found: Stat = {}
    for letter in letters:
        asked = [one for one in images if letter in one.asked.members and letter in one.shown]
        single = [one for one in asked if one.asked.heads == 1]
        more = [one for one in asked if one.asked.heads > 1]
        of_letter = partial(_identity, letters=(letter,))
        told = {"alone": over_runs(single, of_letter), "together": over_runs(more, of_letter)}
        if any(told.values()):
            found[letter] = told
    if found:
        everyone = partial(_identity, letters=tuple(found))
        found["mean"] = {
            "alone": over_runs([x for x in images if x.asked.heads == 1], everyone),
            "together": over_runs([x for x in images if x.asked.heads > 1], everyone),
        }
    return found


def _identity(images: Sequence[CastImage], letters: Sequence[str]) -> float:
    """Mean over characters of the identity of those found where they were asked for."""
    means = []
    for letter in letters:
        values = [
            likeness[letter]
            for image in images
            if letter in image.asked.members
            for who, likeness in zip(image.found, image.likeness, strict=True)
            if who == letter and letter in likeness
        ]
        means += [float(np.mean(values))] if values else []
    return float(np.mean(means)) if means else float("nan")
