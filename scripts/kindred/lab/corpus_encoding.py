"""All drawings encoded once for the training of the base: latents, loss weights, token ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file

from kindred.common.files import atomic_write
from kindred.lab import pretraining_corpus as drawings
from kindred.lab.settings import LabSettings
from kindred.lab.text_encoders import load_tokenizers
from kindred.lab.vae_training import encode


def encode_corpus(
    folders: Sequence[Path], base: Path, settings: LabSettings, device: torch.device, out: Path
) -> int:
    """Write one safetensors file that pretraining_corpus.py reads; how many drawings. base: folder
    with vae/ and the tokenizers."""
    vae = AutoencoderKL.from_pretrained(base / "vae").to(device, memory_format=torch.channels_last)
    tokenizers, tokens = load_tokenizers(base), settings.text.tokens
    shift, scale = vae.config.shift_factor, vae.config.scaling_factor
    # The corpus stays in main memory: latents of all drawings fit the device, drawings may not.
    corpus = drawings.load(folders, torch.device("cpu"))
    tensors: dict[str, torch.Tensor] = {}
    for size, images in corpus.images.items():
        latents = (encode(vae, images).float() - shift) * scale
        tensors[f"latents/{size}"] = latents.to(torch.bfloat16).contiguous().cpu()
        weights = drawings.head_weights(
            corpus.heads[size], latents.shape[2:], settings.flow.head_weight, stride=8
        )
        tensors[f"weights/{size}"] = weights.to(torch.bfloat16)
        tensors[f"facts/{size}"] = corpus.facts[size]
        tensors[f"owners/{size}"] = drawings.token_owners(corpus.heads[size], *images.shape[1:3])
        clip_ids, t5_ids = drawings.save_ids(corpus, tokenizers, tokens, size)
        tensors[f"clip_ids/{size}"], tensors[f"t5_ids/{size}"] = clip_ids, t5_ids
    for name, tokenizer in zip(("empty_clip", "empty_t5"), tokenizers, strict=True):
        ids = tokenizer("", padding="max_length", max_length=tokens)["input_ids"]
        tensors[f"{name}/"] = torch.tensor(ids, dtype=torch.int16)
    with atomic_write(out) as temporary:
        save_file(tensors, temporary)
    return sum(len(images) for images in corpus.images.values())
