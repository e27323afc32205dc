"""Where the lab's own models are built: folders that stand in Snakemake's patterns and commands."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from kindred.specs.spec_model import SpecModel

PLAIN = re.compile(r"[\w.,+@%=~/-]+")


def _plain(path: str) -> str:
    if not PLAIN.fullmatch(path):
        odd = PLAIN.sub("", path)[:1]
        raise ValueError(
            f"'{path}' contains {odd!r}, which has a meaning for Snakemake or the shell; use only "
            "letters, digits and . _ - + , @ % = ~ /"
        )
    return path


PlainPath = Annotated[str, Field(min_length=1), AfterValidator(_plain)]


class LabConfig(SpecModel):
    """What `snakemake lab_models` builds, and from which settings."""

    settings: PlainPath = Field("config/lab/full.yaml", description="the settings to train with")
    out: PlainPath = Field("lab", description="folder for the models")
    work: PlainPath = Field(
        "resources/lab", description="folder for drawings, checkpoints and logs"
    )
