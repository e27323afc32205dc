"""What training is told: recipe, selection of photos, and the variant they make up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from kindred.specs.base_model import Base
from kindred.specs.character import Character
from kindred.specs.spec_model import SpecModel, StoredSpec


class Keep(SpecModel):
    """Which adapters of a training are kept besides the last."""

    every: int | None = Field(
        None, gt=0, description="optimizer steps between two; `checkpoint_every` when unset"
    )
    last: int | None = Field(
        None, gt=0, description="of these the last so many, the finished one included; all if unset"
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.every is None and self.last is None:
            raise ValueError("say `every` (steps), `last` (how many), or both")
        return self


class Recipe(StoredSpec):
    """Training hyper-parameters."""

    renamed_keys: ClassVar[Mapping[str, str]] = {
        "accumulation": "gradient_accumulation",
        "clip": "max_grad_norm",
        "dropout": "lora_dropout",
        "guidance": "train_guidance",
        "prior_images": "class_images_per_noun",
        "prior_weight": "class_images_weight",
    }

    rank: int = Field(16, gt=0, description="width of A and B (LoRA: arXiv 2106.09685)")
    alpha: float | None = Field(None, gt=0, description="LoRA alpha; the rank when unset")
    rank_pattern: dict[str, Annotated[int, Field(gt=0)]] | None = Field(
        None,
        min_length=1,
        description="other ranks of single blocks or layers, by a block's name or the end of a "
        r"layer's, both regular expressions: {.*blocks\.[0-3]: 32, to_v: 8}",
    )
    alpha_pattern: dict[str, Annotated[float, Field(gt=0)]] | None = Field(
        None,
        min_length=1,
        description="other alphas of single blocks or layers, by patterns like rank_pattern's; "
        "`alpha` when unset, and the layer's own rank without that",
    )
    targets: Literal["attention", "all-linear"] | list[str] | str = Field(
        "all-linear",
        description="attention: to_q, to_k, to_v, to_out; all-linear: every linear layer of the "
        "blocks that reads tokens; a list of name endings; or a regular expression",
    )
    lora_dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        serialization_alias="dropout",
        description="on the input of each LoRA layer",
    )
    rslora: bool = Field(False, description="scale by alpha / sqrt(rank)")
    dora: bool = Field(
        False, description="learn length and direction of weights apart (arXiv 2402.09353)"
    )
    adapter_type: Literal["lora", "lokr"] = Field(
        "lora",
        description="lokr: a Kronecker product of two matrices, the larger one of rank `rank`, or "
        "whole where that is no less than half its longer side",
    )
    lokr_factor: int | None = Field(
        None,
        gt=0,
        description="side of LoKr's smaller matrix, where it divides the layer's; near the square "
        "root of the layer's when unset",
    )
    steps: int = Field(1500, gt=0, description="optimizer steps")
    batch: int = Field(1, gt=0, description="pictures a step")
    gradient_accumulation: int = Field(
        1, gt=0, serialization_alias="accumulation", description="micro-steps per optimizer step"
    )
    optimizer: Literal["adamw", "adamw8bit", "prodigy", "adafactor"] = Field(
        "adamw",
        description="adamw8bit needs the package bitsandbytes, prodigy the package prodigyopt "
        "(arXiv 1711.05101, 2110.02861, 2306.06101; adafactor: 1804.04235)",
    )
    lr: float = Field(1e-4, gt=0, description="peak learning rate; 1 is usual for prodigy")
    loraplus_lr_ratio: float | None = Field(
        None,
        gt=0,
        description="LoRA+: learning rate of B (lora_up) over that of A (lora_down); 1 when unset",
    )
    weight_decay: float = Field(
        1e-2,
        ge=0,
        description="share of a weight that a step takes away, times the rate (arXiv 1711.05101)",
    )
    schedule: Literal["constant", "cosine", "linear"] = Field(
        "constant", description="after warm-up; cosine and linear fall to 0"
    )
    warmup: int = Field(0, ge=0, description="optimizer steps of linear warm-up")
    max_grad_norm: float = Field(
        1.0, ge=0, serialization_alias="clip", description="largest gradient norm; 0 is none"
    )
    timesteps: Literal["uniform", "logit-normal", "sigmoid", "shifted", "mode"] = Field(
        "sigmoid", description="distribution of noise levels"
    )
    logit_mean: float = Field(0.0, description="for logit-normal")
    logit_std: float = Field(1.0, gt=0, description="for logit-normal")
    mode_scale: float = Field(
        1.29,
        ge=-1,
        le=1.75,
        description="for mode: above 0 prefers the middle, below 0 both ends, 0 is uniform",
    )
    shift: float | None = Field(
        None, gt=0, description="for `shifted`; by sequence length when unset"
    )
    min_timestep: int = Field(
        0, ge=0, lt=1000, description="least noise trained on, of 1000; all noise levels are scaled"
    )
    max_timestep: int = Field(
        1000, gt=0, le=1000, description="most noise trained on, of 1000; all levels are scaled"
    )
    weighting_scheme: Literal["none", "cosmap", "sigma_sqrt"] = Field(
        "none",
        description="weight of a noise level s in the loss: cosmap, 2 / (pi (1 - 2 s + 2 s^2)), "
        "twice as much in the middle as at the ends; sigma_sqrt, 1 / s^2, which is most of clear "
        "pictures",
    )
    train_guidance: float = Field(
        1.0,
        ge=0,
        serialization_alias="guidance",
        description="guidance scale that a distilled base is told while it is trained",
    )
    caption_dropout: float = Field(0.0, ge=0, le=1, description="share trained with no caption")
    text_tokens: int | None = Field(
        None, gt=0, description="longest caption, in tokens; the base's when unset"
    )
    ema: float | None = Field(
        None, gt=0, lt=1, description="decay of the averaged adapter; none when unset"
    )
    class_images_weight: float = Field(
        0.0,
        ge=0,
        serialization_alias="prior_weight",
        description="weight of class images in the loss (prior preservation); 0 is none",
    )
    class_images_per_noun: int | None = Field(
        None,
        gt=0,
        serialization_alias="prior_images",
        description="class images of each class noun, drawn by the base; 20 when unset",
    )
    diff_output_preservation: float = Field(
        0.0,
        ge=0,
        description="weight in the loss of the base's own answers to captions that say class nouns "
        "in place of names (differential output preservation); 0 is none",
    )
    mask_weight: float | None = Field(
        None,
        gt=0,
        description="loss inside people relative to background (mean 1 an image); equal when unset",
    )
    head_weight: float | None = Field(
        None,
        gt=0,
        description="loss inside heads relative to background; like the rest of people when unset",
    )
    checkpoint_every: int = Field(250, gt=0, description="optimizer steps between checkpoints")
    keep: Keep | list[Annotated[int, Field(gt=0)]] | None = Field(
        None,
        description="adapters kept on the way, to find out which step is best: {every: 250}, the "
        "last ones, {last: 4}, or a list of steps; the finished one alone when unset",
    )
    keep_state: bool = Field(
        False,
        description="keep the last state: the same training with more steps goes on from it",
    )

    @property
    def weighs_people(self) -> bool:
        """Whether training must know where people are."""
        return self.mask_weight is not None or self.head_weight is not None

    @property
    def series(self) -> list[int]:
        """The steps whose adapters are kept, in order, the last step among them; none without
        `keep`."""
        if self.keep is None:
            return []
        if isinstance(self.keep, list):
            return sorted({step for step in self.keep if step < self.steps} | {self.steps})
        every = self.keep.every or self.checkpoint_every
        steps = [*range(every, self.steps, every), self.steps]
        return steps[-self.keep.last :] if self.keep.last else steps

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.dora and self.adapter_type != "lora":
            raise ValueError("`dora` is a kind of LoRA; take it out beside `adapter_type: lokr`")
        if self.loraplus_lr_ratio is not None and self.adapter_type != "lora":
            raise ValueError("`loraplus_lr_ratio` is of a LoRA's A and B; a LoKr has others")
        if self.loraplus_lr_ratio is not None and self.optimizer == "prodigy":
            raise ValueError("`loraplus_lr_ratio` needs two rates, and prodigy finds one for all")
        return self

    @model_validator(mode="after")
    def _range_of_noise(self) -> Self:
        if self.min_timestep >= self.max_timestep:
            raise ValueError("`min_timestep` must be below `max_timestep`")
        return self

    @field_validator("targets", "rank_pattern", "alpha_pattern")
    @classmethod
    def _patterns(cls, value: Any) -> Any:
        patterns = [value] if isinstance(value, str) else value if isinstance(value, dict) else []
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"'{pattern}' is no regular expression ({error})") from None
        return value


class Selection(SpecModel):
    """Which training images a variant sees."""

    characters: list[str] | None = Field(
        None, min_length=1, description="letters; photos with anyone else drop"
    )
    cells: list[str] | None = Field(
        None, min_length=1, description="e.g. [J, A, C, J+A]; all when unset"
    )
    per_cell: int | dict[str, int] | None = Field(None, description="images kept per cell")
    match: Literal["images", "appearances"] | None = Field(
        None, description="what `total` counts when variants are compared at equal size"
    )
    total: int | None = Field(None, gt=0, description="images, or appearances per character")
    balance: Literal["repeat", "drop"] | None = Field(
        None,
        description="everyone equally often: photos of one alone repeated, or photos dropped",
    )
    kinds: list[Literal["photo", "composed", "cropped"]] | None = Field(
        None, min_length=1, description="pictures of which origin; all when unset"
    )
    held_out: PositiveInt | dict[str, PositiveInt] | None = Field(
        None,
        description="images of each cell that are not trained on, so that the loss on them tells "
        "when to stop; photos where a cell has more of them than that, otherwise pictures made of "
        "photos, and none of a cell that has no more than that",
    )
    seed: int = 0

    def learned(self, known: Iterable[str]) -> set[str]:
        """The letters, of those `known`, that may occur in the photos chosen."""
        if self.cells is not None:
            return {letter for cell in self.cells for letter in cell.split("+")}
        return set(self.characters or known)


Pairing = Literal["matched", "scrambled", "dealt"]


class TrainSpec(SpecModel):
    """A variant, fully resolved. The training seed is not part of it: that is the run."""

    base: Base
    recipe: Recipe
    selection: Selection = Selection()
    characters: dict[str, Character]
    dataset: str
    pairing: Pairing = "matched"

    def text_tokens(self) -> int:
        """Length of captions in tokens: the recipe's, or else the base's."""
        return self.recipe.text_tokens or self.base.text_tokens
