"""Encode all drawings once: latents, loss weights and token ids for the training of the base.

Needs drawings, vae/, tokenizers; gives one safetensors file that kindred.lab.corpus reads.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file

from kindred.common.errors import run_main
from kindred.common.files import atomic_write
from kindred.lab import pretraining_corpus as drawings
from kindred.lab.settings import LabSettings
from kindred.lab.text_encoders import load_tokenizers
from kindred.lab.training_loop import pick_device
from kindred.lab.vae_training import encode


def main(argv: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True)
    parser.add_argument("--base", type=Path, required=True, help="base directory")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="auto")
    args = parser.parse_args(argv)
    # Here, because `errors` silences a warning of its import first.
    from diffusers import AutoencoderKL

    settings, device = LabSettings.load(args.settings), pick_device(args.device)
    vae = AutoencoderKL.from_pretrained(args.base / "vae").to(
        device, memory_format=torch.channels_last
    )
    tokenizers, tokens = load_tokenizers(args.base), settings.text.tokens
    shift, scale = vae.config.shift_factor, vae.config.scaling_factor
    # The corpus stays in main memory: latents of all drawings fit the device, drawings may not.
    corpus = drawings.load(args.corpus, torch.device("cpu"))
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
    with atomic_write(args.out) as temporary:
        save_file(tensors, temporary)
    return 0


if __name__ == "__main__":
    run_main(main)
