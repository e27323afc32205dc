"""Pictures of a prompt set that were made elsewhere, as a step brings them in."""

from __future__ import annotations

from pydantic import Field

from kindred.specs.spec_model import SpecModel


class PictureElsewhere(SpecModel):
    """One picture: its file, the prompt that it answers, and the seed in whose place it stands."""

    file: str
    name: str = Field(description="of the prompt, in its set")
    prompt: str
    seed: int


class PicturesElsewhere(SpecModel):
    """The pictures of one prompt set."""

    prompt_set: str
    pictures: list[PictureElsewhere] = Field(default_factory=list)
