"""Photos that a base is shown while it draws, where nothing is trained on them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kindred.specs.character import Character
from kindred.specs.spec_model import SpecModel

PhotoCounts = Annotated[dict[str, Annotated[int, Field(ge=1)]], Field(min_length=1)]


class ShownPhotos(SpecModel):
    """Which photos of a dataset are reference pictures."""

    dataset: str
    photos: PhotoCounts = Field(description="character -> how many photos of it alone")
    area: int = Field(description="pixels of the largest that the base takes")


class ReferencePictures(ShownPhotos):
    """What drawing with them is told."""

    characters: dict[str, Character] = Field(description="by whose names prompts ask for them")
