"""What contact sheets and curves are told."""

from __future__ import annotations

from pydantic import Field

from kindred.specs.spec_model import Character, SpecModel


class SheetSpec(SpecModel):
    """A contact sheet. With `characters` it sets their photos beside renderings of them alone."""

    title: str = ""
    prompts: list[str] | None = Field(None, description="names of prompts; all when unset")
    seeds: list[int] | None = Field(None, description="columns; all when unset")
    characters: dict[str, Character] | None = None
    photos: int = Field(3, ge=1, description="photos of a character in a row")
    cell: int = Field(196, ge=48, description="pictures get the area of a square of this edge, px")


class CurveSpec(SpecModel):
    """A picture of training curves."""

    title: str = "Training loss"
    smoothing: float = Field(0.97, ge=0, lt=1, description="decay of the running mean, a step")
