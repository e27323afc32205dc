"""People's choices between two pictures, and how often each variant is preferred by them.

Knows pairs.csv (rater, who, left, right, choice) and the model of Bradley and Terry (1952), "Rank
analysis of incomplete block designs": variant i is chosen over j with probability 1 / (1 + e^-(s_i
- s_j)); "equal" is half a choice of each. Strengths have a normal prior of SD 3, so that who always
wins is not infinitely strong. Choices between pictures of one prompt and seed, by whomever, come
together into the bootstrap, because they are of the same pictures.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from kindred.common.errors import Problems

COLUMNS = ("rater", "who", "left", "right", "choice", "seconds", "rated_at")
NEEDED = COLUMNS[:5]
CHOICES = ("left", "right", "equal")
PRIOR = 3.0  # SD of strengths
DRAWS = 400
AGAIN = "save it again from the page of pairs (`pairs.html`)"
Asked = tuple[str, str, int]  # prompt set, prompt, seed


@dataclass(frozen=True)
class Choice:
    """One person's choice between two pictures, by their keys."""

    rater: str
    who: str
    left: str
    right: str
    choice: str


@dataclass(frozen=True)
class Preference:
    """How often a variant's picture is preferred to another variant's, averaged over the others:
    0..1, by the model, with its 95 % interval; compared: in how many choices it stood."""

    variant: str
    share: float
    low: float
    high: float
    compared: int


def read_choices(paths: Sequence[Path]) -> list[Choice]:
    """All choices; of one person on the same two pictures the last counts. Raises ProblemsError
    naming every line that is none."""
    problems, last = Problems("choices between pictures can't be read"), {}
    for path in paths:
        for number, row in enumerate(_rows(path, problems), 2):
            if row["choice"] not in CHOICES or not (row["left"] and row["right"] and row["who"]):
                what = f"'{row['choice']}' between '{row['left'][:12]}' and '{row['right'][:12]}'"
                cure = (
                    f"write {', '.join(CHOICES)} with both keys and who it is, or remove the line"
                )
                problems.add(f"{path}:{number}", what, cure)
                continue
            one = Choice(row["rater"] or path.stem, *(row[name] for name in NEEDED[1:]))
            last[one.rater, one.who, frozenset((one.left, one.right))] = one
    problems.raise_if_any()
    return list(last.values())


def _rows(path: Path, problems: Problems) -> list[dict[str, str]]:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            lacking = [name for name in NEEDED if name not in (reader.fieldnames or ())]
            if not lacking:
                return [{name: (row[name] or "").strip() for name in NEEDED} for row in reader]
            problems.add(str(path), f"has no column {', '.join(lacking)}", AGAIN)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.add(str(path), f"can't be read ({error})", AGAIN)
    return []


def preferences(
    choices: Sequence[Choice], pictures: Mapping[str, tuple[str, Asked]]
) -> list[Preference]:
    """The variants that were compared, most preferred first. pictures: key -> variant, and what it
    was asked for; choices of other pictures are left out."""
    known = [one for one in choices if {one.left, one.right} <= pictures.keys()]
    names = sorted({pictures[key][0] for one in known for key in (one.left, one.right)})
    if len(names) < 2:
        return []
    wins = _wins(known, pictures, names)
    total = wins.sum(0)
    share = _shares(_strengths(total))
    rng = np.random.default_rng(0)
    drawn = [_resampled(wins, rng) for _ in range(DRAWS)]
    low, high = np.percentile(drawn, (2.5, 97.5), axis=0)
    compared = total.sum(0) + total.sum(1)
    found = [
        Preference(name, *map(float, (share[n], low[n], high[n])), round(float(compared[n])))
        for n, name in enumerate(names)
    ]
    return sorted(found, key=lambda one: -one.share)


def _wins(
    choices: Sequence[Choice], pictures: Mapping[str, tuple[str, Asked]], names: Sequence[str]
) -> np.ndarray:
    """[clusters, V, V]: how often the row's variant was chosen over the column's, for each prompt
    and seed."""
    at = {name: n for n, name in enumerate(names)}
    clusters: dict[Asked, np.ndarray] = {}
    for one in choices:
        (left, asked), (right, _) = pictures[one.left], pictures[one.right]
        table = clusters.setdefault(asked, np.zeros((len(names), len(names))))
        if left != right:
            share = {"left": 1.0, "right": 0.0, "equal": 0.5}[one.choice]
            table[at[left], at[right]] += share
            table[at[right], at[left]] += 1 - share
    return np.array(list(clusters.values()))


def _resampled(wins: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    count = len(wins)
    weights = rng.multinomial(count, np.full(count, 1 / count))
    return _shares(_strengths(np.tensordot(weights, wins, 1)))


def _strengths(wins: np.ndarray) -> np.ndarray:
    """Strengths [V] that make the choices most probable, given the prior."""

    def loss(s: np.ndarray) -> tuple[float, np.ndarray]:
        gap = s[:, None] - s[None, :]
        surprise = wins * expit(-gap)
        value = -(wins * log_expit(gap)).sum() + (s**2).sum() / (2 * PRIOR**2)
        return float(value), surprise.sum(0) - surprise.sum(1) + s / PRIOR**2

    return minimize(loss, np.zeros(len(wins)), jac=True, method="L-BFGS-B").x


def _shares(strengths: np.ndarray) -> np.ndarray:
    """How often each is chosen over another, averaged over the others, [V]."""
    chances = expit(strengths[:, None] - strengths[None, :])
    np.fill_diagonal(chances, 0.0)
    return chances.sum(1) / (len(strengths) - 1)
