"""How photos become latents and texts become embeddings: the numbers, and nothing of files.

Every photo and every text goes through its encoder alone, padded to a fixed length: its result
then depends on nothing else in the dataset, so an embedding that was kept is the one that would
be made again. A batch would save little: encoding happens once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image


@torch.inference_mode()
def encode_image(vae: Any, image: Image.Image) -> torch.Tensor:
    """Latent [C, H/8, W/8], float32, of an RGB image whose sides divide by 16.

    The mean of the VAE's distribution, with the model's shift and scale applied: (mean - shift) *
    scale is what the transformer was trained on. The spread is left out: it is far below the
    noise of training, and without it equal photos have equal latents.
    """
    pixels = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)[None]
    scaled = (pixels.to(vae.device, torch.float32) / 127.5 - 1).to(vae.dtype)
    mean = vae.encode(scaled).latent_dist.mode()
    shift, scale = latent_shift_scale(vae.config)
    return ((mean.float() - shift) * scale)[0].cpu()


def latent_shift_scale(config: Any) -> tuple[float, float]:
    """(shift, scale) of a VAE's latents; models without a shift have 0."""
    return float(config.shift_factor or 0.0), float(config.scaling_factor)


@torch.inference_mode()
def encode_t5(tokenizer: Any, model: Any, text: str, tokens: int) -> torch.Tensor:
    """[tokens, D]: T5's last hidden states, padding included and unmasked, as FLUX reads them."""
    ids = _ids(tokenizer, text, tokens).to(model.device)
    return model(ids)[0][0].cpu()


@torch.inference_mode()
def encode_clip(tokenizer: Any, model: Any, text: str) -> torch.Tensor:
    """[D]: CLIP's pooled output, of at most the model's 77 tokens."""
    ids = _ids(tokenizer, text, tokenizer.model_max_length).to(model.device)
    return model(ids).pooler_output[0].cpu()


def _ids(tokenizer: Any, text: str, tokens: int) -> torch.Tensor:
    """[1, tokens] token ids, padded or cut."""
    return tokenizer(
        text, padding="max_length", max_length=tokens, truncation=True, return_tensors="pt"
    ).input_ids
