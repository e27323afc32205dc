"""What encode, train and render are told: bases, recipes, variants, prompt sets."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kindred.spec.common import Character, Strict

Dtype = Literal["float32", "bfloat16", "float16"]


class Base(Strict):
    """The frozen text-to-image model."""

    model: str = Field(description="repository id or local directory, FluxPipeline layout")
    revision: str | None = Field(None, description="commit of the repository; pin it")
    dtype: Dtype = Field("bfloat16", description="compute precision")
    quantization: Literal["nf4", "int8"] | None = None
    text_tokens: int = Field(512, description="T5 sequence length")


class EncodeSpec(Strict):
    """The slice of a base that latents and text embeddings depend on."""

    base: Base
    text_tokens: int


class Recipe(Strict):
    """Training hyper-parameters."""

    rank: int = 16
    alpha: float | None = Field(None, description="LoRA alpha; the rank when unset")
    targets: Literal["attention", "all-linear"] | list[str] | str = "all-linear"
    dropout: float = 0.0
    rslora: bool = False
    dora: bool = False
    steps: int = Field(1500, description="optimizer steps")
    batch: int = 1
    accumulation: int = Field(1, description="micro-steps per optimizer step")
    optimizer: Literal["adamw", "adamw8bit", "prodigy"] = "adamw"
    lr: float = 1e-4
    weight_decay: float = 1e-2
    schedule: Literal["constant", "cosine", "linear"] = "constant"
    warmup: int = 0
    clip: float = Field(1.0, description="largest gradient norm; 0 is none")
    timesteps: Literal["uniform", "logit-normal", "sigmoid", "shifted"] = "sigmoid"
    shift: float | None = Field(None, description="for `shifted`; by sequence length when unset")
    guidance: float = 1.0
    caption_dropout: float = 0.0
    text_tokens: int | None = Field(None, description="T5 tokens; the base's when unset")
    ema: float | None = Field(None, description="decay of the averaged adapter; none when unset")
    prior_weight: float = Field(0.0, description="weight of class-prior images; 0 is none")
    prior_images: int = Field(0, description="class-prior images per character")
    checkpoint_every: int = Field(250, description="optimizer steps between checkpoints")


class Selection(Strict):
    """Which training images a variant sees."""

    characters: list[str] | None = Field(None, description="letters; photos with anyone else drop")
    cells: list[str] | None = Field(None, description="e.g. [J, A, C, J+A]; all when unset")
    per_cell: int | dict[str, int] | None = Field(None, description="images kept per cell")
    match: Literal["images", "appearances"] | None = Field(
        None, description="what `total` counts when variants are compared at equal size"
    )
    total: int | None = Field(None, description="images, or appearances per character")
    seed: int = 0


class TrainSpec(Strict):
    """A variant, fully resolved. The training seed is not part of it: that is the run."""

    base: Base
    recipe: Recipe
    selection: Selection = Selection()
    characters: dict[str, Character]
    dataset: str
    pairing: Literal["matched", "scrambled"] = "matched"


class PromptSet(Strict):
    """Named prompts, each rendered with every seed."""

    prompts: dict[str, str]
    seeds: list[int]
    width: int
    height: int
    steps: int = 28
    guidance: float = 3.5


class RenderSpec(Strict):
    """A prompt set on a base with adapters (none: the base itself)."""

    base: Base
    prompt_set: PromptSet
    name: str = Field(description="name of the prompt set")
    weights: list[float] = Field(default_factory=list, description="one per adapter")
    batch: int = 4
