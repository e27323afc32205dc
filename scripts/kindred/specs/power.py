"""What forecasting a design's power is told: of every hypothesis its arms, prompts and pictures."""

from __future__ import annotations

from pydantic import Field

from kindred.specs.scoring import Hypothesis
from kindred.specs.spec_model import SpecModel


class AskedPrompts(SpecModel):
    """The size of a prompt set."""

    pictures: dict[str, int] = Field(description="prompt -> its pictures in one run")
    asked: dict[str, str] = Field(description="prompt -> cast or cell that it asks for, 'A+J'")
    casts: bool = Field(False, description="made of casts, of which prompts are samples")


class PowerSpec(SpecModel):
    """The design of an experiment, as far as its hypotheses go."""

    experiment: str
    hypotheses: dict[str, Hypothesis]
    runs: dict[str, int] = Field(description="variant -> its runs; 0 for the base alone")
    prompt_sets: dict[str, AskedPrompts]
