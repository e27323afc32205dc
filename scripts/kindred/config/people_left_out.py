"""People whom people.yaml names and an experiment does not have: nothing else would say so.

Knows who is in an experiment and who in the file beside its photos; looks at no photo.
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
