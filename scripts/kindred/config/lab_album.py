"""`lab:` of a dataset: an album that the lab draws, of a family or of strangers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from kindred.specs.spec_model import SpecModel
from kindred.world.family_seeds import ALBUMS
from kindred.world.renamed_families import first_name_of


def _coverage(value: Any) -> Any:
    """A mapping `{J: 4, A+C: 3}` becomes the text `J: 4, AC: 3`."""
    if isinstance(value, dict):
        return ", ".join(f"{str(cell).replace('+', '')}: {n}" for cell, n in value.items())
    return value


Coverage = Annotated[str, BeforeValidator(_coverage, json_schema_input_type=str | dict[str, int])]


class LabFamily(SpecModel):
    """A family that the lab draws into an ordinary folder of photos with captions; or strangers."""

    family: str | None = Field(None, description="name of one of the lab's families, e.g. russell")
    coverage: Coverage | None = Field(
        None,
        description="photos in each cell: 'J: 4, A: 3, C: 8, AC: 3, CJ: 7'; unset: an album of "
        "its own, for a family drawn by seed",
    )
    strangers: int | None = Field(
        None,
        ge=1,
        description="instead of a family: this many people without names, each alone in a photo",
    )
    seed: int = Field(1, description="a different seed draws different photos")
    hats: float = Field(
        0.0, ge=0, le=1, description="proportion of photos in which people wear hats"
    )
    class_nouns: bool = Field(True, description="captions say man, woman, child")
    say_hats: bool | None = Field(
        None, description="true: captions name every hat; false: none; unset: about two of three"
    )
    sides: bool = Field(False, description="captions of groups say who is left and right")
    shapes: Literal["usual", "any"] = Field(
        "usual",
        description="usual: portrait format for one person, landscape for two, wide for more; "
        "any: every shape equally often in each cell, so that the shape does not "
        "tell who is in a photo",
    )
    shared: int | None = Field(
        None, ge=0, description="how many traits all members of the family share"
    )
    scale: int | None = Field(None, ge=1, le=8, description="size of the photos")

    @model_validator(mode="before")
    @classmethod
    def _own_album(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and not {"coverage", "strangers"} & set(given):
            own = ALBUMS.get(first_name_of(str(given.get("family"))))
            return {**given, "coverage": own} if own else given
        return given

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.strangers is None:
            lacks = [key for key in ("family", "coverage") if getattr(self, key) is None]
            if lacks:
                raise ValueError(
                    f"the lab needs `family` and `coverage`, but {lacks[0]} is missing"
                )
            return self
        beside = self.model_fields_set - {"strangers", "seed", "scale"}
        if beside:
            raise ValueError(
                f"an album of `strangers` has no family; remove: {', '.join(sorted(beside))}"
            )
        return self
