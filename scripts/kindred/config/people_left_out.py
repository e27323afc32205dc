"""People whom people.yaml names and an experiment does not have: nothing else would say so. And
characters in no photo that any training sees.

Knows who is in an experiment, and who in its photos by what is written beside them; looks at no
photo.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kindred.common.errors import KindredError, Problems
from kindred.common.sentences import listing
from kindred.config.plan import Dataset, Experiment
from kindred.config.yaml_document import Document


def warn(
    document: Document,
    experiment: Experiment,
    datasets: Mapping[str, Dataset],
    root: Path,
    problems: Problems,
) -> None:
    """Warn of them, once for all datasets of a folder. Folders of photos count from `root`."""
    _warn_of_unseen(document, experiment, datasets, root, problems)
    for name in experiment.photos:
        one = datasets.get(name)
        if one is None or one.source is None:
            continue
        from kindred.data import people_file  # albums of the lab need no folder

        file = Path(one.source) / people_file.NAME
        try:
            lost = people_file.people_not_in(root / file, one.caption.characters)
        except KindredError:  # said where the folder is read
            continue
        if lost:
            problems.warn(
                document.where("characters"),
                f"{file} names people who are not in this experiment: {listing(lost)}; their "
                "faces count as other people's",
                "add them to `characters`, or ignore this if nobody should learn them",
            )


def _warn_of_unseen(
    document: Document,
    experiment: Experiment,
    datasets: Mapping[str, Dataset],
    root: Path,
    problems: Problems,
) -> None:
    """Warn of characters in no photo. Of composites the photos count that they are made of; drawn
    albums are left to the audit."""
    used = [datasets[name] for name in experiment.photos_trained_on if name in datasets]
    if not used or any(one.source is None for one in used):
        return
    from kindred.data.told_captions import letters_told

    seen: set[str] = set()
    for one in used:
        try:
            told = letters_told(root / str(one.source), one.caption)
        except KindredError:  # said where the folder is read
            return
        if told is None:
            return
        seen |= told
    names = listing([f"'{one.name}'" for one in used])
    for letter, who in experiment.characters.items():
        if letter not in seen:
            problems.warn(
                document.where("characters", letter),
                f"going by captions and names of files, no photo of {names} shows {who.name}, so "
                "no training learns the name",
                f"add photos, write '{who.name}' in their captions, or remove the character",
            )
