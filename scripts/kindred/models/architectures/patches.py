"""2 x 2 patches of latents as tokens, and their position ids, as several networks read them.

Knows shapes; knows nothing of networks, schedules or noise. The layout is that of the published
FLUX.1 sampling code (Black Forest Labs, 2024), written anew here.
"""

from __future__ import annotations

import torch

from kindred.models.architectures.interface import Denoiser

PATCH = 2


def pack(latents: torch.Tensor) -> torch.Tensor:
    """[N, C, H, W] to tokens [N, H/2 * W/2, 4C], rows first."""
    n, c, h, w = latents.shape
    patches = latents.reshape(n, c, h // PATCH, PATCH, w // PATCH, PATCH)
    tokens = (h // PATCH) * (w // PATCH)
    return patches.permute(0, 2, 4, 1, 3, 5).reshape(n, tokens, c * PATCH * PATCH)


def unpack(tokens: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Tokens [N, H/2 * W/2, 4C] back to latents [N, C, H, W]; `height`, `width` in latents."""
    n, _, features = tokens.shape
    c = features // (PATCH * PATCH)
    patches = tokens.reshape(n, height // PATCH, width // PATCH, c, PATCH, PATCH)
    return patches.permute(0, 3, 1, 4, 2, 5).reshape(n, c, height, width)


def image_ids(height: int, width: int) -> torch.Tensor:
    """Position ids [H/2 * W/2, 3] of a latent image: (0, row, column) of each token."""
    rows, columns = height // PATCH, width // PATCH
    ids = torch.zeros(rows, columns, 3)
    ids[..., 1] = torch.arange(rows)[:, None]
    ids[..., 2] = torch.arange(columns)[None, :]
    return ids.reshape(-1, 3)


def text_ids(tokens: int) -> torch.Tensor:
    """Position ids [tokens, 3] of text: all zero."""
    return torch.zeros(tokens, 3)


class PatchDenoiser(Denoiser):
    """A network that reads such patches."""

    def pack(self, latents: torch.Tensor) -> torch.Tensor:
        """As `Denoiser.pack`."""
        return pack(latents)

    def unpack(self, tokens: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """As `Denoiser.unpack`."""
        return unpack(tokens, height, width)
