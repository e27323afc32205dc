"""Several experiments that ask the same of different families, compared together."""

from __future__ import annotations

from pydantic import Field

from kindred.specs.scoring import Hypothesis
from kindred.specs.spec_model import SpecModel


class FamiliesSpec(SpecModel):
    """Which experiments, and what is claimed of families in general: a file in config/families.

    Nothing is trained for it: its experiments have variants, prompt sets and measures of the same
    names, and their figures are what is compared."""

    title: str
    question: str = ""
    families: list[str] = Field(
        min_length=1,
        description="experiments, one a family, with the same variants and prompts; or one with "
        "`albums`, which stands for all of its own",
    )
    hypotheses: dict[str, Hypothesis] = Field(
        min_length=1, description="decided with a family as the unit, from three on"
    )
