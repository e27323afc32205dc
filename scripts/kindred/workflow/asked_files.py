"""Files that somebody asks Snakemake for by their path: whether their experiment is configured."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from kindred.common.errors import KindredError

OF_EXPERIMENT = re.compile(r"results/([^/]+)/")


def check_asked(words: Iterable[str], configured: Collection[str], root: Path) -> None:
    """Raise KindredError for a file of an experiment that has a file below root, and is none of the
    configured ones: no rule knows it. words: of Snakemake's command line."""
    for word in words:
        found = OF_EXPERIMENT.match(word)
        if found is None or found[1] in configured:
            continue
        if (root / "config/experiments" / f"{found[1]}.yaml").is_file():
            raise KindredError(
                f"the experiment '{found[1]}' is not configured",
                word,
                f"add `--config experiments={found[1]}`, or name it under `experiments:` in "
                "config/config.yaml",
            )
