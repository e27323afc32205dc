"""All drawings encoded once for the training of the base: latents, loss weights, token ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file

from kindred.common.files import atomic_write
from kindred.lab import pretraining_corpus as drawings
from kindred.lab.miniatures.interface import Miniature
from kindred.lab.settings import LabSettings
from kindred.lab.vae_training import encode


def encode_corpus(
    miniature: Miniature,
    folders: Sequence[Path],
    base: Path,
    settings: LabSettings,
    device: torch.device,
    out: Path,
) -> int:
    """Write one safetensors file that pretraining_corpus.py reads; how many drawings. base: folder
    with vae/ and the tokenizers."""
    vae = miniature.load_vae(base).to(device, memory_format=torch.channels_last)
    tokenizers, tokens = miniature.load_tokenizers(base), settings.text.tokens
    # The corpus stays in main memory: latents of all drawings fit the device, drawings may not.
    corpus = drawings.load(folders, torch.device("cpu"))
    tensors: dict[str, torch.Tensor] = {}
    for size, images in corpus.images.items():
        latents = miniature.normalise(vae, encode(vae, images).float())
        tensors[f"latents/{size}"] = latents.to(torch.bfloat16).contiguous().cpu()
        weights = drawings.head_weights(
            corpus.heads[size], latents.shape[2:], settings.flow.head_weight, stride=8
        )
        tensors[f"weights/{size}"] = weights.to(torch.bfloat16)
        owners = drawings.token_owners(corpus.heads[size], *images.shape[1:3])
        tensors[f"facts/{size}"], tensors[f"owners/{size}"] = drawings.told_facts(
            corpus.facts[size], owners, corpus.named[size], settings.flow.facts
        )
    for name, tokenizer in tokenizers.items():
        for size, pairs in corpus.captions.items():
            flat = [caption for pair in pairs for caption in pair]
            ids = torch.tensor(miniature.token_ids(tokenizer, flat, tokens), dtype=torch.int16)
            tensors[f"{name}_ids/{size}"] = ids.view(-1, 2, tokens)
        (empty,) = miniature.token_ids(tokenizer, [""], tokens)
        tensors[f"empty_{name}/"] = torch.tensor(empty, dtype=torch.int16)
    with atomic_write(out) as temporary:
        save_file(tensors, temporary)
    return sum(len(images) for images in corpus.images.values())
