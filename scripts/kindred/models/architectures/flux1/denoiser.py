"""The call of FLUX.1's transformer: packed latents, position ids, guidance, sigma as time."""

from __future__ import annotations

import torch

from kindred.models.architectures.interface import Conditioning
from kindred.models.architectures.patches import PatchDenoiser, image_ids, text_ids
from kindred.models.architectures.position_ids import kept

IMAGE_IDS, TEXT_IDS = kept(image_ids), kept(text_ids)


class Flux1Denoiser(PatchDenoiser):
    """A FluxTransformer2DModel."""

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
            img_ids=IMAGE_IDS(size, device, dtype),
            txt_ids=TEXT_IDS((text["t5"].shape[1],), device, dtype),
        )
        return velocity
