"""Agreement between raters: Krippendorff's alpha.

1 perfect, 0 as by chance. Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"; any
number of raters, and not everybody has to rate everything. Knows ratings as numbers of categories;
knows nothing of files or pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

Distance = Callable[[np.ndarray], np.ndarray]  # how often each category came [C] -> squares [C, C]


def alpha(units: Iterable[Sequence[int]], categories: int, distance: Distance) -> float | None:
    """units: of each thing that was rated the categories, 0 to categories - 1, that raters gave it.
    None without two ratings of one thing, or when all are equal."""
    coincidence = np.zeros((categories, categories))
    for given in units:
        if len(given) > 1:
            counts = np.bincount(np.array(given), minlength=categories).astype(float)
            coincidence += (np.outer(counts, counts) - np.diag(counts)) / (len(given) - 1)
    total = coincidence.sum(0)
    n = total.sum()
    if n < 2:
        return None
    squares = distance(total)
    expected = (np.outer(total, total) - np.diag(total)) / (n - 1)
    by_chance = float((expected * squares).sum())
    return 1 - float((coincidence * squares).sum()) / by_chance if by_chance else None


def nominal(total: np.ndarray) -> np.ndarray:
    """1 between any two categories."""
    return 1.0 - np.eye(len(total))


def ordinal(total: np.ndarray) -> np.ndarray:
    """Squared number of ratings between two categories, half of the end ones counted."""
    steps = np.zeros((len(total), len(total)))
    for low in range(len(total)):
        for high in range(low + 1, len(total)):
            between = total[low : high + 1].sum() - (total[low] + total[high]) / 2
            steps[low, high] = steps[high, low] = between**2
    return steps
