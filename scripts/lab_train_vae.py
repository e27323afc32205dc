"""Train the lab's autoencoder on drawings.

Needs drawings; gives vae/ of the base directory (bfloat16, shift and scale measured) and a log in
the work folder. Stopped and started again, it goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from kindred.common.errors import run_main
from kindred.common.files import writing
from kindred.lab import pretraining_corpus as drawings
from kindred.lab import vae_training as autoencoder
from kindred.lab.settings import LabSettings
from kindred.lab.training_loop import pick_device, rank


def main(argv: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True, help="directory for the autoencoder")
    parser.add_argument("--work", type=Path, required=True, help="checkpoint and log")
    parser.add_argument("--device", default="auto")
    args = parser.parse_args(argv)
    settings, device = LabSettings.load(args.settings), pick_device(args.device)
    corpus = drawings.load(args.corpus, device)
    vae = autoencoder.train(settings.vae, corpus, args.work, settings.seed, device)
    if rank() > 0:
        return 0
    shift, scale = autoencoder.measure_scale(vae, corpus)
    vae.register_to_config(shift_factor=round(shift, 6), scaling_factor=round(scale, 6))
    for size, images in corpus.images.items():
        print(f"PSNR {size}: {autoencoder.psnr(vae, images[:64]).mean():.2f} dB (seen drawings)")
    half = vae.to(torch.bfloat16, memory_format=torch.contiguous_format)
    with writing(args.out):
        half.save_pretrained(args.out)
    return 0


if __name__ == "__main__":
    run_main(main)
