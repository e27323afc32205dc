"""What finding people's outlines, and making new training pictures of them, is told."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import (
    Field,
    PositiveInt,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from kindred.specs.character import Character
from kindred.specs.dataset import PreprocessSpec
from kindred.specs.judge import JudgeSpec, PretrainedModel
from kindred.specs.spec_model import SpecModel
from kindred.specs.training import Selection

ROW = 3  # people at most in a row that strangers stand in: more heads would be too small


class StrangersConfig(SpecModel):
    """Other people who are cut into composites, so that a name doesn't come to mean everybody."""

    of: str = Field(
        description="a dataset in which each photo shows one other person, with a class noun in "
        "the caption ('a man in a red coat'): photos, class images, or `lab: "
        "{strangers: 48}`"
    )
    share: float = Field(
        0.5,
        gt=0,
        le=1,
        description=f"proportion of composites with strangers, of those of fewer than {ROW} "
        "characters",
    )
    alone: int = Field(
        0,
        ge=0,
        description=f"composites of strangers alone, one to {ROW} of them, so that somebody whom "
        "no name asks for is nobody of the characters",
    )
    named: float = Field(
        0,
        ge=0,
        le=1,
        description="proportion of the composites with strangers in which these are called by "
        "made-up names, each by one of their own, so that a name which the model does not know "
        "doesn't mean the characters",
    )

    @model_serializer(mode="wrap")
    def _without_what_came_later(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without these options where they are not used, as composites do."""
        return {k: v for k, v in dump(self).items() if v or k not in ("alone", "named")}


class Composites(SpecModel):
    """Pictures of people cut out of photos and set side by side, for cells without photos, or of
    somebody alone at other places."""

    cells: list[str] | dict[str, PositiveInt] = Field(
        min_length=1, description="e.g. [A+J, A+C+J], or with pictures of each: {A: 24, A+J: 72}"
    )
    per_cell: int = Field(4, gt=0, description="pictures of each cell, when `cells` is a list")
    background: Literal["own", "any", "plain"] = Field(
        "own",
        description="own: a photo of somebody in the picture, with the people painted over; "
        "any: every photo in turn; plain: one colour",
    )
    canvas: Literal["own", "any"] = Field(
        "own",
        description="own: the shape that photos of as many people have; any: every training "
        "size in turn, so that a picture's shape does not tell who is in it",
    )
    heads: Literal["usual", "large"] = Field(
        "usual",
        description="large: as large as fits when all stand side by side, with bodies overlapping",
    )
    strangers: StrangersConfig | None = None
    seed: int = Field(0, description="a different seed takes different photos and places")

    @model_serializer(mode="wrap")
    def _without_what_came_later(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without these options where they are not used, so that composites from before them keep
        their names and stay as they are."""
        unused = {"canvas": "own", "heads": "usual", "strangers": None}
        return {k: v for k, v in dump(self).items() if k not in unused or v != unused[k]}

    def counts(self) -> dict[str, int]:
        """Pictures of each cell."""
        if isinstance(self.cells, dict):
            return self.cells
        return dict.fromkeys(self.cells, self.per_cell)


class MaskSpec(SpecModel):
    """Who is looked for in photos, and by what: a segmentation model, a judge's boxes, or, with
    neither, the truth that drawn photos come with."""

    characters: dict[str, Character]
    segmenter: PretrainedModel | None = None
    judge: JudgeSpec | None = None

    @property
    def finds(self) -> bool:
        """Whether people are found by a model, and not told by the truth."""
        return self.segmenter is not None or self.judge is not None


class CompositeOptions(SpecModel):
    """Which pictures are made of a dataset's photos."""

    compose: Composites | None = None
    crop: Literal["solos"] | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.compose is None and self.crop is None:
            raise ValueError("set `compose`, `crop` or both")
        return self


class CompositeSpec(CompositeOptions):
    """All that the pictures made of a dataset's photos depend on."""

    characters: dict[str, Character]
    held_out: Selection | None = Field(
        None, description="what holds photos out of training, and out of what is made of them"
    )
    preprocess: PreprocessSpec = Field(
        default_factory=PreprocessSpec, description="its buckets give composites their shape"
    )
