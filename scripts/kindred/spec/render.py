"""What rendering is told: prompt sets, and the base and adapters that draw them."""

from __future__ import annotations

from pydantic import Field

from kindred.spec.base import Base
from kindred.spec.common import Strict


class PromptSet(Strict):
    """Named prompts, each rendered with every seed."""

    prompts: dict[str, str]
    seeds: list[int]
    width: int
    height: int
    steps: int = 28
    guidance: float = 3.5


class RenderSpec(Strict):
    """A prompt set on a base with adapters (none: the base itself)."""

    base: Base
    prompt_set: PromptSet
    name: str = Field(description="name of the prompt set")
    weights: list[float] = Field(default_factory=list, description="one per adapter")
    batch: int = 4
