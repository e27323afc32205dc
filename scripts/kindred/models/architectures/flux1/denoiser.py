"""The call of FLUX.1's transformer: packed latents, position ids, guidance, sigma as time."""

from __future__ import annotations

from functools import cache

import torch

from kindred.models.architectures.flux1.latents import image_ids, pack, text_ids, unpack
from kindred.models.architectures.interface import Conditioning, Denoiser


class Flux1Denoiser(Denoiser):
    """A FluxTransformer2DModel."""

    def pack(self, latents: torch.Tensor) -> torch.Tensor:
        """As `Denoiser.pack`."""
        return pack(latents)

    def unpack(self, tokens: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """As `Denoiser.unpack`."""
        return unpack(tokens, height, width)

    def packed_velocity(
        self,
        tokens: torch.Tensor,
        size: tuple[int, int],
        sigmas: torch.Tensor,
        text: Conditioning,
        guidance: float,
    ) -> torch.Tensor:
        """As `Denoiser.packed_velocity`."""
        device, dtype = tokens.device, self.network.dtype
        levels = None
        if self.network.config.guidance_embeds:
            levels = torch.full((len(tokens),), guidance, device=device, dtype=torch.float32)
        (velocity,) = self.call(
            hidden_states=tokens.to(dtype),
            encoder_hidden_states=text["t5"].to(dtype),
            pooled_projections=text["clip"].to(dtype),
            timestep=sigmas,
            guidance=levels,
            img_ids=_image_ids(*size, device, dtype),
            txt_ids=_text_ids(text["t5"].shape[1], device, dtype),
        )
        return velocity


# Kept on the device, and for good: copying them there at every step would make the step wait, and
# recorded steps read them where they are. Of no inference mode, since trainings use them too.
@cache
def _image_ids(height: int, width: int, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    with torch.inference_mode(False):
        return image_ids(height, width).to(device, dtype)


@cache
def _text_ids(tokens: int, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    with torch.inference_mode(False):
        return text_ids(tokens).to(device, dtype)
