"""What the report and the rating page are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from kindred.specs.character import Character
from kindred.specs.comfyui import ComfyFiles
from kindred.specs.composites import CompositeOptions
from kindred.specs.spec_model import SpecModel, StoredSpec

HIDE_PHOTOS = {"share": "hide_photos"}


class CompositeDataset(CompositeOptions):
    """A dataset of photos and of pictures made of them."""

    of: str = Field(description="the dataset of photos")


class LoadedAdapter(SpecModel):
    """Adapter files that a variant draws with: one for all runs, or one a run in their order."""

    files: list[str] = Field(min_length=1)
    weight: float = 1.0


class DrawingBase(SpecModel):
    """A base that draws: its architecture, and its files in ComfyUI."""

    architecture: str
    comfyui: ComfyFiles


class ReportSpec(StoredSpec):
    """One page about one experiment."""

    renamed_keys: ClassVar[Mapping[str, str]] = HIDE_PHOTOS

    experiment: str
    hide_photos: bool = Field(
        False, serialization_alias="share", description="leave originals and file names out"
    )
    images: int = Field(1000, ge=0, description="most rendered pictures on the page")
    megabytes: float = Field(55, gt=0, description="most that all pictures together may take")
    made: dict[str, CompositeDataset] = Field(
        default_factory=dict, description="datasets that hold pictures made of photos"
    )
    sheets: list[str] = Field(
        default_factory=list, description="prompt sets whose contact sheet lies in sheets/"
    )
    like: str = Field(
        "", description="what a next experiment is `like`; '' where this one has no file of its own"
    )
    loaded: dict[str, list[LoadedAdapter]] = Field(
        default_factory=dict, description="variant -> its adapters, where it is not trained here"
    )
    bases: dict[str, DrawingBase] = Field(
        default_factory=dict, description="bases that ComfyUI knows, by their file in config/bases"
    )
    series: bool = Field(False, description="whether kept steps are compared, in series.json")
    order: list[str] = Field(
        default_factory=list, description="the variants, in the order of the experiment"
    )


class RatingSpec(StoredSpec):
    """One page on which people rate pictures."""

    renamed_keys: ClassVar[Mapping[str, str]] = HIDE_PHOTOS

    experiment: str
    title: str = ""
    characters: dict[str, Character]
    variants: dict[str, list[int]] = Field(description="variant -> its runs")
    prompt_sets: list[str]
    datasets: list[str] = Field(description="where photos of the characters are taken from")
    hide_photos: bool = Field(
        False, serialization_alias="share", description="leave those photos out"
    )
    images: int = Field(200, ge=1, description="most pictures to be rated")
    seed: int = Field(1, description="another seed chooses other pictures")
    megabytes: float = Field(40, gt=0, description="most that all pictures together may take")


class PairsSpec(SpecModel):
    """One page on which people say which of two pictures looks more like somebody."""

    experiment: str
    title: str = ""
    characters: dict[str, Character]
    variants: dict[str, list[int]] = Field(description="variant that is compared -> its runs")
    prompt_sets: list[str]
    datasets: list[str] = Field(description="where photos of the characters are taken from")
    hide_photos: bool = Field(False, description="leave those photos out")
    pairs: int = Field(120, ge=1, description="most pairs to be looked at")
    seed: int = Field(1, description="another seed chooses other pairs")
    megabytes: float = Field(40, gt=0, description="most that all pictures together may take")


class LivePageSpec(SpecModel):
    """One page that shows trainings while they run."""

    experiment: str
    title: str = ""
    characters: dict[str, Character]
    variants: dict[str, list[int]] = Field(description="variant that is trained -> its runs")
    prompts: dict[str, str] = Field(
        default_factory=dict, description="name -> text of what trainings draw on their way"
    )
    every: int = Field(0, ge=0, description="optimizer steps between two drawings; 0: none")
    datasets: list[str] = Field(description="where photos of the characters are taken from")
    hide_photos: bool = Field(False, description="leave those photos out")
    megabytes: float = Field(10, gt=0, description="most that all photos together may take")


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


class FamilyPictures(SpecModel):
    """Whose pictures people are asked about, in one family."""

    characters: dict[str, Character]
    runs: dict[str, list[int]] = Field(description="variant -> its runs")
    datasets: list[str] = Field(description="where photos of the characters are taken from")
    clothes: list[str] = Field(
        default_factory=list, description="prompts that say what somebody of the family wears"
    )


class WhoIsItSpec(SpecModel):
    """One page on which people say who is in pictures of several families, not knowing who was
    asked for or what drew them."""

    name: str
    title: str = ""
    families: dict[str, FamilyPictures] = Field(description="experiment -> its pictures")
    prompt_sets: list[str]
    images: int = Field(200, ge=1, description="most pictures")
    seed: int = Field(1, description="another seed chooses other pictures")
    megabytes: float = Field(40, gt=0, description="most that all pictures together may take")
