"""Sizes and lengths of the lab's training, read from config/lab/<name>.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, ValidationError

from kindred.common.errors import ProblemsError
from kindred.common.planned_config import planned_path
from kindred.specs.spec_model import SpecModel, problems_of


class CorpusSettings(SpecModel):
    """How many drawings, in two parts: the autoencoder starts on `first` while `rest` is drawn."""

    first: int
    rest: int
    people: int | None = Field(None, description="in every drawing; 1 to 4 at random when unset")
    identities: int = Field(40000, description="people for the judge, each drawn `views` times")
    views: int = 5
    shard: int = Field(300, description="identities a file; an even number")


class TextSettings(SpecModel):
    """T5 and CLIP encoders."""

    tokens: int = 56
    t5_width: int = 192
    t5_layers: int = 2
    t5_heads: int = 6
    t5_ff: int = 384
    clip_width: int = 128
    clip_layers: int = 2
    clip_vocabulary: int = 1000


class QwenSettings(SpecModel):
    """klein's text encoder: as many layers as it reads states of."""

    tokens: int = Field(72, description="of a caption and the chat around it")
    width: int = 96
    heads: int = 4
    kv_heads: int = 2
    ff: int = 192


class StageSettings(SpecModel):
    """Length and learning rate of one training stage."""

    steps: int
    batch: int
    lr: float
    warmup: int = 200
    weight_decay: float = 0.01
    compile: bool = True
    checkpoint_s: float = Field(60.0, description="seconds between checkpoints")


class VaeSettings(StageSettings):
    """AutoencoderKL, f8."""

    channels: list[int] = [32, 80, 112, 128]
    layers: int = 1
    latent_channels: int = 16
    groups: int = 16
    kl: float = 5e-5
    crop: tuple[int, int] = Field((128, 96), description="width, height; fits every native size")
    head_weight: float = 3.0
    edges: float = 0.1


class KleinVaeSettings(SpecModel):
    """AutoencoderKLFlux2 with the weights of an AutoencoderKL."""

    weights: str = Field("lab/base/vae", description="folder of that")
    pictures: int = Field(4096, description="by which batch statistics are measured")


class FlowSettings(StageSettings):
    """A transformer trained by flow matching, its text encoders with it."""

    double: int = 3
    single: int = 5
    heads: int = 8
    head_width: int = 32
    rope: tuple[int, ...] = Field((8, 12, 12), description="of a head's width, for each axis")
    caption_dropout: float = 0.1
    head_weight: float = 2.5
    facts_weight: float = Field(
        0.5, description="of reading each person's facts from the tokens behind the double blocks"
    )
    facts: Literal["all", "looks"] = Field(
        "all",
        description="looks: what captions describe, of people without a name, and no face's "
        "traits; so nothing but the pictures tells what a name looks like",
    )
    time_mean: float = Field(
        0.4, description="of the normal whose sigmoid is the time; FLUX's shift"
    )
    ema: float = 0.9995


class KleinFlowSettings(FlowSettings):
    """The same with klein's four axes and its larger shift."""

    rope: tuple[int, ...] = Field((8, 8, 8, 8), description="of a head's width, for each axis")
    time_mean: float = Field(
        0.8, description="of the normal whose sigmoid is the time; towards klein's shift"
    )


class DistillSettings(StageSettings):
    """Guidance distillation: one pass at guidance w learns what two passes give."""

    w_low: float = 1.0
    w_high: float = 6.0
    ema: float = 0.999


class JudgeSettings(SpecModel):
    """The judge; see scripts/lab_train_judge.py."""

    steps: int = 9000
    batch: int = 1024
    general: int = 50000
    vae_share: float = Field(0.5, description="proportion of pictures sent through the autoencoder")
    gates: float = 1.0


class CaptionerSettings(SpecModel):
    """The captioner; see scripts/lab_train_captioner.py."""

    steps: int = 1900
    batch: int = 512
    images: int = 60000
    width: int = 144
    gates: int = 200


class LabSettings(SpecModel):
    """Everything that `snakemake lab_models` builds the base from; `text`, `vae` and `flow` are the
    architecture's."""

    architecture: Literal["flux1", "klein"] = Field(
        "flux1", description="what the base is a small one of"
    )
    seed: int = 0
    corpus: CorpusSettings
    text: TextSettings | QwenSettings
    vae: VaeSettings | KleinVaeSettings
    flow: FlowSettings
    distill: DistillSettings | None
    judge: JudgeSettings | None
    captioner: CaptionerSettings | None

    @classmethod
    def load(cls, path: Path | str) -> LabSettings:
        """Read a settings file, as it was when Snakemake planned with it; every wrong key is named
        at once."""
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # read at every start of Snakemake
        told = yaml.load(planned_path(path).read_text(encoding="utf-8"), loader)
        klein = isinstance(told, dict) and told.get("architecture") == "klein"
        model = KleinLabSettings if klein else FluxLabSettings
        try:
            return model.model_validate(told)
        except ValidationError as error:
            raise ProblemsError(problems_of(error, str(path), model)) from None


class FluxLabSettings(LabSettings):
    """A small FLUX.1-dev with its judge and captioner."""

    text: TextSettings = TextSettings()
    vae: VaeSettings
    distill: DistillSettings
    judge: JudgeSettings | None = JudgeSettings()
    captioner: CaptionerSettings | None = CaptionerSettings()


class KleinLabSettings(LabSettings):
    """A small FLUX.2 klein base: nothing to distill. Judge and captioner know drawings and no base:
    the shipped ones serve."""

    text: QwenSettings = QwenSettings()
    vae: KleinVaeSettings = KleinVaeSettings()
    flow: KleinFlowSettings
    distill: None = None
    judge: None = None
    captioner: None = None
