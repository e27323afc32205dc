"""What preprocess, caption and audit are told."""

from __future__ import annotations

from pydantic import Field

from kindred.spec.common import Character, Strict


class PreprocessSpec(Strict):
    """How photos become training images."""

    resolutions: list[int] = Field([512], description="edge of the square with a bucket's area, px")
    buckets: list[tuple[int, int]] | None = Field(
        None, description="explicit [width, height] buckets; replaces `resolutions`"
    )
    multiple: int = Field(16, description="bucket edges are multiples of this, px")
    max_aspect: float = Field(2.0, description="longest edge / shortest edge of a bucket")
    background: str = Field("#ffffff", description="colour put behind transparency")
    min_side: int = Field(256, description="warn when a photo's shorter side is below this, px")
    min_sharpness: float = Field(0.0, description="warn below this variance of the Laplacian")
    near_duplicate: int = Field(4, description="warn at or below this perceptual-hash distance")


class Captioner(Strict):
    """A BLIP-class model that writes missing captions."""

    model: str = Field(description="repository id or local directory")
    revision: str | None = None
    max_tokens: int = 40


class CaptionSpec(Strict):
    """Whose names captions may carry, and who writes missing ones."""

    characters: dict[str, Character]
    captioner: Captioner | None = None


class AuditThresholds(Strict):
    """When the audit warns. Each default is explained where the warning is made."""

    min_images_per_character: int = 8
    min_solos: int = 3
    max_appearance_ratio: float = 2.0
    common_word_share: float = 0.8


class AuditSpec(Strict):
    """What the audit compares the dataset with."""

    characters: dict[str, Character]
    thresholds: AuditThresholds = AuditThresholds()
    tokenizers: dict[str, int] = Field(
        default_factory=dict, description="tokenizer directory or id -> its token limit"
    )
    cells: list[str] = Field(default_factory=list, description="cells that variants ask for")
