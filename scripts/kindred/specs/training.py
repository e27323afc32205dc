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
        None,
        gt=0,
        description="optimizer steps between two kept adapters; unset: `checkpoint_every`",
    )
    last: int | None = Field(
        None, gt=0, description="keep only the last ones, including the finished one; unset: all"
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.every is None and self.last is None:
            raise ValueError("set `every` (steps), `last` (how many), or both")
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

    rank: int = Field(16, gt=0, description="rank of the adapter (LoRA: arXiv 2106.09685)")
    alpha: float | None = Field(None, gt=0, description="LoRA alpha; unset: the rank")
    rank_pattern: dict[str, Annotated[int, Field(gt=0)]] | None = Field(
        None,
        min_length=1,
        description="different ranks for some blocks or layers. Keys are regular expressions for a "
        "block's name or the end of a layer's name: {.*blocks\\.0: 32, .*blocks\\.1: 8}",
    )
    alpha_pattern: dict[str, Annotated[float, Field(gt=0)]] | None = Field(
        None,
        min_length=1,
        description="different alphas for some blocks or layers, with patterns as in rank_pattern; "
        "unset: `alpha`, or the layer's rank",
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
        description="dropout on the input of each LoRA layer",
    )
    rslora: bool = Field(False, description="scale by alpha / sqrt(rank)")
    dora: bool = Field(
        False,
        description="learn the length and the direction of weights separately (arXiv 2402.09353)",
    )
    adapter_type: Literal["lora", "lokr"] = Field(
        "lora",
        description="lokr: a Kronecker product of two matrices; the larger one has rank `rank`, "
        "or is full if `rank` is at least half its longer side",
    )
    lokr_factor: int | None = Field(
        None,
        gt=0,
        description="side of LoKr's smaller matrix, if it divides the layer's side; unset: near "
        "the square root of the layer's side",
    )
    steps: int = Field(1500, gt=0, description="optimizer steps")
    batch: int = Field(1, gt=0, description="pictures in a batch")
    gradient_accumulation: int = Field(
        1, gt=0, serialization_alias="accumulation", description="batches in each optimizer step"
    )
    optimizer: Literal["adamw", "adamw8bit", "prodigy", "adafactor"] = Field(
        "adamw",
        description="adamw8bit needs the package bitsandbytes, prodigy needs prodigyopt (arXiv "
        "1711.05101, 2110.02861, 2306.06101; adafactor: 1804.04235)",
    )
    lr: float = Field(1e-4, gt=0, description="peak learning rate; 1 is usual for prodigy")
    loraplus_lr_ratio: float | None = Field(
        None,
        gt=0,
        description="LoRA+: learning rate of B (lora_up) divided by that of A (lora_down); "
        "unset: 1",
    )
    weight_decay: float = Field(
        1e-2,
        ge=0,
        description="proportion of each weight that a step removes, multiplied by the learning "
        "rate (arXiv 1711.05101)",
    )
    schedule: Literal["constant", "cosine", "linear"] = Field(
        "constant", description="learning rate after warm-up; cosine and linear fall to 0"
    )
    warmup: int = Field(0, ge=0, description="optimizer steps of linear warm-up")
    max_grad_norm: float = Field(
        1.0, ge=0, serialization_alias="clip", description="largest gradient norm; 0: no limit"
    )
    timesteps: Literal["uniform", "logit-normal", "sigmoid", "shifted", "mode"] = Field(
        "sigmoid", description="distribution of noise levels"
    )
    logit_mean: float = Field(0.0, description="for `timesteps: logit-normal`")
    logit_std: float = Field(1.0, gt=0, description="for `timesteps: logit-normal`")
    mode_scale: float = Field(
        1.29,
        ge=-1,
        le=1.75,
        description="for `timesteps: mode`: above 0 prefers the middle, below 0 both ends, 0 is "
        "uniform",
    )
    shift: float | None = Field(
        None, gt=0, description="for `timesteps: shifted`; unset: by the length of the sequence"
    )
    min_timestep: int = Field(
        0,
        ge=0,
        lt=1000,
        description="lowest noise level to train on, of 1000; all levels are scaled",
    )
    max_timestep: int = Field(
        1000,
        gt=0,
        le=1000,
        description="highest noise level to train on, of 1000; all levels are scaled",
    )
    weighting_scheme: Literal["none", "cosmap", "sigma_sqrt"] = Field(
        "none",
        description="weight of a noise level s in the loss: cosmap, 2 / (pi (1 - 2 s + 2 s^2)), "
        "is twice as large in the middle as at the ends; sigma_sqrt, 1 / s^2, is "
        "largest for clear pictures",
    )
    train_guidance: float = Field(
        1.0,
        ge=0,
        serialization_alias="guidance",
        description="guidance scale that a distilled base gets as input during training",
    )
    caption_dropout: float = Field(
        0.0, ge=0, le=1, description="proportion of training steps without a caption"
    )
    text_tokens: int | None = Field(
        None, gt=0, description="longest caption, in tokens; unset: the base's `text_tokens`"
    )
    ema: float | None = Field(
        None, gt=0, lt=1, description="decay of the averaged adapter (EMA); unset: no averaging"
    )
    class_images_weight: float = Field(
        0.0,
        ge=0,
        serialization_alias="prior_weight",
        description="weight of class images in the loss (prior preservation); 0: no class images",
    )
    class_images_per_noun: int | None = Field(
        None,
        gt=0,
        serialization_alias="prior_images",
        description="class images that the base draws for each class noun; unset: 20",
    )
    diff_output_preservation: float = Field(
        0.0,
        ge=0,
        description="weight in the loss of keeping the base's own output for captions with "
        "class nouns instead of names (differential output preservation); 0: off",
    )
    mask_weight: float | None = Field(
        None,
        gt=0,
        description="loss inside people relative to the background (mean 1 in each image); "
        "unset: equal",
    )
    head_weight: float | None = Field(
        None,
        gt=0,
        description="loss inside heads relative to the background; unset: as inside people",
    )
    checkpoint_every: int = Field(250, gt=0, description="optimizer steps between checkpoints")
    keep: Keep | list[Annotated[int, Field(gt=0)]] | None = Field(
        None,
        description="adapters to keep during training, to find the best step: {every: 250}, "
        "{last: 4}, or a list of steps; unset: only the last",
    )
    keep_state: bool = Field(
        False,
        description="keep the last state, so that the same training with more steps can "
        "continue from it",
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
            raise ValueError("`dora` needs a LoRA; remove it, or remove `adapter_type: lokr`")
        if self.loraplus_lr_ratio is not None and self.adapter_type != "lora":
            raise ValueError(
                "`loraplus_lr_ratio` needs a LoRA's A and B, which a LoKr doesn't have"
            )
        if self.loraplus_lr_ratio is not None and self.optimizer == "prodigy":
            raise ValueError(
                "`loraplus_lr_ratio` needs two learning rates, but prodigy finds one for all"
            )
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
                raise ValueError(
                    f"'{pattern}' is not a valid regular expression ({error})"
                ) from None
        return value


class Selection(SpecModel):
    """Which training images a variant sees."""

    characters: list[str] | None = Field(
        None, min_length=1, description="letters; photos that show anybody else are left out"
    )
    cells: list[str] | None = Field(
        None, min_length=1, description="the cells to train on, e.g. [J, A, C, J+A]; unset: all"
    )
    per_cell: int | dict[str, int] | None = Field(
        None, description="at most this many photos of each cell"
    )
    match: Literal["images", "appearances"] | None = Field(
        None, description="what `total` counts: images, or appearances of each character"
    )
    total: int | None = Field(
        None, gt=0, description="number of images or appearances, to compare variants of equal size"
    )
    balance: Literal["repeat", "drop"] | None = Field(
        None,
        description="show everybody equally often: repeat photos of one person, or drop photos",
    )
    kinds: list[Literal["photo", "composed", "cropped"]] | None = Field(
        None, min_length=1, description="which pictures to train on, by origin; unset: all"
    )
    held_out: PositiveInt | dict[str, PositiveInt] | None = Field(
        None,
        description="this many images of each cell are not trained on, so that the loss on them "
        "tells when to stop. Photos, if the cell has more; otherwise composites or "
        "crops; none, if it has no more of either",
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
