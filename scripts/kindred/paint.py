"""A loaded base with its adapters, and the drawing of batches of pictures with it.

Knows modules and batches; knows nothing of stores, manifests or command lines. Text encoders are
never loaded here: embeddings come from what `encode_prompts` wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata

import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel
from PIL import Image

from kindred.adapters import Adapter, apply_adapters
from kindred.bases import load_scheduler, load_transformer, load_vae
from kindred.hashing import caption_hash
from kindred.pictures import Picture
from kindred.sampling import decode, denoise, initial_noise, schedule
from kindred.spec.render import RenderSpec

# caption hash -> (T5 states [L, D], CLIP vector [P])
Texts = Mapping[str, tuple[torch.Tensor, torch.Tensor]]


@dataclass
class Painter:
    """The parts of a base that drawing needs, adapters applied."""

    transformer: FluxTransformer2DModel
    scheduler: FlowMatchEulerDiscreteScheduler
    vae: AutoencoderKL

    @classmethod
    def load(
        cls, spec: RenderSpec, adapters: Sequence[Adapter], device: torch.device | str
    ) -> Painter:
        """Load the base once. Raises KindredError for a base or adapter that can't be used."""
        transformer = load_transformer(spec.base, device)
        apply_adapters(transformer, adapters, spec.merged())
        return cls(transformer, load_scheduler(spec.base), load_vae(spec.base, device))

    @torch.inference_mode()
    def draw(
        self,
        pictures: Sequence[Picture],
        texts: Texts,
        fill_to: int = 1,
        after_step: Callable[[], None] = lambda: None,
    ) -> list[Image.Image]:
        """The pictures, all of one size, in their order.

        The batch is filled to `fill_to` by repeating its last picture: matrix products round
        differently at another batch size, so a picture drawn alone later has the same bytes as
        one drawn among others (on one device with one number of threads; else a few values are
        off by one).
        """
        filled = [*pictures, *[pictures[-1]] * (fill_to - len(pictures))]
        recipe = filled[0].recipe
        step = 2 ** (len(self.vae.config.block_out_channels) - 1)
        width, height = (edge // step for edge in filled[0].size)
        channels = self.transformer.config.in_channels // 4
        noise = initial_noise([picture.seed for picture in filled], channels, height, width)
        embedded = [texts[caption_hash(picture.prompt)] for picture in filled]
        latents = denoise(
            self.transformer,
            noise,
            torch.stack([text for text, _ in embedded]),
            torch.stack([pooled for _, pooled in embedded]),
            schedule(self.scheduler, recipe["steps"], width * height // 4),
            recipe["guidance"],
            after_step,
        )
        # One by one: as fast, least memory, and again the same bytes whatever is beside it.
        decoded = (decode(self.vae, one[None])[0] for one in latents[: len(pictures)])
        return [Image.fromarray(picture.numpy()) for picture in decoded]


def versions(device: torch.device | str) -> dict[str, str]:
    """What a picture was made with, for its own record: its bytes may differ with any of these."""
    return {
        "device": torch.device(device).type,
        **{name: metadata.version(name) for name in ("torch", "diffusers", "peft")},
    }
