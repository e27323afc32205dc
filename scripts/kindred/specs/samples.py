"""What pictures are drawn while a training runs: which prompts, how often, and their names."""

from __future__ import annotations

from pydantic import Field

from kindred.specs.rendering import PromptSet
from kindred.specs.spec_model import SpecModel

SAMPLES = "samples"  # the prompt set's name, and a run's folder of these pictures


class SampleSpec(SpecModel):
    """The pictures of an experiment's trainings on their way. No part of what is trained."""

    every: int = Field(gt=0, description="draw every this many optimizer steps")
    prompt_set: PromptSet

    def due(self, step: int, steps: int) -> bool:
        """Whether pictures are drawn after this step of so many: the last one always."""
        return step > 0 and (step % self.every == 0 or step == steps)
