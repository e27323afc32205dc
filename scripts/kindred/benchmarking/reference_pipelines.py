"""diffusers' own pipelines on given embeddings, noise and weights, for comparison.

Knows how each is built and called; knows nothing of timing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import diffusers
import torch

from kindred.benchmarking import random_weights
from kindred.models.architectures.interface import Conditioning, Denoiser
from kindred.models.architectures.latent_coding import LatentCoding


@dataclass(frozen=True)
class Asked:
    """One picture: its texts on the device, noise [1, C, H, W], px of an edge, steps and guidance
    scale as the pipeline means it; `denoiser` packs the noise."""

    denoiser: Denoiser
    text: Conditioning
    negative: Conditioning
    noise: torch.Tensor
    resolution: int
    steps: int
    guidance: float

    def shared(self, kind: str) -> dict[str, Any]:
        """What all pipelines take."""
        return {
            "height": self.resolution,
            "width": self.resolution,
            "num_inference_steps": self.steps,
            "guidance_scale": self.guidance,
            "output_type": kind,
        }


def pipeline(shape: str, network: Any, vae: Any) -> Any:
    """The pipeline of a base's architecture around a network, without text encoders."""
    known = random_weights.SHAPES[shape].known
    parts = {"transformer": network, "vae": vae, "scheduler": random_weights.scheduler(shape)}
    missing = {"text_encoder": None, "tokenizer": None}
    if known.name == "flux1":
        missing |= {"text_encoder_2": None, "tokenizer_2": None}
    built = getattr(diffusers, known.pipelines[0])(**parts, **missing)
    built.set_progress_bar_config(disable=True)
    return built


def draw(shape: str, built: Any, asked: Asked, kind: str) -> torch.Tensor | Any:
    """The picture by the pipeline; kind: 'latent', as the pipeline gives it, or 'np'."""
    given = CALLS[random_weights.SHAPES[shape].architecture](asked)
    return built(**given, **asked.shared(kind)).images


def as_latents(found: torch.Tensor, asked: Asked, coding: LatentCoding) -> torch.Tensor:
    """What a pipeline gave for 'latent' as [1, C, H, W], normalised as the network reads it: some
    give tokens, some what their VAE decodes."""
    if found.dim() == 3:
        return asked.denoiser.unpack(found.float(), *asked.noise.shape[-2:])
    own = found.float().shape == asked.noise.shape
    return found.float() if own else coding.normalise(found.float())


def _flux1(asked: Asked) -> dict[str, Any]:
    return {
        "prompt_embeds": asked.text["t5"],
        "pooled_prompt_embeds": asked.text["clip"],
        "latents": asked.denoiser.pack(asked.noise).to(asked.text["t5"]),
    }


def _klein(asked: Asked) -> dict[str, Any]:
    return {
        "prompt_embeds": asked.text["qwen3"],
        "negative_prompt_embeds": asked.negative["qwen3"],
        "latents": asked.noise.to(asked.text["qwen3"]),
    }


def _z_image(asked: Asked) -> dict[str, Any]:
    texts = [[one["qwen3"][0, : int(one["length"])]] for one in (asked.text, asked.negative)]
    return {
        "prompt_embeds": texts[0],
        "negative_prompt_embeds": texts[1],
        "latents": asked.noise.to(asked.text["qwen3"].device),
    }


def _krea2(asked: Asked) -> dict[str, Any]:
    given: dict[str, Any] = {"latents": asked.denoiser.pack(asked.noise).to(asked.text["qwen3vl"])}
    for prefix, one in (("", asked.text), ("negative_", asked.negative)):
        states = one["qwen3vl"]
        given[f"{prefix}prompt_embeds"] = states
        rows = torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
        given[f"{prefix}prompt_embeds_mask"] = rows
    return given


CALLS: dict[str, Callable[[Asked], dict[str, Any]]] = {
    "flux1": _flux1,
    "klein": _klein,
    "z-image": _z_image,
    "krea2": _krea2,
}
