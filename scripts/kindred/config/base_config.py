"""A file in config/bases: the base itself, and what is written beside it that is part of no key."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from kindred.common.errors import Problems
from kindred.specs.base_model import Base
from kindred.specs.comfyui import ComfyFiles
from kindred.specs.dataset import PreprocessSpec
from kindred.specs.spec_model import SpecModel
from kindred.specs.training import Recipe

DEFAULTS = "defaults"  # as a recipe's name: the training defaults of the variant's base


def _rising(ends: tuple[float, float]) -> tuple[float, float]:
    if not 0 < ends[0] <= ends[1]:
        raise ValueError("write two numbers above 0, the smaller one first")
    return ends


def _none_or_more(ends: tuple[float, float]) -> tuple[float, float]:
    if not 0 <= ends[0] <= ends[1]:
        raise ValueError("write two numbers, 0 or more, the smaller one first")
    return ends


Range = Annotated[tuple[float, float], AfterValidator(_rising)]


class Fits(SpecModel):
    """What is usual for a base, lowest and highest; beyond it planning warns. Part of no key."""

    steps: Range | None = Field(
        None, description="optimizer steps of a training: lowest and highest usual value"
    )
    lr: Range | None = Field(None, description="learning rate")
    megapixels: Range | None = Field(
        None, description="size of training photos and drawn pictures, in millions of pixels"
    )
    drawing_steps: Range | None = Field(None, description="sampling steps of a picture")
    guidance_scale: Annotated[tuple[float, float], AfterValidator(_none_or_more)] | None = Field(
        None, description="guidance scale of a picture"
    )


class TrainingDefaults(Recipe):
    """What others train with on a base: any key of a recipe. `recipe: defaults` takes them."""

    source: str = Field(description="where they come from, and whether they were tried here")
    resolutions: list[int] | None = Field(
        None,
        min_length=1,
        description="the photo sizes that they are meant for, px; `recipe: defaults` warns when a "
        "dataset's `preprocess` makes others",
    )

    def warn_of_sizes(self, made: PreprocessSpec, where: str, problems: Problems) -> None:
        """Warn where photos are made smaller or larger than these defaults are meant for."""
        if self.resolutions is None:
            return
        edges = [math.sqrt(w * h) for w, h in made.buckets or ()] or made.resolutions
        low, high = min(self.resolutions), max(self.resolutions)
        if min(edges) < low or max(edges) > high:
            problems.warn(
                where,
                f"the photos are {_px(edges)} px, but the base's training defaults are meant for "
                f"{_px(self.resolutions)} px",
                f"set `resolutions` between {low} and {high}, or write a recipe of your own",
            )

    def recipe(self) -> Recipe:
        """The recipe alone."""
        given = self.model_dump(exclude_unset=True, exclude=set(BESIDE_RECIPE))
        return Recipe.model_validate(given)


def _px(edges: Sequence[float]) -> str:
    return ", ".join(f"{edge:.0f}" for edge in edges)


BESIDE_RECIPE = ("source", "resolutions")


class DrawingDefaults(SpecModel):
    """What LoRAs of another base are drawn with on this one, in place of the prompt set's own."""

    steps: int | None = Field(None, ge=1, description="sampling steps")
    guidance_scale: float | None = Field(None, description="guidance scale")


class BaseConfig(Base):
    """A file in config/bases: the base, and what is usual for it."""

    fits: Fits = Field(Fits(), description="usual values for this base; Kindred warns about others")
    training_defaults: TrainingDefaults | None = Field(
        None, description="what `recipe: defaults` means on this base"
    )
    fast_sibling: str | None = Field(
        None, description="file name in config/bases: what `draw_on: fast_sibling` means"
    )
    suggested: int | None = Field(
        None,
        description="order in which new_experiment.py considers bases, 1 first; the others "
        "follow by name",
    )
    download_gib: float | None = Field(
        None, gt=0, description="size of the download, GiB; shown by new_experiment.py"
    )
    gated: str | None = Field(
        None,
        description="licence that must be accepted on the model's page before it can be "
        "downloaded; shown by new_experiment.py",
    )
    drawing_defaults: DrawingDefaults = Field(
        DrawingDefaults(), description="settings for drawing on this base with `draw_on`"
    )
    comfyui: ComfyFiles | None = Field(
        None, description="the base's files in ComfyUI; unset: the report offers no ComfyUI graph"
    )

    def base(self) -> Base:
        """The base alone, as specifications and keys have it."""
        told: dict[str, Any] = self.model_dump(exclude_unset=True)
        return Base.model_validate({key: told[key] for key in Base.model_fields if key in told})
