"""Face detail: what drawing the faces of finished pictures again is told."""

from __future__ import annotations

from pydantic import Field

from kindred.specs.character import Character
from kindred.specs.rendering import Edge, RenderSpec
from kindred.specs.spec_model import SpecModel

# Ends the name of the texts that faces are drawn by; no prompt set can be called so.
FACES = "~faces"


class FaceDetail(SpecModel):
    """How each face that was found is drawn again, larger, by its person's name."""

    strength: float = Field(
        0.4,
        ge=0,
        le=1,
        description="proportion of the sampling steps with which a face is drawn again: 0 "
        "changes nothing, at 1 nothing of the first face is kept",
    )
    size: Edge | None = Field(
        None,
        description="side of the square in which a face is drawn, px; unset: as many pixels as "
        "the picture has",
    )
    margin: float = Field(
        0.6,
        ge=0,
        le=3,
        description="what is drawn around a head on each side, as a proportion of its longer side",
    )
    steps: int | None = Field(
        None,
        ge=1,
        description="sampling steps, of which the proportion `strength` is done; unset: those "
        "of the prompt set",
    )


class DetailOf(FaceDetail):
    """The same, of a variant's pictures."""

    of: str = Field(description="the variant whose pictures they are")

    def settings(self) -> FaceDetail:
        """Without the variant's name, on which no picture depends."""
        return FaceDetail(**self.model_dump(exclude={"of"}, exclude_unset=True))


class FaceDetailSpec(SpecModel):
    """What the pictures were drawn by, whose names prompts may say, and how faces are drawn."""

    drawn: RenderSpec
    characters: dict[str, Character]
    detail: FaceDetail = FaceDetail()
