"""Whether trainings can see in their steps what they choose of a dataset.

Only prepared photos tell: how many a selection takes, and how many there are of each size. Knows
nothing of captions' words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from kindred.common.errors import KindredError, ProblemsError
from kindred.common.sentences import counted, plural
from kindred.data.audit.findings import MISFIT, Finding
from kindred.data.dataset import DatasetImage
from kindred.data.subset_selection import select
from kindred.specs.dataset import TrainingAmount


def training_findings(
    items: Sequence[DatasetImage], trainings: Iterable[TrainingAmount], letters: Iterable[str]
) -> list[Finding]:
    """Selections that can't be met, pictures that no step reaches, and batches that are larger than
    what they are filled from. `letters`: of the experiment's characters."""
    letters, found = list(letters), []
    for one in trainings:
        try:
            chosen = select(items, one.selection, letters)
        except KindredError as error:
            found.append(_unmet(one, error))
        else:
            found += [*_unseen(one, chosen), *_small_buckets(one, chosen)]
    return found


def _unmet(one: TrainingAmount, error: KindredError) -> Finding:
    problems = error.problems if isinstance(error, ProblemsError) else [error]
    said = "; ".join(f"{each.where}: {each.what}" for each in problems)
    return Finding(
        MISFIT,
        "warning",
        f"{one.where}: the dataset can't provide its selection ({said})",
        "its training will stop before the first step",
        problems[0].cure or "correct it",
    )


def _unseen(one: TrainingAmount, chosen: Sequence[DatasetImage]) -> Iterator[Finding]:
    lost = len(chosen) - one.pictures
    if lost > 0:
        repeated = len({item.image_id for item in chosen}) < len(chosen)
        of = f"{counted(len(chosen), 'picture')}{', repeats counted' if repeated else ''}"
        yield Finding(
            MISFIT,
            "warning",
            f"{one.where}: sees only {one.pictures} of {of} in {counted(one.steps, 'step')}",
            f"at least {counted(lost, 'is', 'are')} never seen, so nothing is learned from "
            f"{plural(lost, 'it', 'them')}, and nobody is shown as often as "
            "`balance` or `match` ask for",
            f"set `steps` to {_times(len(chosen), one)} or more, or choose fewer photos",
        )


def _times(pictures: int, one: TrainingAmount) -> int:
    """Steps in which every picture is seen once."""
    return -(-pictures * one.steps // one.pictures)


def _small_buckets(one: TrainingAmount, chosen: Sequence[DatasetImage]) -> Iterator[Finding]:
    sizes = Counter(
        f"{item.width}x{item.height}" for item in {item.image_id: item for item in chosen}.values()
    )
    small = {size: count for size, count in sorted(sizes.items()) if count < one.batch}
    if small:
        told = ", ".join(f"{count} of {size}" for size, count in small.items())
        yield Finding(
            "batch",
            "note",
            f"{one.where}: has batches of {one.batch}, but fewer pictures of some sizes ({told})",
            "a batch holds pictures of one size, so it repeats these pictures: no harm, but no "
            "more variety than smaller batches",
            f"set `batch` to {min(small.values())}, or ignore this",
        )
