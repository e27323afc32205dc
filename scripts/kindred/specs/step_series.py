"""What comparing the kept steps of trainings is told, and where their pictures and scores lie."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from kindred.specs.casts import AskedCast
from kindred.specs.character import Character
from kindred.specs.judge import JudgeSpec
from kindred.specs.spec_model import SpecModel

SELECTION = "selection"  # the prompt set that steps are compared by
TakenStep = Literal["last", "best", "held_out"]


class SeriesOfSteps(SpecModel):
    """The kept steps of one variant's trainings, the last among them."""

    runs: list[int]
    steps: list[int]
    take: TakenStep = "last"
    held_out: bool = Field(False, description="whether their loss on held-out photos is known")


class SeriesSpec(SpecModel):
    """The prompts that steps are compared by, and whose steps. Without prompts they are compared by
    losses alone, and there is no judge."""

    experiment: str
    judge: JudgeSpec | None = None
    characters: dict[str, Character]
    prompts: dict[str, str] = Field(default_factory=dict, description="name -> text")
    casts: dict[str, AskedCast] = Field(
        default_factory=dict, description="prompt -> whom it asks for, where they are of casts"
    )
    variants: dict[str, SeriesOfSteps]

    def tables(self, results: Path) -> dict[tuple[str, int, int], Path]:
        """(variant, run, step) -> its table of scores, in the experiment's results folder; none
        without prompts."""
        if not self.prompts:
            return {}
        return {
            (name, run, step): results / step_file(name, run, step, "scores", "csv")
            for name, one in self.variants.items()
            for run in one.runs
            for step in one.steps
        }


def step_file(variant: str, run: int | str, step: int | str, kind: str, ending: str) -> str:
    """What is drawn (`images`) or scored of a step, below the experiment's results folder."""
    return f"{variant}/run-{run}/steps/{step}/{kind}/{SELECTION}.{ending}"


def adapter_file(step: int, last: int) -> str:
    """The adapter of a kept step, below the run's folder; that of the last step is the finished
    one."""
    return f"{'' if step == last else f'steps/{step}/'}lora.safetensors"
