"""`tracker:` of config/config.yaml: where trainings tell their losses, and how they learn of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from kindred.specs.spec_model import SpecModel
from kindred.training.trackers import PICTURES, TRACKER

Name = Literal["tensorboard", "wandb", "trackio"]


class TrackerConfig(SpecModel):
    """A tracker, and what it is told besides losses."""

    name: Name = Field(description="tensorboard, wandb or trackio")
    pictures: bool = Field(
        False, description="also show the pictures that trainings draw while they run; photos never"
    )

    def environment(self) -> dict[str, str]:
        """What trainings read of these."""
        return {TRACKER: self.name} | ({PICTURES: "yes"} if self.pictures else {})


def _named(value: Any) -> Any:
    """A bare name is a tracker that is told losses alone."""
    return {"name": value} if isinstance(value, str) else value


Tracker = Annotated[
    TrackerConfig, BeforeValidator(_named, json_schema_input_type=Name | TrackerConfig)
]
