"""What rendering is told: prompt sets, and the base and adapters that draw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from kindred.specs.base_model import Base, TextEncoder
from kindred.specs.reference_pictures import ReferencePictures
from kindred.specs.spec_model import SpecModel, StoredSpec

EDGE_MULTIPLE = 16  # 8 pixels a latent, 2 x 2 latents a token
FULL_TOKENS = 512  # image tokens that keep a processor busy
LARGEST_SEED = 2**63 - 1


def _edge(value: int) -> int:
    if value < EDGE_MULTIPLE or value % EDGE_MULTIPLE:
        near = max(1, round(value / EDGE_MULTIPLE)) * EDGE_MULTIPLE
        raise ValueError(f"sides must be multiples of {EDGE_MULTIPLE} px; nearest: {near}")
    return value


def _once(seeds: list[int]) -> list[int]:
    twice = sorted({seed for seed in seeds if seeds.count(seed) > 1})
    if twice:
        raise ValueError(f"list each seed once; repeated here: {', '.join(map(str, twice))}")
    return seeds


Precision = Literal["trained", "merged", "unquantized", "fp8"]
Edge = Annotated[int, AfterValidator(_edge)]
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]
Seeds = Annotated[list[Seed], AfterValidator(_once)]


class Prompt(SpecModel):
    """A prompt with seeds or a size of its own; what is unset is the prompt set's."""

    text: str
    seeds: Seeds | None = None
    width: Edge | None = None
    height: Edge | None = None
    negative: str | None = None


class PromptSet(StoredSpec):
    """Named prompts, each rendered with every seed."""

    renamed_keys: ClassVar[Mapping[str, str]] = {"guidance": "guidance_scale"}

    prompts: dict[str, str | Prompt]
    seeds: Seeds
    width: Edge
    height: Edge
    steps: int = Field(28, ge=1)
    guidance_scale: float | None = Field(
        None,
        serialization_alias="guidance",
        description="how closely to follow the prompt, on the base's own scale; unset: the "
        "base's usual value",
    )
    negative: str | None = Field(
        None,
        description="what pictures should not show, for bases with true classifier-free "
        "guidance; unset: the empty text",
    )
    precision: Precision | None = Field(
        None,
        description="how adapters meet a quantized base. trained (default): adapters on the "
        "quantized base, as in training; merged: adapters are added to the original "
        "weights, which are quantized again; unquantized: adapters on the original "
        "weights; fp8, for any base: as trained, but large products in 8-bit "
        "floats, which is faster and changes the pictures",
    )

    def full(self, name: str) -> Prompt:
        """The named prompt with nothing left unset."""
        prompt = self.prompts[name]
        own = prompt if isinstance(prompt, Prompt) else Prompt(text=prompt)
        return Prompt(
            text=own.text,
            seeds=self.seeds if own.seeds is None else own.seeds,
            width=own.width or self.width,
            height=own.height or self.height,
            negative=self.negative if own.negative is None else own.negative,
        )

    def texts(self) -> dict[str, str]:
        """Name -> what the encoders read."""
        return {name: self.full(name).text for name in self.prompts}

    def negatives(self) -> dict[str, str]:
        """Name -> the negative text of a prompt, of those that have one."""
        found = {name: (self.full(name).negative or "").strip() for name in self.prompts}
        return {name: text for name, text in found.items() if text}

    def texts_to_encode(self) -> dict[str, str]:
        """What the encoders read, by what people call it: prompts, and each negative text once."""
        names: dict[str, str] = {}
        for name, text in self.negatives().items():
            names.setdefault(text, f"negative of {name}")
        return self.texts() | {name: text for text, name in names.items()}


class PromptTexts(SpecModel):
    """What encoding prompts is told: no seed, size or guidance, so these encode nothing anew."""

    encoder: TextEncoder
    prompts: dict[str, str]


class RenderSpec(SpecModel):
    """A prompt set on a base with adapters (none: the base itself)."""

    base: Annotated[Base, AfterValidator(Base.drawing)]
    prompt_set: PromptSet
    name: str = Field(description="name of the prompt set")
    weights: list[float] = Field(
        default_factory=list, description="one per adapter; all 1 when unset"
    )
    merge: bool | None = Field(
        None,
        description="adapters added into the weights before rendering; unset: if that is exact",
    )
    apart: list[list[str]] | None = Field(
        None,
        description="names of whom each adapter is of, in the order of the weights: an adapter "
        "changes only where these people are drawn; unset: everywhere",
    )
    batch: int | None = Field(
        None, ge=1, description="pictures drawn at once; unset: 4 small ones, 1 from about 300 px"
    )

    references: ReferencePictures | None = Field(
        None, description="photos that the base is shown beside every prompt that asks for somebody"
    )

    @model_validator(mode="after")
    def _mergeable(self) -> Self:
        if self.merge and self.base.quantization:
            raise ValueError("`merge` needs a base without quantization; leave it unset")
        if self.apart is not None and self.merge:
            raise ValueError("merged adapters can't be kept apart; leave `merge` unset")
        if self.apart is not None and len(self.apart) != len(self.weights):
            raise ValueError("`apart` needs the names of each adapter, as many as `weights`")
        return self

    def batch_of(self, width: int, height: int, beside: Sequence[tuple[int, int]] = ()) -> int:
        """How many pictures of this size are drawn at once, each `beside` reference pictures of
        these sizes. A large picture keeps a processor busy alone, and more of them would only need
        more memory."""
        sizes = [(width, height), *beside]
        tokens = sum((w // EDGE_MULTIPLE) * (h // EDGE_MULTIPLE) for w, h in sizes)
        return self.batch or max(1, min(4, FULL_TOKENS // tokens))

    def drawn_as(self, adapted: bool) -> Precision:
        """The precision that pictures are drawn in, `adapted` or by the base alone: the one asked
        for, or 'trained' where that comes to the same."""
        asked = self.prompt_set.precision or "trained"
        if asked == "fp8":
            return asked
        same = self.base.quantization is None or (asked == "merged" and not adapted)
        return "trained" if same else asked

    def merged(self) -> bool:
        """Whether adapters are merged. Unset: in float32 only, where no weight is rounded off."""
        if self.apart is not None:
            return False
        if self.merge is None:
            if self.prompt_set.precision == "merged" and self.base.quantization is None:
                return True
            return self.base.quantization is None and self.base.dtype == "float32"
        return self.merge
