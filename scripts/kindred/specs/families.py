"""Several experiments that ask the same of different families, compared together."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from kindred.specs.family_figures import FIGURES
from kindred.specs.scoring import Hypothesis
from kindred.specs.spec_model import SpecModel

FigureName = Literal[*FIGURES]


class FamiliesHypothesis(Hypothesis):
    """A claim about families in general."""

    families: list[str] = Field(
        default_factory=list,
        description="the experiments that the claim is about; unset: all that have both variants",
    )


class Limit(SpecModel):
    """A figure, as a mean over families, and what it is held against: one of the three."""

    says: str = Field(description="the condition in words")
    figure: FigureName = Field(description="the figure to look at, such as cast or identity")
    variant: str = Field(description="the variant whose figure it is")
    against: str | None = Field(
        None, description="a variant whose figure is subtracted; unset: none"
    )
    prompt_set: str = Field(description="the prompts of the figure")
    at_least: float | None = Field(None, description="the figure must be at least this")
    at_most: float | None = Field(None, description="the figure must be at most this")
    within: float | None = Field(
        None, gt=0, description="the 90 % interval must lie between minus this and this"
    )
    every: bool = Field(
        False,
        description="true: each part of the figure (each cast, each person) must meet it; "
        "false: the mean of all",
    )

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        given = [one for one in (self.at_least, self.at_most, self.within) if one is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of at_least, at_most and within")
        if self.every and (self.within is not None or FIGURES[self.figure].of_parts is None):
            raise ValueError("`every` needs a figure with parts, and at_least or at_most")
        return self


class CopiesLimit(SpecModel):
    """When pictures that copy what was trained on leave all casts."""

    variant: str = Field(description="the variant whose pictures are examined")
    above: float = Field(
        0.05,
        gt=0,
        description="how much larger the proportion of copies may be than among held-out photos "
        "(mean of families); above this, copies are left out",
    )
    fewest: int = Field(
        0,
        ge=0,
        description="pictures of a cast that have to stay in both variants of a claim for the cast "
        "to count in it; 0: of each variant the casts that have any left",
    )


class FamiliesSpec(SpecModel):
    """Which experiments, and what is claimed of families in general: a file in config/families.

    Nothing is trained for it: its experiments have variants, prompt sets and measures of the same
    names, and their figures are what is compared."""

    title: str = Field(description="heading of the report")
    question: str = Field(
        "", description="the question that the experiment answers; shown below the heading"
    )
    families: list[str] = Field(
        min_length=1,
        description="one experiment for each family, with the same variants and prompts; or one "
        "experiment with `albums`",
    )
    hypotheses: dict[str, FamiliesHypothesis] = Field(
        min_length=1, description="claims whose unit is a family; three families at least"
    )
    sequence: list[str] = Field(
        default_factory=list,
        description="primary hypotheses that are tested first, one after the other, each at the "
        "full level as long as those before it are supported",
    )
    gates: dict[str, Limit] = Field(
        default_factory=dict,
        description="conditions without which nothing is concluded; unset: the null and scrambled "
        "controls of each experiment",
    )
    copies: CopiesLimit | None = None
    reach: dict[str, Limit] = Field(
        default_factory=dict,
        description="goals: the report says whether each was reached, and by how much",
    )
