"""Ratings by people: reading them, how far people agree, and how far the judge agrees with them.

Knows ratings.csv (rater, key, rating: 1 bad, 2 neutral, 3 good; further columns are ignored);
knows nothing of the page on which people rate.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import stats

from kindred.common.errors import KindredError, Problems
from kindred.common.sentences import counted
from kindred.evidence.rater_agreement import alpha, ordinal

COLUMNS = ("rater", "key", "rating")
GRADES = ("1", "2", "3")


@dataclass(frozen=True)
class Rating:
    """One person's opinion of one picture, 1 to 3."""

    rater: str
    key: str
    grade: int


def read_ratings(paths: Sequence[Path]) -> list[Rating]:
    """All ratings; of the same person on the same picture the last one in a file counts.

    A name that occurs in several files stands for several people, 'me (<file stem>)': the rating
    page calls everybody 'me' who gives no name. Raises ProblemsError naming every line that is no
    rating.
    """
    problems = Problems("ratings can't be read")
    files = [(path.stem, _read(path, problems)) for path in paths]
    problems.raise_if_any()
    files_of = Counter(name for _, found in files for name in {one.rater for one in found})
    last: dict[tuple[str, str], Rating] = {}
    for stem, found in files:
        for one in found:
            rater = f"{one.rater} ({stem})" if files_of[one.rater] > 1 else one.rater
            last[rater, one.key] = replace(one, rater=rater)
    return list(last.values())


def _read(path: Path, problems: Problems) -> list[Rating]:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            lacking = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if lacking:
                what = f"has no column {', '.join(lacking)}"
                problems.add(str(path), what, "export it again from the rating page")
                return []
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.add(str(path), f"can't be read ({error})", "export it again from the rating page")
        return []
    found = []
    for number, row in enumerate(rows, 2):
        grade = (row["rating"] or "").strip()
        if grade not in GRADES:
            problems.add(
                f"{path}:{number}", f"rating '{grade}'", "write 1, 2 or 3, or remove the line"
            )
        elif not row["key"]:
            problems.add(f"{path}:{number}", "names no picture", "remove the line")
        else:
            found.append(Rating(row["rater"] or "someone", row["key"].strip(), int(grade)))
    return found


def known_ratings(
    ratings: Sequence[Rating], keys: Collection[str], where: str
) -> tuple[list[Rating], list[str]]:
    """Ratings of this experiment's pictures, and a warning if there are others.

    Raises KindredError when none is of a picture of the experiment.
    """
    known = [rating for rating in ratings if rating.key in keys]
    strange = sorted({rating.key for rating in ratings} - set(keys))
    if ratings and not known:
        raise KindredError(
            f"rates {counted(len(strange), 'picture')}, but none that this experiment has now "
            f"(e.g. {strange[0][:12]})",
            where,
            "move the file to the experiment that it belongs to, or remove it if the pictures "
            "were drawn again",
        )
    if not strange:
        return known, []
    few = ", ".join(key[:12] for key in strange[:3]) + (" ..." if len(strange) > 3 else "")
    are = counted(len(strange), "rated picture is", "rated pictures are")
    return known, [f"{where}: {are} not in this experiment ({few}); left out"]


def mean_ratings(ratings: Sequence[Rating]) -> dict[str, float]:
    """Picture -> mean over people, 0 bad, 0.5 neutral, 1 good."""
    grades: dict[str, list[int]] = defaultdict(list)
    for rating in ratings:
        grades[rating.key].append(rating.grade)
    return {key: (float(np.mean(values)) - 1) / 2 for key, values in grades.items()}


def krippendorff_alpha(ratings: Sequence[Rating]) -> float | None:
    """Agreement between people on ordered grades (rater_agreement.py)."""
    units: dict[str, list[int]] = defaultdict(list)
    for rating in ratings:
        units[rating.key].append(rating.grade - 1)
    return alpha(units.values(), len(GRADES), ordinal)


def judge_agreement(
    rated: Mapping[str, float], success: Mapping[str, float], identity: Mapping[str, float]
) -> dict[str, float | int | None]:
    """How far the judge sees what people see, over pictures (by key) that both judged.

    auc: probability that a picture the judge calls a success is rated higher than one it does not,
    ties counted half. spearman: rank correlation of rating and identity.
    """
    both = [key for key in rated if key in success]
    good = [rated[key] for key in both if success[key] > 0.5]
    bad = [rated[key] for key in both if success[key] <= 0.5]
    auc = None
    if good and bad:
        auc = float(stats.mannwhitneyu(good, bad).statistic / (len(good) * len(bad)))
    shared = [key for key in rated if key in identity]
    x, y = [rated[key] for key in shared], [identity[key] for key in shared]
    vary = len(shared) > 2 and len(set(x)) > 1 and len(set(y)) > 1
    spearman = float(stats.spearmanr(x, y).statistic) if vary else None
    return {"auc": auc, "spearman": spearman, "images": len(both)}
