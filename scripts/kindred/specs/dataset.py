"""What preprocess, caption and audit are told."""

from __future__ import annotations

from typing import Self

from pydantic import Field, field_validator, model_validator

from kindred.specs.character import Character
from kindred.specs.spec_model import SpecModel
from kindred.specs.training import Selection

# As in rendering.py, which is not imported: a change to rendering must not prepare photos anew.
EDGE_MULTIPLE = 16  # 8 pixels a latent, 2 x 2 latents a token


class PreprocessSpec(SpecModel):
    """How photos become training images."""

    resolutions: list[int] = Field(
        [512], description="training sizes: the side of a square with the same area, px"
    )
    buckets: list[tuple[int, int]] | None = Field(
        None, description="the sizes to train on as [width, height]; replaces `resolutions`"
    )
    multiple: int = Field(16, ge=1, description="sides of training sizes are multiples of this, px")
    max_aspect: float = Field(
        2.0, ge=1, description="longest side / shortest side of a training size"
    )
    background: str = Field("#ffffff", description="colour put behind transparency, #rrggbb")
    min_side: int = Field(256, description="warn when a photo's shorter side is below this, px")
    min_sharpness: float = Field(
        25.0,
        description="warn when the prepared image is less sharp than this (variance of the "
        "Laplacian); 0: never",
    )
    near_duplicate: int = Field(
        8,
        description="warn when the perceptual hashes of two photos differ in at most this many "
        "of 128 bits",
    )
    max_cut: float = Field(
        0.15, description="warn when a larger proportion of the photo is cropped away"
    )

    @field_validator("background")
    @classmethod
    def _colour(cls, value: str) -> str:
        digits = value.removeprefix("#")
        if len(digits) != 6 or any(d not in "0123456789abcdefABCDEF" for d in digits):
            raise ValueError("write the colour as '#rrggbb', e.g. '#ffffff' for white")
        return value

    @model_validator(mode="after")
    def _edges(self) -> Self:
        if self.multiple % EDGE_MULTIPLE:
            near = max(1, round(self.multiple / EDGE_MULTIPLE)) * EDGE_MULTIPLE
            raise ValueError(
                f"`multiple` must be a multiple of {EDGE_MULTIPLE} px, the squares that the base "
                f"reads; nearest: {near}"
            )
        if not (self.resolutions if self.buckets is None else self.buckets):
            raise ValueError("name at least one resolution or bucket")
        for edge in self.resolutions if self.buckets is None else sum(self.buckets, ()):
            if edge < self.multiple:
                raise ValueError(f"{edge} px is smaller than `multiple` ({self.multiple} px)")
            if self.buckets is not None and edge % self.multiple:
                raise ValueError(
                    f"the side {edge} px is not a multiple of {self.multiple} px; nearest: "
                    f"{round(edge / self.multiple) * self.multiple}"
                )
        return self


class Captioner(SpecModel):
    """A model that writes missing captions, of a kind that docs/guide/who-is-who.md lists."""

    model: str = Field(description="repository id, or a folder on this machine")
    revision: str | None = Field(
        None, description="commit of the repository, so that every computer gets the same weights"
    )
    max_tokens: int = Field(48, ge=1, description="longest caption, in the captioner's tokens")


class CaptionSpec(SpecModel):
    """Whose names captions may carry, and who writes missing ones."""

    characters: dict[str, Character]
    captioner: Captioner | None = None
    not_names: list[str] = Field(
        default_factory=list, description="words that are built like a trigger name but are none"
    )


class AuditThresholds(SpecModel):
    """When the audit warns. What each may do to the result is said where the warning is made."""

    min_images_per_character: int = Field(8, description="warn when somebody is in fewer photos")
    min_solos: int = Field(3, description="warn when somebody is alone in fewer photos")
    max_appearance_ratio: float = Field(
        2.0,
        description="warn when somebody is in more than this many times as many photos as another",
    )
    common_word_share: float = Field(
        0.8,
        ge=0,
        le=1,
        description="warn about a word that is in at least this proportion of somebody's captions",
    )
    min_captions_for_words: int = Field(
        4, description="with fewer captions than this, words are not examined"
    )
    min_noun_share: float = Field(
        0.8,
        ge=0,
        le=1,
        description="warn when a smaller proportion of captions contains the class noun",
    )
    max_shared_tokens: float = Field(
        0.5,
        ge=0,
        le=1,
        description="warn when a trigger name shares at least this proportion of its tokens "
        "with another",
    )
    max_unknown_tokens: float = Field(
        0.1,
        ge=0,
        le=1,
        description="warn when a text encoder does not know a larger proportion of a caption's "
        "tokens",
    )


class Misfit(SpecModel):
    """A setting beyond what is usual for its base, or one that contradicts another setting."""

    where: str = Field(description="its place in the experiment's file, e.g. variants.all")
    what: str = Field(description="the value, the base, and what is usual for it")
    key: str = Field(description="the key that sets it")
    advice: str | None = Field(None, description="what to do; unset: to correct the key")

    @property
    def cure(self) -> str:
        """What a person does about it; only they can know."""
        return self.advice or f"correct `{self.key}`, or ignore this if it is intended"


class TrainingAmount(SpecModel):
    """How much of a dataset a training sees."""

    where: str = Field(description="its place in the experiment's file, e.g. variants.all")
    steps: int
    batch: int
    pictures: int = Field(description="seen in all its steps, repeated ones counted")
    selection: Selection = Selection()


class AuditSpec(SpecModel):
    """What the audit compares the dataset with."""

    characters: dict[str, Character]
    thresholds: AuditThresholds = AuditThresholds()
    tokenizers: dict[str, int] = Field(
        default_factory=dict,
        description="`<directory or id>/tokenizer` (also `@revision`) -> its token limit",
    )
    architectures: dict[str, str] = Field(
        default_factory=dict, description="model -> its architecture, where its base says it"
    )
    cells: list[str] = Field(default_factory=list, description="cells that variants ask for")
    misfits: list[Misfit] = Field(
        default_factory=list,
        description="settings of the experiment that don't fit their base, or each other",
    )
    trainings: list[TrainingAmount] = Field(
        default_factory=list,
        description="of variants with equal batch and selection the one that sees least",
    )
    hide_photos: bool = Field(False, description="show no photo on the page")
