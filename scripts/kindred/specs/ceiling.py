"""What drawing a ceiling is told: casts asked for, and the drawn people and autoencoder at hand."""

from __future__ import annotations

from pydantic import Field

from kindred.specs.base_model import ImageEncoder
from kindred.specs.casts import AskedCast
from kindred.specs.rendering import Prompt
from kindred.specs.spec_model import SpecModel


class CeilingSpec(SpecModel):
    """A prompt set's casts as the world draws them itself, seen through a base's autoencoder."""

    encoder: ImageEncoder
    name: str = Field(description="name of the prompt set")
    families: dict[str, int | None] = Field(
        description="families of the drawn people -> traits in common; None: as many as usual"
    )
    characters: dict[str, str] = Field(description="letter -> name, one of the families' people")
    prompts: dict[str, Prompt] = Field(description="each with its seeds and its size")
    casts: dict[str, AskedCast] = Field(description="prompt -> whom it asks for")
