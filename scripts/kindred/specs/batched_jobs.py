"""What programs that do many jobs at once are told: the same as the programs for one, in a list.

Specifications stand once under a name, because dozens of jobs share a few of them.
"""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from kindred.specs.rendering import RenderSpec
from kindred.specs.scoring import ScoreSpec
from kindred.specs.spec_model import SpecModel


class BatchedJobs(SpecModel):
    """Jobs that name their specifications."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        many: Any = self
        lost = sorted({job.spec for job in many.jobs} - set(many.specs))
        if lost:
            raise ValueError(f"jobs name specs that are not there: {', '.join(lost)}")
        return self


class RenderJob(SpecModel):
    """One call of scripts/render.py."""

    spec: str = Field(description="a name in `specs`")
    prompts: str = Field(description="embedded prompts")
    adapters: list[str] = Field(default_factory=list, description="in the order of the weights")
    out: str = Field(description="the manifest that render.py will write")


class RenderJobs(BatchedJobs):
    """Many calls of scripts/render.py."""

    specs: dict[str, RenderSpec]
    jobs: list[RenderJob]


class ScoreJob(SpecModel):
    """One call of scripts/score.py."""

    spec: str = Field(description="a name in `specs`")
    manifest: str
    base: list[str] = Field(default_factory=list, description="the base's manifest, for drift")
    references: str
    vectors: str
    training: list[str] = Field(
        default_factory=list, description="vectors of the datasets trained on"
    )
    variant: str
    run: int
    out: str = Field(description="the table that score.py will write")


class ScoreJobs(BatchedJobs):
    """Many calls of scripts/score.py."""

    specs: dict[str, ScoreSpec]
    jobs: list[ScoreJob]
