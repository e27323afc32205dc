"""What scoring is told: the judge and the characters; and, to compare, the whole experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from kindred.common.hashing import sha256_text
from kindred.specs.casts import AskedCast
from kindred.specs.character import Character
from kindred.specs.judge import JudgeSpec
from kindred.specs.measures import MEASURES
from kindred.specs.reference_pictures import ShownPhotos
from kindred.specs.spec_model import SpecModel
from kindred.specs.training import Selection

# What has no trainings that could differ: the base alone, with reference pictures, and pictures
# that were made elsewhere.
FIXED_KINDS = frozenset({"base", "references", "pictures"})
MeasureName = Literal[*MEASURES]


class ReferenceSpec(SpecModel):
    """Whose reference photos are to be found, and by whom."""

    judge: JudgeSpec
    characters: dict[str, Character]
    datasets: list[str] = Field(description="where photos are taken from, in this order")
    shown: list[ShownPhotos] = Field(
        default_factory=list,
        description="reference pictures that some variant is drawn with: left out, for all",
    )


class PicturesOfStrangers(SpecModel):
    """Prompts of one list of pictures that ask for one person whom they don't name."""

    file: str = Field(description="the list of pictures")
    nouns: dict[str, str] = Field(description="prompt -> class noun, of those that count")


class CalibrationSpec(SpecModel):
    """In which pictures by a base alone strangers are looked for, and by whom."""

    judge: JudgeSpec
    characters: dict[str, Character]
    pictures: list[PicturesOfStrangers]


class VectorSpec(SpecModel):
    """Of which dataset's pictures vectors are wanted, and by which judge."""

    judge: JudgeSpec
    dataset: str


class TrainedOn(SpecModel):
    """Pictures that adapters were trained on: those that a selection takes of a dataset."""

    dataset: str
    selection: Selection = Selection()


class ScoreSpec(SpecModel):
    """What one variant's pictures of a prompt set are scored by."""

    judge: JudgeSpec
    characters: dict[str, Character]
    trained_on: list[TrainedOn] = Field(
        default_factory=list, description="the pictures that copies are looked for among"
    )
    casts: dict[str, AskedCast] = Field(
        default_factory=dict, description="prompt -> whom it asks for; of a cast set alone"
    )


def settings_hash(training: str, take: str = "last") -> str:
    """Hex SHA-256 of what is trained, a TrainSpec as canonical JSON, and of which of its steps is
    taken, where that is not the last one."""
    return sha256_text(training if take == "last" else f"{training} take {take}")


class Hypothesis(SpecModel):
    """What is claimed before anything is trained, and what decides it."""

    claim: str = Field(description="one sentence")
    variant: str = Field(description="the variant that the claim is about")
    against: str = Field(description="the variant compared with, or BASE")
    measure: MeasureName = Field(
        "success", description="success: everyone asked for is there, once, and recognisable"
    )
    prompt_set: str = Field(description="the prompts that decide it")
    margin: float = Field(0.10, ge=0, description="the smallest difference that matters")
    primary: bool = Field(
        True,
        description="whether this is a main question of the experiment; results are corrected "
        "for the number of these",
    )
    excluded: str = Field("", description="what the comparison will leave out, declared beforehand")
    paired: bool = Field(
        False,
        description="both variants draw with the same adapters (only the rendering differs), so "
        "run k of one is compared with run k of the other",
    )

    def resolved(self, specs: Mapping[str, str], prompts: Mapping[str, str]) -> dict[str, Any]:
        """The hypothesis with all that it rests on. specs: variant -> hash of what is trained;
        prompts: name -> text, of its prompt set."""
        own = self.model_dump(mode="json")
        # Younger than the first declarations, which must not change.
        younger = {"excluded": "", "paired": False}
        own = {key: value for key, value in own.items() if younger.get(key, ...) != value}
        return own | {
            "variant_spec": specs[self.variant],
            "against_spec": specs[self.against],
            "prompts": dict(prompts),
        }


class ComparedVariant(SpecModel):
    """What comparing needs to know of a variant."""

    kind: Literal["trained", "loaded", "references", "pictures", "base"]
    base: str
    runs: list[int]
    dataset: str | None = None
    control: str = Field(
        "", description="'scrambled', 'scrambled of <variant>', 'null of <variant>', 'base', ''"
    )
    spec: str = Field("", description="hash of what is trained; '' when nothing is")
    only: str | None = Field(None, description="the one character that it is trained on")
    trained_on: list[TrainedOn] = Field(
        default_factory=list, description="the pictures that copies are looked for among"
    )
    held_out: list[str] = Field(
        default_factory=list,
        description="datasets of photos that nothing is trained on; without any, photos count that "
        "`trained_on` leaves out",
    )
    drawn_on: dict[str, str] = Field(
        default_factory=dict, description="prompt set -> the base that draws it, if another one"
    )
    references: dict[str, int] = Field(
        default_factory=dict, description="character -> photos of it that the base is shown"
    )
    take: str = Field("", description="by what each run's step was chosen; '' is the last")
    detail_of: str = Field("", description="the variant whose pictures' faces are drawn again")

    @property
    def fixed(self) -> bool:
        """Whether it draws without anything trained, so that it has no runs to differ."""
        return self.kind in FIXED_KINDS


class CompareSpec(SpecModel):
    """Everything that is compared, and the hypotheses."""

    experiment: str
    title: str = ""
    question: str = ""
    judge: JudgeSpec
    characters: dict[str, Character]
    variants: dict[str, ComparedVariant]
    prompt_sets: dict[str, dict[str, str]] = Field(description="prompt set -> prompt -> text")
    casts: dict[str, dict[str, AskedCast]] = Field(
        default_factory=dict, description="cast set -> prompt -> whom it asks for"
    )
    hypotheses: dict[str, Hypothesis] = Field(default_factory=dict)

    def resolved_hypotheses(self) -> dict[str, dict[str, Any]]:
        """Every hypothesis with all that it rests on: the variants' settings, the prompts."""
        return {
            name: one.resolved(
                {key: self.variants[key].spec for key in (one.variant, one.against)},
                self.prompt_sets[one.prompt_set],
            )
            for name, one in self.hypotheses.items()
        }
