"""Train the lab's base: flow matching, then guidance distillation; assemble the pipeline.

Needs the encoded drawings and the base directory with vae/ and tokenizers; gives the directory
that FluxPipeline.from_pretrained reads. Stopped and started again, it goes on from its last
checkpoint.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from kindred.common.errors import run_main
from kindred.lab import base_training
from kindred.lab.pretraining_corpus import load_latents
from kindred.lab.settings import LabSettings
from kindred.lab.text_encoders import load_tokenizers
from kindred.lab.training_loop import pick_device, rank


def main(argv: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--latents", type=Path, nargs="+", required=True)
    parser.add_argument("--base", type=Path, required=True, help="with vae/ and tokenizers")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints and logs")
    parser.add_argument("--device", default="auto")
    args = parser.parse_args(argv)
    # Here, because `errors` silences a warning of its import first.
    from diffusers import AutoencoderKL

    settings, device = LabSettings.load(args.settings), pick_device(args.device)
    torch.manual_seed(settings.seed)
    tokenizers = load_tokenizers(args.base)
    vae = AutoencoderKL.from_pretrained(args.base / "vae", torch_dtype=torch.bfloat16)
    channels = vae.config.latent_channels
    model = base_training.build(settings.flow, settings.text, channels, tokenizers)
    corpus = load_latents(args.latents, device)
    model = base_training.train(model, settings.flow, corpus, args.work, settings.seed)
    model = base_training.distill(model, settings.distill, corpus, args.work, settings.seed)
    if rank() > 0:
        return 0
    base_training.save_pipeline(model, vae, tokenizers, args.base)
    print(f"{args.base}: trained")
    return 0


if __name__ == "__main__":
    run_main(main)
