"""The step with the least loss on held-out photos, and how well it tells the step that a judge
picks.

Knows losses and figures by step; knows nothing of files or pictures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from kindred.evidence.intervals import LEVEL
from kindred.evidence.step_losses import StepLosses
from kindred.evidence.variant_statistics import number
from kindred.training.held_out_curve import COLUMN

Json = dict[str, Any]
Values = Sequence[float | None]
FEWEST = 4  # pairs below which a rank correlation has no interval
TRAINING_LOSS = "training_loss"


def loss_figures(runs: Sequence[StepLosses]) -> Json:
    """The losses as measures of a series: `mean` a statistic a step, and `runs`."""
    found = {
        COLUMN: [list(one.held_out) for one in runs],
        TRAINING_LOSS: [list(one.training) for one in runs],
    }
    return {key: {"mean": _means(values), "runs": values} for key, values in found.items()}


def held_out_choice(steps: Sequence[int], runs: Sequence[StepLosses]) -> Json:
    """The step with the least held-out loss by the mean over runs and in each of them, and the loss
    there and at the last step."""
    means = [one["mean"] for one in _means([one.held_out for one in runs])]
    least = int(np.argmin(means))
    return {
        "step": steps[least],
        "value": means[least],
        "last": means[-1],
        "step_of_runs": [steps[int(np.argmin(one.held_out))] for one in runs],
    }


def agreement(
    steps: Sequence[int], losses: Sequence[Sequence[float]], judged: Sequence[Values],
    picked: Sequence[int | None], least: Sequence[int],
) -> Json:  # fmt: skip
    """How well the step with the least held-out loss tells the step that the judge picks.

    losses, judged: of each run, by step. picked, least: each run's step by the judge and by the
    loss. `rank_correlation`: Spearman's over runs, with the interval of Fisher's z at a standard
    error of sqrt(1.06 / (n - 3)) (Fieller, Hartley and Pearson 1957); None where either is the same
    in all runs. `within`: the mean over runs of Spearman's over steps between what the judge reads
    and the loss, sign turned, so that 1 is the same order. `lost`: by how much the judge reads less
    at the step of the loss, mean over runs.
    """
    pairs = [(a, b) for a, b in zip(picked, least, strict=True) if a is not None]
    rho = spearman([a for a, _ in pairs], [b for _, b in pairs])
    within = [spearman(read, [-x for x in of]) for read, of in zip(judged, losses, strict=True)]
    known = [one for one in within if one is not None]
    lost = [
        read[steps.index(a)] - read[steps.index(b)]
        for read, a, b in zip(judged, picked, least, strict=True)
        if a is not None and read[steps.index(a)] is not None and read[steps.index(b)] is not None
    ]
    low, high = _interval(rho, len(pairs))
    return {
        "runs": len(pairs),
        "same": sum(a == b for a, b in pairs),
        "rank_correlation": number(rho),
        "low": number(low),
        "high": number(high),
        "within": number(float(np.mean(known))) if known else None,
        "lost": number(float(np.mean(lost))) if lost else None,
    }


def spearman(x: Values, y: Values) -> float | None:
    """Spearman's rank correlation of the pairs that are known, ties by their mean rank; None where
    one of the two does not vary."""
    pairs = [(a, b) for a, b in zip(x, y, strict=True) if a is not None and b is not None]
    ranks = [rankdata(column) for column in zip(*pairs, strict=True)]
    if not ranks or any(np.ptp(one) == 0 for one in ranks):
        return None
    return float(np.corrcoef(*ranks)[0, 1])


def _interval(rho: float | None, pairs: int) -> tuple[float | None, float | None]:
    if rho is None or pairs < FEWEST or abs(rho) > 1 - 1e-9:
        return None, None
    reach = ndtri((1 + LEVEL) / 2) * math.sqrt(1.06 / (pairs - 3))
    return math.tanh(math.atanh(rho) - reach), math.tanh(math.atanh(rho) + reach)


def _means(runs: Sequence[Values]) -> list[Json]:
    """Of each step the mean over runs, as a statistic."""
    columns = zip(*runs, strict=True)
    known = [[value for value in column if value is not None] for column in columns]
    return [{"mean": round(float(np.mean(one)), 6) if one else None} for one in known]
