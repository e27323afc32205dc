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
        description="the experiments that it is about, where it is not all: those that have both "
        "variants",
    )


class Limit(SpecModel):
    """A figure, as a mean over families, and what it is held against: one of the three."""

    says: str = Field(description="what is asked for, in words")
    figure: FigureName = Field(description="what is read, such as cast or identity")
    variant: str = Field(description="whose figure it is")
    against: str | None = Field(
        None, description="the variant whose figure is taken off; without one it is the figure"
    )
    prompt_set: str = Field(description="on which prompts")
    at_least: float | None = Field(None, description="it is at least this")
    at_most: float | None = Field(None, description="it is at most this")
    within: float | None = Field(
        None, gt=0, description="the interval at 90 % lies between minus this and this"
    )
    every: bool = Field(
        False,
        description="asked of each part of the figure (each cast, each person), and not of the "
        "mean of all",
    )

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        given = [one for one in (self.at_least, self.at_most, self.within) if one is not None]
        if len(given) != 1:
            raise ValueError("give one of at_least, at_most and within")
        if self.every and (self.within is not None or FIGURES[self.figure].of_parts is None):
            raise ValueError("every is for a figure with parts, and with at_least or at_most")
        return self


class CopiesLimit(SpecModel):
    """When pictures that copy what was trained on leave all casts."""

    variant: str = Field(description="whose pictures are looked at")
    above: float = Field(
        0.05, gt=0, description="more copies than among held-out photos, a share, mean of families"
    )


class FamiliesSpec(SpecModel):
    """Which experiments, and what is claimed of families in general: a file in config/families.

    Nothing is trained for it: its experiments have variants, prompt sets and measures of the same
    names, and their figures are what is compared."""

    title: str = Field(description="heading of the report")
    question: str = Field("", description="what is asked; stands below the heading")
    families: list[str] = Field(
        min_length=1,
        description="experiments, one a family, with the same variants and prompts; or one with "
        "`albums`, which stands for all of its own",
    )
    hypotheses: dict[str, FamiliesHypothesis] = Field(
        min_length=1, description="decided with a family as the unit, from three on"
    )
    sequence: list[str] = Field(
        default_factory=list,
        description="primary hypotheses that are tested one after the other before all others, "
        "each at the full level, as long as those before it are supported",
    )
    gates: dict[str, Limit] = Field(
        default_factory=dict,
        description="what must hold, or nothing is concluded; without any, the null and scrambled "
        "controls of each experiment",
    )
    copies: CopiesLimit | None = None
    reach: dict[str, Limit] = Field(
        default_factory=dict, description="what was to be reached: said with yes or no, and how far"
    )
