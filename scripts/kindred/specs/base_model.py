"""The frozen text-to-image model, and the slices of it that encoders depend on."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from kindred.specs.spec_model import SpecModel

Dtype = Literal["float32", "bfloat16", "float16"]
# nf4-double: the scales of nf4 are quantized too, 0.4 bits a weight less.
Quantization = Literal["nf4", "nf4-double", "int8"]


class ImageEncoder(SpecModel):
    """What latents depend on. The VAE always encodes in float32: once a photo, so cheap."""

    model: str = Field(
        description="repository id, or a folder on this machine, in diffusers' layout"
    )
    revision: str | None = None
    architecture: str | None = Field(
        None, description="the kind of model; unset: as model_index.json says"
    )


class TextEncoder(SpecModel):
    """What text embeddings depend on: the encoders, their precision and length."""

    model: str = Field(
        description="repository id, or a folder on this machine, in diffusers' layout"
    )
    revision: str | None = None
    architecture: str | None = Field(
        None, description="the kind of model; unset: as model_index.json says"
    )
    dtype: Dtype = "bfloat16"
    quantization: Quantization | None = Field(None, description="of the large text encoder")
    tokens: int = Field(512, gt=0, description="longest text, in the tokens of its encoder")


class Base(SpecModel):
    """The frozen text-to-image model."""

    model: str = Field(
        description="repository id, or a folder on this machine, in diffusers' layout"
    )
    revision: str | None = Field(
        None, description="commit of the repository, so that every computer gets the same weights"
    )
    architecture: str | None = Field(
        None, description="the kind of model; unset: as model_index.json says"
    )
    dtype: Dtype = Field("bfloat16", description="compute precision")
    quantization: Quantization | None = Field(
        None, description="quantization of the transformer and the large text encoder"
    )
    text_tokens: int = Field(512, gt=0, description="longest text, in the tokens of its encoder")
    training_adapter: str | None = Field(
        None,
        description="LoRA that is merged into the weights for training but not for drawing: a "
        "file, or `<owner>/<repository>/<file>`, followed by `@<commit>` to pin it",
    )

    def drawing(self) -> Base:
        """The base as pictures are drawn with it: without what only trainings fuse."""
        if self.training_adapter is None:
            return self
        told = self.model_dump(exclude_unset=True, exclude={"training_adapter"})
        return Base.model_validate(told)

    def image_encoder(self) -> ImageEncoder:
        """The slice that latents depend on."""
        return ImageEncoder(**self._part("model", "revision", "architecture"))

    def text_encoder(self, tokens: int | None = None) -> TextEncoder:
        """The slice that text embeddings of this length depend on (unset: the base's own)."""
        part = self._part("model", "revision", "architecture", "dtype", "quantization")
        return TextEncoder(**part, tokens=tokens or self.text_tokens)

    def _part(self, *names: str) -> dict[str, Any]:
        """The named fields that were set, so that an unset one stays out of canonical strings."""
        return {name: getattr(self, name) for name in names if name in self.model_fields_set}
