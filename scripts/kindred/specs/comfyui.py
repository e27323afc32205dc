"""What a graph for ComfyUI is made of: a base's files there, and the picture to be drawn."""

from __future__ import annotations

from pydantic import Field

from kindred.specs.spec_model import SpecModel


class ComfyFiles(SpecModel):
    """A base's files as ComfyUI finds them in its folders under models/. Part of no key."""

    diffusion_model: str = Field(description="file in diffusion_models/")
    text_encoders: list[str] = Field(
        min_length=1, description="files in text_encoders/, in the order of the loader's inputs"
    )
    vae: str = Field(description="file in vae/")
    shift_by_size: bool = Field(
        True, description="whether the base's noise levels follow the size of the picture"
    )
    shift: float | None = Field(
        None,
        gt=0,
        description="the factor that noise levels are moved by where it is the same at every size, "
        "as in the base's scheduler/; unset: as ComfyUI has it",
    )


class ComfyPicture(SpecModel):
    """One picture as it was drawn here, to be drawn there."""

    loras: dict[str, float] = Field(description="file in loras/ -> weight")
    prompt: str
    negative: str = ""
    width: int = Field(gt=0, description="px")
    height: int = Field(gt=0, description="px")
    steps: int = Field(gt=0)
    guidance_scale: float = Field(description="as the base's own pipeline means it")
    seed: int = Field(ge=0)
