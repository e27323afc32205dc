"""What forecasting a design's power is told: of every hypothesis its arms, prompts and pictures."""

from __future__ import annotations

from collections import Counter

from pydantic import Field

from kindred.specs.scoring import Hypothesis
from kindred.specs.spec_model import SpecModel


class AskedPrompts(SpecModel):
    """The size of a prompt set."""

    pictures: dict[str, int] = Field(description="prompt -> its pictures in one run")
    asked: dict[str, str] = Field(description="prompt -> cast or cell that it asks for, 'A+J'")
    casts: bool = Field(False, description="made of casts, of which prompts are samples")

    @property
    def of_each(self) -> Counter[str]:
        """How many prompts ask for each cast."""
        return Counter(self.asked[prompt] for prompt in self.pictures)

    @property
    def per_prompt(self) -> float:
        """Pictures of a prompt in one run, on average."""
        return sum(self.pictures.values()) / len(self.pictures)

    @property
    def strata(self) -> bool:
        """Whether prompts are samples of what they ask for: in a set made of casts, and where each
        asks for one person (score_grids)."""
        alone = len(self.of_each) > 1 and all(cell and "+" not in cell for cell in self.of_each)
        return self.casts or alone


class PowerSpec(SpecModel):
    """The design of an experiment, as far as its hypotheses go."""

    experiment: str
    hypotheses: dict[str, Hypothesis]
    runs: dict[str, int] = Field(description="variant -> its runs; 0 for the base alone")
    prompt_sets: dict[str, AskedPrompts]


class FamilyDesign(SpecModel):
    """How much one family has to decide a claim about families: see evidence/design_variance.py."""

    runs: tuple[int, int]
    casts: list[int] = Field(description="how many prompts ask for each cast")
    pictures: float = Field(description="of a prompt, in one run")
    strata: bool
    macro: bool


class FamiliesPowerSpec(SpecModel):
    """The design of several families together, as far as hypotheses go."""

    name: str
    hypotheses: dict[str, Hypothesis]
    sequence: list[str]
    designs: dict[str, dict[str, FamilyDesign]] = Field(
        description="hypothesis -> the families that it is about -> the design of each"
    )
