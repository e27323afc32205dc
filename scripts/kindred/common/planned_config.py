"""Where the configuration lies that a job was planned with.

Snakemake's main process copies it when it plans (workflow/frozen_plan.py), because a job may wait
for hours; without Snakemake it is config/ itself. Knows nothing of what is in it.
"""

from __future__ import annotations

import os
from pathlib import Path

# Set by Snakemake's main process: the folder of the copy.
VARIABLE = "KINDRED_FROZEN_PLAN"
CONFIG = Path("config")


def planned_config() -> Path:
    """The folder of the configuration that is planned with."""
    folder = os.environ.get(VARIABLE)
    return Path(folder) / CONFIG if folder else CONFIG


def planned_path(path: Path | str) -> Path:
    """Where a file of config/ lies that a job was planned with; any other file as it is."""
    path = Path(path)
    return planned_config() / path.relative_to(CONFIG) if path.is_relative_to(CONFIG) else path
