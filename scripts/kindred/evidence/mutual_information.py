"""How much who is asked for decides who is there, in bits.

Mutual information of two discrete variables, I = sum p(a, f) log2(p(a, f) / p(a) p(f)) (Shannon
1948). Of few pictures it reads too much by chance, so that the mean over permutations is taken off;
simulated, that leaves 0 at no dependence from 192 pictures on. Bits do not say that the *right*
people are there: a consistent swap keeps them all. Knows labels; knows nothing of words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kindred.evidence.cast_images import CastImage, grouped
from kindred.evidence.variant_statistics import Stat, number

FEWEST = 192  # pictures a canvas
PERMUTATIONS = 200
SEED = 20_260_102


def entropy(labels: np.ndarray) -> float:
    """Bits of a variable [N]."""
    _, counts = np.unique(labels, return_counts=True)
    share = counts / counts.sum()
    return float(-(share * np.log2(share)).sum())


def plug_in(a: np.ndarray, b: np.ndarray) -> float:
    """Mutual information [bits] of two variables [N], numbered from 0, as their shares say it."""
    joint = a * (int(b.max()) + 1) + b
    return entropy(a) + entropy(b) - entropy(joint)


def corrected(a: np.ndarray, b: np.ndarray, permutations: int = PERMUTATIONS) -> float:
    """Mutual information minus its mean over permutations of one variable, which is what chance
    alone reads in as many pictures. May be a little below 0."""
    rng = np.random.default_rng(SEED)
    chance = [plug_in(a, rng.permutation(b)) for _ in range(permutations)]
    return plug_in(a, b) - float(np.mean(chance))


def bits(images: Sequence[CastImage]) -> Stat:
    """Information between the members asked for and those found, given the canvas: the mean over
    canvases, all runs together; `most`: that of always exactly who was asked for. No number with
    fewer than FEWEST pictures on a canvas: then `more` says how many each lacks."""
    canvases = grouped(images, lambda image: image.asked.canvas)
    counts = {canvas: len(own) for canvas, own in canvases.items()}
    found: Stat = {"images": counts, "needed": FEWEST, "mean": None, "most": None}
    found["more"] = {canvas: FEWEST - n for canvas, n in counts.items() if n < FEWEST}
    if not counts or found["more"]:
        return found
    pairs = [(_numbered(own, _asked), _numbered(own, _shown)) for own in canvases.values()]
    found["mean"] = number(np.mean([corrected(a, f) for a, f in pairs]))
    found["most"] = number(np.mean([entropy(a) for a, _ in pairs]))
    return found


def _asked(image: CastImage) -> tuple[str, ...]:
    return tuple(sorted(image.asked.members))


def _shown(image: CastImage) -> tuple[str, ...]:
    return tuple(sorted(image.shown))


def _numbered(images: Sequence[CastImage], of: Any) -> np.ndarray:
    """What pictures have, as numbers from 0."""
    names = [of(image) for image in images]
    number = {name: n for n, name in enumerate(dict.fromkeys(names))}
    return np.array([number[name] for name in names], dtype=int)
